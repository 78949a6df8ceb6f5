import { UserError } from '../errors.js';
import type { Constraint } from './grammar/constraint.js';

/**
 * How the next token is chosen. Everything applies in the order of Hugging Face transformers: biases, repetition penalty, no repeated
 * n-gram, bad words, the constraint, temperature, top-k, top-p, min-p.
 */
export interface SamplingOptions {
  /** Most tokens that a completion may have. */
  readonly maxNewTokens: number;
  /** 0 takes the likeliest token; then top-k, top-p and min-p do nothing. */
  readonly temperature: number;
  /** Keep the k likeliest tokens, and those that tie with the last of them. */
  readonly topK?: number;
  /** Keep the likeliest tokens until their probabilities add up to this (Holtzman et al. 2020). */
  readonly topP?: number;
  /** Keep tokens with at least this fraction of the likeliest token's probability (Nguyen et al. 2024). */
  readonly minP?: number;
  /** Divide positive logits of tokens that occurred, prompt included, and multiply negative ones (Keskar et al. 2019). Default: 1. */
  readonly repetitionPenalty?: number;
  /** No n-gram of prompt and answer comes a second time (transformers' `no_repeat_ngram_size`). Default: 0, any may. */
  readonly noRepeatNgram?: number;
  /** Words that must not come, each a list of tokens (transformers' `bad_words_ids`). A word of the prompt does no harm. */
  readonly badWords?: readonly (readonly number[])[];
  /** What is added to the logit of a token, by its id (OpenAI's `logit_bias`). */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** `add` is added to the logits of the tokens that end the turn once the answer has `after` tokens. */
  readonly endBias?: { readonly add: number; readonly after: number };
  /** The texts that a completion may be; it ends by itself where one of them ends. */
  readonly constraint?: Constraint;
  /** Texts that end a completion. */
  readonly stop?: readonly string[];
  /** Tokens that end a completion as an end of turn does, beside the model's own. */
  readonly stopIds?: readonly number[];
  /**
   * Whether the tokens that filters kept are reported at each place, with the log-probability among them (`Completion.kept`, `sampled`):
   * so that a method can learn from them. Cannot be combined with options that change logits. Default: false.
   */
  readonly reportKept?: boolean;
  /** How many of the likeliest tokens are reported at each place, beside the chosen one. Default: 0. */
  readonly top?: number;
  /** Names the random numbers, together with a request's `row`. */
  readonly seed: number;
}

/** The options that may change in the middle of a completion. */
export type Steering = Omit<SamplingOptions, 'maxNewTokens' | 'constraint' | 'stop' | 'stopIds' | 'top' | 'seed'>;

/** Throws a UserError that names the first option out of its range, for a model with so many tokens; default: any number. */
export function checkOptions(options: SamplingOptions, vocabulary = Infinity): void {
  const check = (name: keyof SamplingOptions, valid: (value: number) => boolean, range: string): void => {
    const value = options[name];
    if (value === undefined || (typeof value === 'number' && valid(value))) return;
    throw new UserError(`${name} is ${JSON.stringify(value)}; expected ${range}.`);
  };
  check('maxNewTokens', (x) => Number.isInteger(x) && x >= 1, 'a whole number, at least 1');
  check('temperature', (x) => x >= 0 && x < Infinity, 'a number from 0');
  check('topK', (x) => Number.isInteger(x) && x >= 1, 'a whole number, at least 1');
  check('topP', (x) => x > 0 && x <= 1, 'a number above 0, at most 1');
  check('minP', (x) => x >= 0 && x <= 1, 'a number from 0 to 1');
  check('repetitionPenalty', (x) => x > 0 && x < Infinity, 'a number above 0');
  check('top', (x) => Number.isInteger(x) && x >= 0, 'a whole number from 0');
  check('noRepeatNgram', (x) => Number.isInteger(x) && x >= 0, 'a whole number from 0');
  check('seed', (x) => Number.isSafeInteger(x), 'a whole number');
  checkMasks(options, vocabulary);
  if (options.reportKept === true && changesLogits(options))
    throw new UserError('reportKept is true, and another option changes logits, so what was drawn from is no part of what the model says.');
  if (options.stop?.includes('') !== true) return;
  throw new UserError('stop holds an empty text, which would end every completion before it starts.');
}

