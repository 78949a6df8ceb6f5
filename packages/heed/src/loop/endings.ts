/** Whether the policy still ends its answers: how likely it finds the end of turn behind responses that ended there. */
import type { Engine, View } from '@heed/tensor';
import { type BoundMethod, scoresTexts } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { createScorer } from '../model/scorer.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Item } from '../train/item.js';

/** Responses looked at: enough to see a model that stops ending, few enough to cost seconds. */
const MOST = 16;

/** Responses that end with an end of turn, spread over the items: those of the method's first sequence that is learnt. */
export function endedResponses(items: readonly Item[], method: BoundMethod, { template }: Pick<Model, 'template'>): TokenSequence[] {
  const name = method.names.find((one) => !method.detached.has(one));
  if (name === undefined || scoresTexts(method)) return [];
  const ended = items.flatMap(({ sequences }) => sequences[name]?.slice(0, 1) ?? [])
    .filter(({ response, supervised }) => template.stopIds.includes(response.at(-1)!) && supervised?.at(-1) !== false);
  const stride = Math.max(1, Math.floor(ended.length / MOST));
  return ended.filter((_, i) => i % stride === 0).slice(0, MOST);
}

/** The end of turn's probability behind the responses, their geometric mean; undefined without responses. */
export async function endOfTurn(
  engine: Engine, model: Model, adapter: { readonly plan: AdapterPlan; readonly parameters: View }, responses: readonly TokenSequence[],
): Promise<number | undefined> {
  if (responses.length === 0) return undefined;
  const scorer = await createScorer(engine, model, adapter);
  try {
    const ends = (await scorer.logProbs(responses)).map((logp) => logp.at(-1)!);
    return Math.exp(ends.reduce((sum, x) => sum + x) / ends.length);
  } finally {
    await scorer.release();
  }
}

/**
 * A fall by more than this factor, to less than this probability, is said: answers then run to their limit. A run of KTO that fell from
 * 0.42 to 0.10 had 69 % of its answers cut off, where 29 % were before.
 */
const FALL = 3, LOW = 0.2;

/** For people: undefined while answers end. */
export function describeEndings(before: number | undefined, after: number | undefined): string | undefined {
  if (before === undefined || after === undefined || after >= LOW || after * FALL > before) return undefined;
  const percent = (p: number): string => `${Number((100 * p).toPrecision(2))} %`;
  return `Answers stop ending: where rows end, the end of turn had a probability of ${percent(before)} and has ${percent(after)} now. `
    + 'Answers will run to their limit. Learn in smaller steps (train.learningRate) or fewer (train.epochs), and from rows that end.';
}
