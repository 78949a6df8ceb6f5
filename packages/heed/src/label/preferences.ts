/** Preferences by a judge (RLAIF; Lee et al., ICML 2024, arXiv 2309.00267): two candidates → the probability that the first is better. */
import { z } from 'zod';

import { type ChoiceQuestion, type ChoiceReply, type Failure, failed, type Respondent, type TextQuestion } from '../judge/respondent.js';
import { askForTexts, refusalOf } from '../judge/ask-for-texts.js';
import { type Comparing, comparison, ending, PLACES, reasoning } from './compare.js';
import { CRITERIA, CRITERION_NAMES } from './criteria.js';
import { choiceColumns, failureOf, type Labelled, type LabelFailure, meanOf, type OutputRow } from './labelled.js';
import { defineLabeler, type ReportPart } from './labeler.js';
import { asTrl, type Pair } from './material.js';
import { calibrationLines, lineIf, massLine, positionLines, samplesLine, share } from './report-lines.js';
import {
  type Agreement, type Calibration, type Named, type PositionBias, agreement, calibration, placeWarning, positionBias,
} from './statistics.js';

const Exemplar = z.strictObject({
  prompt: z.string().min(1),
  responses: z.tuple([z.string().min(1), z.string().min(1)]),
  preferred: z.union([z.literal(1), z.literal(2)]),
  rationale: z.string().min(1).optional(),
});

/** Reasons before the answer (chain of thought in two steps). */
const Rationale = z
  .strictObject({
    maxNewTokens: z.int().min(1).default(256),
    temperature: z.number().min(0).default(0),
    topK: z.int().min(1).optional(),
    /** Above 1: the probabilities are averaged over so many rationales (self-consistency; the paper: worse than greedy). */
    samples: z.int().min(1).default(1),
  })
  .refine(({ samples, temperature }) => samples === 1 || temperature > 0, {
    path: ['samples'], message: 'at temperature 0 all samples are the same; raise it (the paper: 0.3 to 1), or take one sample',
  });

export const PreferencesOptions = z
  .strictObject({
    name: z.literal('preferences'),
    /** What the judge looks for. With `harmless` and `toxicity` it names the worse candidate, and the verdict is turned round. */
    criterion: z.enum(CRITERION_NAMES).default('helpful'),
    /** The question in other words than the criterion's. */
    preamble: z.string().min(1).optional(),
    /** Whether the candidate that the judge names is the worse one. Default: as the criterion has it. */
    invert: z.boolean().optional(),
    exemplars: z.array(Exemplar).default([]),
    /**
     * `both`: each pair is shown in either order, and the probabilities are averaged. `one`: half the cost, and a judge that favours a
     * place labels so.
     */
    orders: z.enum(['both', 'one']).default('both'),
    /** Let the judge reason first. */
    rationale: Rationale.optional(),
    /** A probability within so much of ½ is a tie. */
    tie: z.number().min(0).lt(0.5).default(0),
    /** What becomes of ties: rows with soft_label ½, or none. */
    ties: z.enum(['keep', 'drop']).default('keep'),
    seed: z.int().min(0).default(0),
  })
  .superRefine(({ exemplars, rationale }, context) => {
    exemplars.forEach((one, i) => {
      if ((one.rationale !== undefined) !== (rationale !== undefined)) {
        const message = rationale === undefined
          ? 'the judge is not asked to reason; leave this out, or set label.rationale'
          : 'with label.rationale each example must show its reasons';
        context.addIssue({ code: 'custom', path: ['exemplars', i, 'rationale'], input: one.rationale, message });
      }
    });
  });
export type PreferencesOptions = z.infer<typeof PreferencesOptions>;

export interface PreferenceMeasures {
  readonly ties: number;
  readonly position?: PositionBias;
  /** With `orders: one`: the pairs of which the judge named the first place. */
  readonly named?: Named;
  /** With people: the label, and what each order alone would have said. */
  readonly agreement?: { readonly label: Agreement; readonly oneOrder?: Agreement; readonly otherOrder?: Agreement };
  readonly calibration?: Calibration;
  /** Mean probability that the judge gave to "1" and "2" together: low where it would have said something else. */
  readonly mass?: number;
  /** Replies counted from samples, since the judge offers no log-probabilities. */
  readonly fromSamples: number;
  /** Rationales that ran into the limit. */
  readonly cutRationales: number;
}

/** The probability of the first place, by a softmax over both. */
export function firstPlace({ logprobs }: ChoiceReply): number {
  const [one, two] = logprobs as readonly [number, number];
  return 1 / (1 + Math.exp(two - one));
}

/** One pair in one order. */
interface Showing { readonly row: number; readonly shown: readonly [string, string] }

/**
 * Asks which of two candidates is better: RLAIF's soft label p = ½ [P("1" | A, B) + P("2" | B, A)], probabilities averaged, not logits. A
 * row that fails in one order fails: half a label would carry the bias that the other half is there to cancel.
 */
