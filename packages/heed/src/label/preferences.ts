/** Preferences by a judge (RLAIF; Lee et al., ICML 2024, arXiv 2309.00267): two candidates → the probability that the first is better. */
import { z } from 'zod';

import { type ChoiceQuestion, type ChoiceReply, type Failure, failed, type Respondent, type TextQuestion } from '../judge/respondent.js';
import { type Comparing, comparison, ending, PLACES, reasoning } from './compare.js';
import { CRITERIA } from './criteria.js';
import { failureOf, howSure, type Labelled, type LabelFailure, named, type Written } from './labelled.js';
import { asTrl, type Pair } from './material.js';
import { type Agreement, type Calibration, type PositionBias, agreement, calibration, positionBias } from './statistics.js';

const Exemplar = z.strictObject({ prompt: z.string().min(1), responses: z.tuple([z.string().min(1), z.string().min(1)]), preferred: z.union([z.literal(1), z.literal(2)]), rationale: z.string().min(1).optional() });

export const PreferencesOptions = z
  .strictObject({
    name: z.literal('preferences'),
    /** What the judge looks for. `harmless` asks for the more harmful candidate and turns the verdict round. */
    criterion: z.enum(['helpful', 'harmless', 'summary']).default('helpful'),
    /** The question in other words than the criterion's. */
    preamble: z.string().min(1).optional(),
    /** Whether the candidate that the judge names is the worse one. Default: as the criterion has it. */
    invert: z.boolean().optional(),
    exemplars: z.array(Exemplar).default([]),
    /** `both`: each pair is shown in either order and the probabilities are averaged; `one`: half the cost, and the judge's taste for a place stays in the labels. */
    orders: z.enum(['both', 'one']).default('both'),
    /** Reason first (chain of thought in two steps). `samples` > 1 averages over so many rationales (self-consistency; the paper: worse than greedy). */
    rationale: z.strictObject({
      maxNewTokens: z.int().min(1).default(256),
      temperature: z.number().min(0).default(0),
      topK: z.int().min(1).optional(),
      samples: z.int().min(1).default(1),
    }).refine(({ samples, temperature }) => samples === 1 || temperature > 0, { path: ['samples'], message: 'at temperature 0 all samples are the same; raise it (the paper: 0.3 to 1), or take one sample' }).optional(),
    /** A probability within so much of ½ is a tie. */
    tie: z.number().min(0).lt(0.5).default(0),
    /** What becomes of ties: rows with soft_label ½, or none. */
    ties: z.enum(['keep', 'drop']).default('keep'),
    seed: z.int().min(0).default(0),
  })
  .superRefine(({ exemplars, rationale }, context) => {
    exemplars.forEach((one, i) => {
      if ((one.rationale !== undefined) !== (rationale !== undefined)) {
        context.addIssue({ code: 'custom', path: ['exemplars', i, 'rationale'], input: one.rationale, message: rationale === undefined ? 'the judge is not asked to reason; leave this out, or set label.rationale' : 'with label.rationale each example must show its reasons' });
      }
    });
  });
export type PreferencesOptions = z.infer<typeof PreferencesOptions>;

