/**
 * Comparisons by principles (SALMON; Sun et al., ICLR 2024, arXiv 2310.05910): two responses and each of several principles → which
 * response keeps the principle better.
 */
import { z } from 'zod';

import { agreedScore } from '../data/agreed-score.js';
import type { ScoredPrinciple } from '../data/rows.js';
import { type Question, type ChoiceReply, type Failure, failed, type Respondent } from '../judge/respondent.js';
import { type Principle, readPrinciples } from '../judge/principle-file.js';
import { finePercent } from '../run/numbers.js';
import { FENCE_NOTE, fence } from '../text/fence.js';
import { comparisonPrompt, transcript } from '../text/principled.js';
import { choiceColumns, failureOf, type Labelled, type LabelFailure, type OutputRow } from './labelled.js';
import { defineLabeler, type ReportPart } from './labeler.js';
import { asTrl, type Pair } from './material.js';
import { calibrationLines, lineIf, positionLines, samplesLine, share } from './report-lines.js';
import { type Agreement, type Calibration, type PositionBias, agreement, calibration, placeWarning, positionBias } from './statistics.js';

export const PrinciplesOptions = z.strictObject({
  name: z.literal('principles'),
  /** A YAML file of principles, each with its negation. */
  principles: z.string().min(1),
  /** Hold the pairs to these of them only. */
  only: z.array(z.string().min(1)).min(1).optional(),
  /** `fenced`: the responses are marked off; `trained`: the words in which the method `principle-choice` trains a judge, without fences. */
  prompt: z.enum(['fenced', 'trained']).default('fenced'),
});
export type PrinciplesOptions = z.infer<typeof PrinciplesOptions>;

interface PrincipleMeasure {
  readonly name: string;
  /** Share of the pairs whose orders agree. */
  readonly agreed: number;
  /** Of these, the share that prefers the first response. */
  readonly first: number;
  /** Mean distance of a score from 0, over the pairs whose orders agree. */
  readonly size: number;
  /** With people. */
  readonly agreement?: Agreement;
}

export interface PrincipleMeasures {
  readonly position?: PositionBias;
  readonly principles: readonly PrincipleMeasure[];
  /**
   * P(the first is better) by a principle, σ of its score, against what people said of the pair: all principles together, ½ where the
   * orders disagree.
   */
  readonly calibration?: Calibration;
  /** Scores of 0: comparisons whose orders disagree, over all principles. */
  readonly ties: number;
  /** Pairs for which no principle decides. */
  readonly undecided: number;
  readonly fromSamples: number;
}

const ANSWERS = ['A', 'B'] as const;

/** In place of log 0, where no sample chose an answer: so many nats below the other answer, since a score must be finite. */
const RARE = Math.log(1e-4);

/** The question which response keeps one principle better. The pair comes first, so that it is computed once for all principles. */
export function principleQuestion(
  { prompt }: Pick<Pair, 'prompt'>, shown: readonly [string, string], { name, text }: Pick<Principle, 'name' | 'text'>,
  form: PrinciplesOptions['prompt'],
): Question {
  if (form === 'trained') return { messages: comparisonPrompt(prompt, shown, [{ name, text }]) };
  return {
    messages: [{
      role: 'user',
      content: `Compare two answers to the same request by one rule. ${FENCE_NOTE}\n\nRequest:\n${fence(transcript(prompt))}\n\n`
        + `Answer A:\n${fence(shown[0])}\n\nAnswer B:\n${fence(shown[1])}\n\n`
        + `The rule: ${name}. ${text}\nHold the answers to this rule alone, whatever else may be said of them. `
        + 'Which of the two keeps it better? Answer with "Better answer=A" or "Better answer=B".',
    }],
    begun: 'Better answer=',
  };
}

/**
 * Asks about each principle by itself, in both orders. A score is log p(the first response) − log p(the second), above 0 where the first
 * keeps the principle better. Both orders' scores are kept, and a principle whose orders disagree counts 0. A row fails where one of its
 * questions fails, so that every row has every principle.
 */
