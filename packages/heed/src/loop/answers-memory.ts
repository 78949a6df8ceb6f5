/** What memory learning from answers will take, foreseen before any answer is generated. */
import type { AnyRow, PromptRow } from '../data/rows.js';
import type { BoundMethod, Respond } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import type { TrainOptions } from '../run/recipe-schemas.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Item } from '../train/item.js';
import { type MemoryCheck, checkMemory } from '../train/memory.js';
import { type Limits, prepare } from './items.js';
import { pretendAnswers, pretendSamples } from './pretend.js';
import { rolloutRow } from './rollout-row.js';
import type { RowMaker } from './row-maker.js';
import type { Maker } from './rows-of.js';

export interface AnswersMemorySetup {
  readonly model: Model;
  readonly method: BoundMethod;
  readonly plan: AdapterPlan;
  readonly options: TrainOptions;
  readonly prompts: readonly PromptRow[];
  /** Answers to a prompt. */
  readonly samples: number;
  /** Most tokens of an answer. */
  readonly maxNewTokens: number;
  readonly text: Respond;
  readonly limits: Limits;
  /** How rows are made of the rated answers to a prompt. Undefined: as policy gradients take them, all answers to a prompt are a row. */
  readonly rowsOf?: Maker;
  /** What writes parts of rows. */
  readonly maker?: RowMaker;
}

/**
 * Predicts the memory of the heaviest step there can be: the longest prompts, and answers of `maxNewTokens` tokens to them.
 *
 * @param available Bytes of memory there are; default: what the machine or the container has left.
 * @param capacity Bytes of memory in all; default: the machine's or the container's.
 * @returns undefined where no row can be made of answers that long
 */
export function foreseeAnswers(setup: AnswersMemorySetup, available?: number, capacity?: number): MemoryCheck | undefined {
  const { model, method, plan, options, text, limits } = setup;
  // A pretended answer is no row of a user's: one that is too long stands for the longest that fits.
  const { items } = prepare(heaviestRows(setup), method, text, { maxTokens: Number.MAX_SAFE_INTEGER, onLong: 'skip', junk: 'skip' });
  const fitting = items.map((item) => clipped(item, limits.maxTokens));
  return items.length === 0 ? undefined : checkMemory({ model, method, plan, options, items: fitting }, available, capacity);
}

/** The item with sequences of so many tokens at most: less prompt, and where that does not do, less response. */
function clipped(item: Item, maxTokens: number): Item {
  const clip = (sequence: TokenSequence): TokenSequence => {
    const { prompt, response, supervised, marked, kept } = sequence;
    const over = prompt.length + response.length - maxTokens;
    if (over <= 0) return sequence;
    const given = prompt.slice(Math.min(over, prompt.length - 1));
    const room = maxTokens - given.length;
    return {
      prompt: given, response: response.slice(0, room),
      supervised: supervised?.slice(0, room), marked: marked?.slice(0, room), kept: kept?.slice(0, room),
    };
  };
  return { ...item, sequences: Object.fromEntries(Object.entries(item.sequences).map(([name, all]) => [name, all.map(clip)])) };
}

function heaviestRows({ model, method, options, prompts, samples, maxNewTokens, rowsOf, maker }: AnswersMemorySetup): AnyRow[] {
  const { template, tokenizer } = model;
  const longest = prompts
    .map((prompt) => ({ prompt, tokens: template.prompt(prompt.prompt).length }))
    .sort((a, b) => b.tokens - a.tokens)
    .slice(0, options.batch);
  if (rowsOf === undefined) {
    const answers = pretendAnswers(samples, maxNewTokens);
    return longest.map(({ prompt }) => rolloutRow(prompt, answers, { maxTokens: maxNewTokens, reference: method.reads.reference }));
  }
  const fillerOf = (tokens: number): string => tokenizer.decode(tokenizer.encode(' so'.repeat(tokens)).slice(0, tokens));
  const filler = fillerOf(maxNewTokens);
  // Gaps of rewards that suffice for every recipe's pairs.
  return longest
    .flatMap(({ prompt }) => [1, 0].map((bad) => pretendSamples(prompt, samples, bad, 1e6, filler)))
    .flatMap((all) => rowsOf.rows(all, { int: () => 0 }))
    .map((row) => maker?.pretend(row, fillerOf(maker.maxNewTokens)) ?? row);
}
