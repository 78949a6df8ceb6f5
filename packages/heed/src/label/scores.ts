/** Scores by a judge (direct RLAIF; Lee et al., ICML 2024, arXiv 2309.00267, §2.2.2): one response → the expected rating, from −1 to 1. */
import { z } from 'zod';

import { type Question, type ChoiceReply, failed, type Respondent } from '../judge/respondent.js';
import { FENCE_NOTE, fence } from '../text/fence.js';
import { transcript } from '../text/principled.js';
import { CRITERIA, CRITERION_NAMES } from './criteria.js';
import { choiceColumns, failureOf, type Labelled, type LabelFailure, meanOf, type OutputRow } from './labelled.js';
import { defineLabeler, type ReportPart } from './labeler.js';
import { asTrl, type Single } from './material.js';
import { barLines, calibrationLines, fixed, massLine, samplesLine } from './report-lines.js';
import { type Calibration, calibration, rankCorrelation } from './statistics.js';

export const ScoresOptions = z.strictObject({
  name: z.literal('scores'),
  /** What is rated. `harmless` asks how harmful the response is, `toxicity` how toxic, and the rating is turned round. */
  criterion: z.enum(CRITERION_NAMES).default('helpful'),
  /** The request in other words than the criterion's; it must ask for a rating from 1 to 10. */
  preamble: z.string().min(1).optional(),
  /** Whether a high rating is bad. Default: as the criterion has it. */
  invert: z.boolean().optional(),
});
export type ScoresOptions = z.infer<typeof ScoresOptions>;

export interface ScoreMeasures {
  /** Mean rating, 1 to 10 as the judge gave it, and how far the ratings of different rows lie apart (standard deviation). */
  readonly rating: { readonly mean: number; readonly sd: number };
  /** Mean probability of each rating, from 1 to 10: a judge that gives all responses the same one cannot tell them apart. */
  readonly distribution: readonly number[];
  /** Spearman's rank correlation with what people said, and over how many rows. */
  readonly human?: { readonly correlation: number; readonly n: number };
  /**
   * The mapped score as a probability, (score + 1) / 2, against whether people were satisfied; absent where they said it in numbers of
   * their own, or nothing.
   */
  readonly calibration?: Calibration;
  /** Rows whose rating another row has too, to 10⁻⁶: the judge cannot tell these apart. */
  readonly ties: number;
  readonly mass?: number;
  readonly fromSamples: number;
}

/** Whole answers, so that "10" is not taken for a "1" that goes on. */
export const RATINGS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'] as const;

/** The probabilities of the ratings, and Σ i·P(i). */
export function expectedRating({ logprobs }: ChoiceReply): { readonly probabilities: readonly number[]; readonly rating: number } {
  const top = Math.max(...logprobs);
  const weights = logprobs.map((logprob) => Math.exp(logprob - top));
  const total = weights.reduce((a, b) => a + b, 0);
  const probabilities = weights.map((weight) => weight / total);
  return { probabilities, rating: probabilities.reduce((sum, p, i) => sum + (i + 1) * p, 0) };
}

/** 1 … 10 → −1 … 1. The paper gives no map; this is the straight one. */
export const mapped = (rating: number): number => (rating - 5.5) / 4.5;

/** −1 … 1 → 0 … 1; a sum of ten probabilities may leave the range by a rounding. */
const asProbability = (score: number): number => Math.min(1, Math.max(0, (score + 1) / 2));

/** How many values have an equal among the others, to 10⁻⁶. */
function tied(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values.map((x) => Math.round(1e6 * x))) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].filter((n) => n > 1).reduce((a, b) => a + b, 0);
}

/** The question for a rating of one response, in the words of the options. */
export function ratingQuestion(
  { prompt, completion }: Single, { criterion: word, preamble }: Pick<ScoresOptions, 'criterion' | 'preamble'>,
): Question {
  const criterion = CRITERIA[word];
  return {
    messages: [{
      role: 'user',
      content: `${preamble ?? criterion.rate} Answer with "Score=" and the number. ${FENCE_NOTE}\n\n`
        + `${criterion.context}:\n${fence(transcript(prompt))}\n\n${criterion.candidate}:\n${fence(completion)}`,
    }],
    begun: 'Score=',
  };
}