export async function labelPrinciples(
  pairs: readonly Pair[], judge: Respondent, { prompt: form }: PrinciplesOptions, principles: readonly Principle[],
): Promise<Labelled<PrincipleMeasures>> {
  // By order, then by principle: what shares the pair stands together.
  const replies = await judge.choose(pairs.flatMap((pair) => {
    const [a, b] = pair.responses;
    return ([[a, b], [b, a]] as const).flatMap((shown) =>
      principles.map((principle) => ({ ...principleQuestion(pair, shown, principle, form), answers: ANSWERS })));
  }));
  const each = 2 * principles.length;

  const rows: OutputRow[] = [];
  const failures: LabelFailure[] = [];
  const labelled: { pair: Pair; scored: ScoredPrinciple[] }[] = [];
  const shown: [number, number][] = [];
  let fromSamples = 0;
  pairs.forEach((pair, row) => {
    const own = replies.slice(row * each, (row + 1) * each);
    const failure = failureOf(pair, own);
    if (failure !== undefined) return void failures.push(failure);
    fromSamples += own.filter((reply) => !failed(reply) && reply.source === 'samples').length;
    const scored = principles.map(({ name, text, negation }, k): ScoredPrinciple => {
      const [given, turned] = [gap(own[k]!), gap(own[principles.length + k]!)];
      shown.push([sigmoid(given), sigmoid(turned)]);
      // + 0: no −0 in a file.
      const scores: [number, number] = [given + 0, -turned + 0];
      return { name, text, negation, score: agreedScore(scores), scores };
    });
    labelled.push({ pair, scored });
    const { id, prompt, responses, human } = pair;
    rows.push({ id, prompt: asTrl(prompt).prompt, responses, principles: scored, ...choiceColumns(own as readonly ChoiceReply[]), human });
  });

  const scores = labelled.flatMap(({ pair, scored }) => scored.map(({ score }) => ({ score, human: pair.human })));
  const besidePeople = (some: typeof scores): { label: number; human: number }[] =>
    some.flatMap(({ score, human }) => (human === undefined ? [] : [{ label: sigmoid(score), human }]));
  return {
    rows, failures,
    measures: {
      position: positionBias(shown),
      calibration: calibration(besidePeople(scores)),
      ties: scores.filter(({ score }) => score === 0).length,
      principles: principles.map(({ name }, k) => {
        const own = labelled.map(({ pair, scored }) => ({ score: scored[k]!.score, human: pair.human }));
        const decided = own.filter(({ score }) => score !== 0);
        return {
          name,
          agreed: decided.length / Math.max(1, own.length),
          first: decided.filter(({ score }) => score > 0).length / Math.max(1, decided.length),
          size: decided.reduce((sum, { score }) => sum + Math.abs(score), 0) / Math.max(1, decided.length),
          agreement: agreement(besidePeople(own)),
        };
      }),
      undecided: labelled.filter(({ scored }) => scored.every(({ score }) => score === 0)).length,
      fromSamples,
    },
  };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** log p(A) − log p(B). */
function gap(reply: ChoiceReply | Failure): number {
  const { logprobs: [a = 0, b = 0] } = reply as ChoiceReply;
  // Where one answer had no probability at all, the other one had it all.
  if (a !== b && a === Number.NEGATIVE_INFINITY) return RARE;
  if (a !== b && b === Number.NEGATIVE_INFINITY) return -RARE;
  return a === b ? 0 : a - b;
}

function report({ position, principles: each, calibration: calibrated, ties, undecided, fromSamples }: PrincipleMeasures): ReportPart {
  const width = Math.max(...each.map(({ name }) => name.length));
  const ofEach = each.map(({ name, agreed, first, size, agreement: people }) => {
    const beside = people === undefined ? '' : `, agrees with people ${share(people)}`;
    const orders = `orders agree ${finePercent(agreed)}, first better ${finePercent(first)}`;
    return `${name.padEnd(width)}  ${orders}, mean |score| ${size.toFixed(2)}${beside}`;
  });
  return {
    warning: placeWarning(position, undefined, 'comparisons'),
    lines: [
      ...ofEach,
      ...positionLines(position),
      `ties (comparisons whose orders disagree): ${ties}`,
      ...lineIf(undecided > 0, () => `pairs that no principle decides: ${undecided}`),
      ...samplesLine(fromSamples),
      ...calibrationLines(calibrated),
    ],
    calibration: calibrated,
  };
}

export const principles = defineLabeler({
  name: 'principles',
  material: 'pairs',
  options: PrinciplesOptions,
  prepare: async (options) => readPrinciples(options.principles, options.only),
  label: labelPrinciples,
  report,
});