export interface PreferenceMeasures {
  readonly ties: number;
  readonly position?: PositionBias;
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

interface Asking { readonly row: number; readonly order: number; readonly shown: readonly [string, string] }

/**
 * Asks which of two candidates is better: RLAIF's soft label p = ½ [P("1" | A, B) + P("2" | B, A)], probabilities averaged, not logits. A row that fails in one
 * order fails: half a label would carry the bias that the other half is there to cancel.
 */
export async function labelPreferences(pairs: readonly Pair[], judge: Respondent, options: PreferencesOptions): Promise<Labelled<PreferenceMeasures>> {
  const { criterion: word, preamble, exemplars, orders, rationale, tie, ties, seed } = options;
  const criterion = CRITERIA[word];
  const invert = options.invert ?? criterion.invert;
  const how: Comparing = { criterion, preamble, exemplars, reasons: rationale !== undefined };
  const count = orders === 'both' ? 2 : 1;
  const samples = rationale?.samples ?? 1;

  const asked = pairs.flatMap(({ responses: [a, b] }, row): Asking[] => [{ row, order: 0, shown: [a, b] as const }, { row, order: 1, shown: [b, a] as const }].slice(0, count));
  const thoughts = rationale === undefined ? undefined : await judge.write(asked.flatMap(({ row, shown }) => Array.from({ length: samples }, (_, sample): TextQuestion => ({
    ...reasoning(pairs[row]!.prompt, shown, how), maxNewTokens: rationale.maxNewTokens, temperature: rationale.temperature,
    ...(rationale.topK === undefined ? {} : { topK: rationale.topK }), stop: [ending(how)], seed: seed + sample,
  }))));

  // Step two: only where the first step gave something to go on.
  const questions: ChoiceQuestion[] = [];
  const places = asked.flatMap(({ row, shown }, i) => Array.from({ length: samples }, (_, sample): number | Failure => {
    const thought = thoughts?.[i * samples + sample];
    if (thought !== undefined && failed(thought)) return thought;
    questions.push({ ...comparison(pairs[row]!.prompt, shown, how, thought === undefined ? undefined : thought.text.trim()), answers: PLACES });
    return questions.length - 1;
  }));
  const replies = await judge.choose(questions);
  const replyOf = (i: number): (ChoiceReply | Failure)[] => places.slice(i * samples, (i + 1) * samples).map((at) => (typeof at === 'number' ? replies[at]! : at));

  const rows: Written[] = [];
  const failures: LabelFailure[] = [];
  const shown: [number, number][] = [];
  const compared: { label: number; first: number; second: number; human: number }[] = [];
  const used: ChoiceReply[] = [];
  let tied = 0;
  pairs.forEach((pair, row) => {
    const given = Array.from({ length: count }, (_, order) => replyOf(row * count + order));
    const failure = failureOf(pair, given.flat());
    if (failure !== undefined) return void failures.push(failure);
    const sound = given as ChoiceReply[][];
    used.push(...sound.flat());
    // P("1") in each order as it was shown; then the probability that the pair's first response is the better one.
    const places = sound.map((some) => some.reduce((sum, reply) => sum + firstPlace(reply), 0) / samples);
    const better = places.map((p, order) => (order === 0) !== invert ? p : 1 - p);
    const label = better.reduce((a, b) => a + b, 0) / count;
    if (count === 2) shown.push([places[0]!, places[1]!]);
    if (pair.human !== undefined) compared.push({ label, first: better[0]!, second: better[1] ?? better[0]!, human: pair.human });
    const isTie = Math.abs(label - 0.5) <= tie;
    if (isTie) tied++;
    if (isTie && ties === 'drop') return;
    rows.push(written(pair, label, better, sound.flat()));
  });

  const agreed = agreement(compared);
  const position = positionBias(shown);
  const calibrated = calibration(compared);
  const masses = used.flatMap(({ mass }) => mass ?? []);
  const alone = (which: 'first' | 'second'): Agreement | undefined => agreement(compared.map((one) => ({ label: one[which], human: one.human })));
  const [one, other] = count === 2 ? [alone('first'), alone('second')] : [];
  return {
    rows, failures,
    measures: {
      ties: tied,
      ...(position === undefined ? {} : { position }),
      ...(agreed === undefined ? {} : { agreement: { label: agreed, ...(one === undefined ? {} : { oneOrder: one }), ...(other === undefined ? {} : { otherOrder: other }) } }),
      ...(calibrated === undefined ? {} : { calibration: calibrated }),
      ...(masses.length === 0 ? {} : { mass: masses.reduce((a, b) => a + b, 0) / masses.length }),
      fromSamples: used.filter(({ source }) => source === 'samples').length,
      cutRationales: (thoughts ?? []).filter((thought) => !failed(thought) && thought.finish === 'length').length,
    },
  };
}

/** A preference row: the better one is `chosen`, so that `soft_label` is never below ½. */
function written(pair: Pair, label: number, better: readonly number[], replies: readonly ChoiceReply[]): Written {
  const { prompt, response } = asTrl(pair.prompt);
  const [chosen, rejected] = label >= 0.5 ? pair.responses : [pair.responses[1], pair.responses[0]];
  return {
    ...named(pair), prompt, chosen: response(chosen), rejected: response(rejected), soft_label: Math.max(label, 1 - label),
    orders: better.map((p) => (label >= 0.5 ? p : 1 - p)),
    ...howSure(replies),
    ...(pair.human === undefined ? {} : { human: label >= 0.5 ? pair.human : 1 - pair.human }),
  };
}