/** The options that hold more than a number. */
function checkMasks({ badWords = [], logitBias = {}, endBias, stopIds = [] }: SamplingOptions, vocabulary: number): void {
  const isToken = (id: number): boolean => Number.isSafeInteger(id) && id >= 0 && id < vocabulary;
  const strange = stopIds.find((id) => !isToken(id));
  if (strange !== undefined) throw new UserError(`stopIds holds ${strange}, which is no token of the model.`);
  if (badWords.some((word) => word.length === 0 || !word.every(isToken))) {
    throw new UserError('badWords holds a word that is no list of tokens; expected one token of the model or more in each.');
  }
  const [wrong] = Object.entries(logitBias).filter(([id, bias]) => !isToken(Number(id)) || !Number.isFinite(bias));
  if (wrong !== undefined)
    throw new UserError(`logitBias is ${wrong[1]} for ${wrong[0]}; expected a number for the id of a token of the model.`);
  if (endBias !== undefined && !(Number.isFinite(endBias.add) && Number.isSafeInteger(endBias.after) && endBias.after >= 0)) {
    throw new UserError(`endBias is ${JSON.stringify(endBias)}; expected { add: a number, after: a whole number from 0 }.`);
  }
}

/** Whether these options change logits by what was written: then the host chooses from all logits. */
export const changesLogits = (
  { repetitionPenalty = 1, noRepeatNgram = 0, badWords = [], logitBias, endBias, constraint }: SamplingOptions,
): boolean =>
  constraint !== undefined || endBias !== undefined || repetitionPenalty !== 1 || noRepeatNgram > 0 || badWords.length > 0
  || Object.keys(logitBias ?? {}).length > 0;

/** Whether anything but the whole vocabulary may be drawn from. */
export const filters = ({ topK, topP = 1, minP = 0 }: Pick<SamplingOptions, 'topK' | 'topP' | 'minP'>): boolean =>
  topK !== undefined || topP < 1 || minP > 0;

/** What the graph leaves to the host: nothing (`greedy`, `sample`), choosing among the likeliest tokens, or everything. */
export type Choice =
  | { readonly kind: 'greedy' }
  | { readonly kind: 'sample' }
  | { readonly kind: 'logits' }
  | { readonly kind: 'candidates'; readonly count: number };
/** `mixed` serves rows of every kind in one step, and gives the likeliest tokens of each. */
export type StepChoice = Choice | { readonly kind: 'mixed'; readonly count: number };

/** How many of the likeliest tokens the graph gives to the host where top-p or min-p alone limits them. */
const CANDIDATES = 256;

export function choiceOf(options: SamplingOptions, vocabulary: number): Choice {
  const { temperature, topK } = options;
  if (changesLogits(options)) return { kind: 'logits' };
  if (temperature === 0) return { kind: 'greedy' };
  if (!filters(options)) return { kind: 'sample' };
  // One more than k, to see a tie with the last; a multiple of 64, since every count is a program of its own.
  const count = topK === undefined ? CANDIDATES : 64 * Math.ceil((topK + 1) / 64);
  return { kind: 'candidates', count: Math.min(count, vocabulary) };
}

/** The step that serves sequences which choose in different ways. Each sequence draws as it would alone. */
export function stepChoice(rows: readonly { readonly choice: Choice; readonly top: number }[], vocabulary: number): StepChoice {
  const [first] = rows.map(({ choice }) => choice);
  const countOf = (choice: Choice): number => (choice.kind === 'candidates' ? choice.count : 0);
  if (rows.every(({ choice, top }) => top === 0 && choice.kind === first!.kind && countOf(choice) === countOf(first!))) return first!;
  const most = Math.max(CANDIDATES, ...rows.map(({ choice, top }) => Math.max(countOf(choice), 64 * Math.ceil(top / 64))));
  return { kind: 'mixed', count: Math.min(most, vocabulary) };
}