/** What a reply says of a response, from −1 to 1, turned round where the rating is of something bad. */
export function scoreOf(
  reply: ChoiceReply, { criterion, invert = CRITERIA[criterion].invert }: Pick<ScoresOptions, 'criterion' | 'invert'>,
): number {
  const score = mapped(expectedRating(reply).rating);
  return invert ? -score : score;
}

/** Asks for a rating of each response and takes its expected value, not the likeliest number. */
export async function labelScores(singles: readonly Single[], judge: Respondent, options: ScoresOptions): Promise<Labelled<ScoreMeasures>> {
  const replies = await judge.choose(singles.map((single) => ({ ...ratingQuestion(single, options), answers: RATINGS })));

  const rows: OutputRow[] = [];
  const failures: LabelFailure[] = [];
  const ratings: number[] = [];
  const said: { score: number; human: number }[] = [];
  const probable: { label: number; human: number }[] = [];
  const distribution = RATINGS.map(() => 0);
  const masses: number[] = [];
  let fromSamples = 0;
  singles.forEach((single, i) => {
    const reply = replies[i]!;
    const failure = failureOf(single, [reply]);
    if (failure !== undefined) failures.push(failure);
    if (failed(reply)) return;
    const { probabilities, rating } = expectedRating(reply);
    const score = scoreOf(reply, options);
    probabilities.forEach((p, k) => { distribution[k]! += p; });
    ratings.push(rating);
    if (reply.mass !== undefined) masses.push(reply.mass);
    if (reply.source === 'samples') fromSamples++;
    const satisfied = single.human?.satisfied === undefined ? undefined : Number(single.human.satisfied);
    if (satisfied !== undefined) probable.push({ label: asProbability(score), human: satisfied });
    const human = single.human?.score ?? satisfied;
    if (human !== undefined) said.push({ score, human });
    const { prompt, response } = asTrl(single.prompt);
    rows.push({ id: single.id, prompt, completion: response(single.completion), score, rating, ...choiceColumns([reply]), human });
  });

  const n = Math.max(1, ratings.length);
  const mean = ratings.reduce((a, b) => a + b, 0) / n;
  const correlation = rankCorrelation(said.map(({ score }) => score), said.map(({ human }) => human));
  return {
    rows, failures,
    measures: {
      rating: { mean, sd: Math.sqrt(ratings.reduce((sum, rating) => sum + (rating - mean) ** 2, 0) / n) },
      distribution: distribution.map((p) => p / n),
      human: correlation === undefined ? undefined : { correlation, n: said.length },
      calibration: calibration(probable),
      ties: tied(ratings),
      mass: meanOf(masses),
      fromSamples,
    },
  };
}

/** Fewer responses may well deserve one rating. */
const FEW = 5;

function report(
  { rating, distribution, human, calibration: calibrated, ties, mass, fromSamples }: ScoreMeasures, labelled: number,
): ReportPart {
  const bars = distribution.map((p, i) => ({ name: String(i + 1).padStart(2), value: p, note: fixed(p) }));
  const same = labelled >= FEW && ties === labelled && rating.sd < 1e-6
    ? `These labels carry no information: the judge gives all ${labelled} responses the rating ${rating.mean.toFixed(2)}.` : undefined;
  return {
    warning: same,
    lines: [
      `rating: mean ${rating.mean.toFixed(2)}, standard deviation ${rating.sd.toFixed(2)}`,
      ...barLines('mean probability of a rating', bars),
      ...(human === undefined ? [] : [`rank correlation with people: ${fixed(human.correlation)}, n = ${human.n}`]),
      `ties (rows whose rating another has too): ${ties}`,
      ...massLine(mass, 'the ratings'),
      ...samplesLine(fromSamples),
      ...calibrationLines(calibrated),
    ],
    calibration: calibrated,
  };
}

export const scores = defineLabeler({ name: 'scores', material: 'singles', options: ScoresOptions, label: labelScores, report });