export async function labelPreferences(
  pairs: readonly Pair[], judge: Respondent, options: PreferencesOptions,
): Promise<Labelled<PreferenceMeasures>> {
  const { criterion: word, preamble, exemplars, orders, rationale, tie, ties, seed } = options;
  const criterion = CRITERIA[word];
  const invert = options.invert ?? criterion.invert;
  const how: Comparing = { criterion, preamble, exemplars, reasons: rationale !== undefined };
  const count = orders === 'both' ? 2 : 1;
  const samples = rationale?.samples ?? 1;

  const showings = pairs.flatMap(({ responses: [a, b] }, row): Showing[] =>
    [{ row, shown: [a, b] as const }, { row, shown: [b, a] as const }].slice(0, count));
  const thoughts = rationale && await askForTexts(judge, showings.flatMap(({ row, shown }) => repeat(samples, (sample): TextQuestion => {
    const { maxNewTokens, temperature, topK } = rationale;
    return { ...reasoning(pairs[row]!.prompt, shown, how), maxNewTokens, temperature, topK, stop: [ending(how)], seed: seed + sample };
  })));

  // Step two: only where the first step gave something to go on.
  const questions: ChoiceQuestion[] = [];
  const places = showings.flatMap(({ row, shown }, i) => repeat(samples, (sample): number | Failure => {
    const thought = thoughts?.[i * samples + sample];
    if (thought !== undefined && failed(thought)) return thought;
    const refusal = thought && refusalOf(thought.text, 'rationale');
    if (refusal !== undefined) return refusal;
    questions.push({ ...comparison(pairs[row]!.prompt, shown, how, thought?.text.trim()), answers: PLACES });
    return questions.length - 1;
  }));
  const replies = await judge.choose(questions);
  const repliesTo = (showing: number): (ChoiceReply | Failure)[] =>
    places.slice(showing * samples, (showing + 1) * samples).map((place) => (typeof place === 'number' ? replies[place]! : place));

  const rows: OutputRow[] = [];
  const failures: LabelFailure[] = [];
  const shown: [number, number][] = [];
  const firsts: number[] = [];
  const compared: { label: number; first: number; second: number; human: number }[] = [];
  const used: ChoiceReply[] = [];
  let tied = 0;
  pairs.forEach((pair, row) => {
    const given = repeat(count, (order) => repliesTo(row * count + order));
    const failure = failureOf(pair, given.flat());
    if (failure !== undefined) return void failures.push(failure);
    const sound = given as ChoiceReply[][];
    used.push(...sound.flat());
    // P("1") in each order as it was shown; then the probability that the pair's first response is the better one.
    const places = sound.map((some) => some.reduce((sum, reply) => sum + firstPlace(reply), 0) / samples);
    const better = places.map((p, order) => (order === 0) !== invert ? p : 1 - p);
    const label = better.reduce((a, b) => a + b, 0) / count;
    firsts.push(places[0]!);
    if (count === 2) shown.push([places[0]!, places[1]!]);
    if (pair.human !== undefined) compared.push({ label, first: better[0]!, second: better[1] ?? better[0]!, human: pair.human });
    const isTie = Math.abs(label - 0.5) <= tie;
    if (isTie) tied++;
    if (isTie && ties === 'drop') return;
    rows.push(preferenceRow(pair, label, better, sound.flat()));
  });

  const agreed = agreement(compared);
  const alone = (order: 'first' | 'second'): Agreement | undefined =>
    (count === 2 ? agreement(compared.map((one) => ({ label: one[order], human: one.human }))) : undefined);
  return {
    rows, failures,
    measures: {
      ties: tied,
      position: positionBias(shown),
      named: count === 1 ? { first: firsts.filter((p) => p > 0.5).length, n: firsts.length } : undefined,
      agreement: agreed && { label: agreed, oneOrder: alone('first'), otherOrder: alone('second') },
      calibration: calibration(compared),
      mass: meanOf(used.flatMap(({ mass }) => mass ?? [])),
      fromSamples: used.filter(({ source }) => source === 'samples').length,
      cutRationales: (thoughts ?? []).filter((thought) => !failed(thought) && thought.finish === 'length').length,
    },
  };
}

const repeat = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** A preference row: the better one is `chosen`, so that `soft_label` is never below ½. */
function preferenceRow(pair: Pair, label: number, better: readonly number[], replies: readonly ChoiceReply[]): OutputRow {
  const { prompt, response } = asTrl(pair.prompt);
  const firstChosen = label >= 0.5;
  const [chosen, rejected] = firstChosen ? pair.responses : [pair.responses[1], pair.responses[0]];
  const ofChosen = (p: number): number => (firstChosen ? p : 1 - p);
  return {
    id: pair.id, prompt, chosen: response(chosen), rejected: response(rejected), soft_label: Math.max(label, 1 - label),
    orders: better.map(ofChosen),
    ...choiceColumns(replies),
    human: pair.human === undefined ? undefined : ofChosen(pair.human),
  };
}

function report(measures: PreferenceMeasures, labelled: number): ReportPart {
  const { agreement: agreed, position, calibration: calibrated, ties, mass, fromSamples, cutRationales } = measures;
  const people = agreed === undefined ? [] : [
    `agrees with people:  ${share(agreed.label)}${agreed.label.ties === 0 ? '' : `; ${agreed.label.ties} ties left out`}`,
    ...(agreed.oneOrder === undefined ? [] : [`  one order alone:   ${share(agreed.oneOrder)}`]),
    ...(agreed.otherOrder === undefined ? [] : [`  the other alone:   ${share(agreed.otherOrder)}`]),
  ];
  const undecided = labelled > 1 && ties === labelled
    ? `These labels carry no information: the judge prefers neither response in all ${labelled} pairs.` : undefined;
  return {
    warning: placeWarning(position, measures.named) ?? undecided,
    lines: [
      ...people,
      ...positionLines(position),
      `ties: ${ties}`,
      ...massLine(mass, '"1" and "2"'),
      ...samplesLine(fromSamples),
      ...lineIf(cutRationales > 0, () => `rationales cut off: ${cutRationales}`),
      ...calibrationLines(calibrated),
    ],
    calibration: calibrated,
  };
}

export const preferences = defineLabeler({
  name: 'preferences', material: 'pairs', options: PreferencesOptions, label: labelPreferences, report,
});
