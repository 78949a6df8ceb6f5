import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type Engine, view } from '@heed/tensor';
import { z } from 'zod';
import { type BranchRequest, createBranchScorer } from '../generate/branch-scorer.js';
import { openGenerator } from '../generate/open.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Generator } from '../generate/generator.js';
import { requireNoHead } from '../model/adapter.js';
import { fingerprint } from '../model/fingerprint.js';
import { type Model, loadModel } from '../model/load.js';
import { type Adapter, loadAdapter } from '../model/peft.js';
import { PRECISIONS, type Precision } from '../run/precision.js';
import { defineJudge, describeModel, withEngine } from './define.js';
import type { AskHooks, ChoiceQuestion, ChoiceReply, Failure, Respondent, TextQuestion, TextReply } from './respondent.js';
import { answerTokens, askedTokens, endToken, exclusive, massOf, thoughtsOpenedBy, withThoughtMarks } from './local-tokens.js';

/** Options of a local model that answers questions. */
export const LocalOptions = z.strictObject({
  /** As `model:` of a recipe. Default: the default model. */
  model: z.string().min(1).optional(),
  /** An adapter's folder, as a run's `adapter/` or PEFT wrote it. */
  adapter: z.string().min(1).optional(),
  template: z.enum(['chat', 'alpaca']).optional(),
  /** Whether the end of turn is part of an answer. Set it for judges trained by the method `choice` with its default. */
  endOfTurn: z.boolean().default(false),
  /** Texts that are written at the same time. */
  batch: z.int().min(1).default(16),
  /** What the matrices are in memory: `gguf` keeps a GGUF's codes, `int8` and `int4` round (docs/engine.md). */
  precision: z.enum(PRECISIONS).default('f32'),
});
export type LocalOptions = z.infer<typeof LocalOptions>;

/** `local`: a model that runs on this machine, in this process. */
export const local = defineJudge({
  name: 'local',
  options: LocalOptions,
  describe: (options) => describeModel(options),
  open: ({ model: name, adapter: folder, template, endOfTurn, batch, precision }, tools) => withEngine(tools, async (engine) => {
    const model = await loadModel(name, { template, precision: precision === 'gguf' ? 'gguf' : 'f32', now: tools.now, log: tools.log });
    const adapter = folder === undefined ? undefined : await loadAdapter(folder, model.checkpoint);
    return createLocalRespondent(engine, model, { adapter, endOfTurn, batch, precision });
  }),
});

export interface LocalSettings {
  readonly adapter?: Adapter;
  /**
   * Whether the end of turn is part of an answer, as in the method `choice` by default. Default: false, which counts every text that
   * begins with an answer, except those that begin with a longer answer.
   */
  readonly endOfTurn?: boolean;
  /** Texts that are written at the same time. Default: 16. */
  readonly batch?: number;
  /** Default: f32. */
  readonly precision?: Precision;
}

/** Questions that are answered before the next are begun: enough for full passes, few enough that a crash loses little. */
const CHUNK = 256;

/**
 * A respondent that is a local model, with an adapter or without. `choose` reads the log-probabilities of all tokens of the answers; what
 * the prompts share at their beginning is computed once. `write` samples each question by its own seed, so the text does not depend on
 * the other questions. `usage.milliseconds` is a question's share of its passes (`choose`), or the time until its text was
 * complete (`write`).
 *
 * @throws UserError where the adapter has a head: it scores texts and answers no questions
 */
export async function createLocalRespondent(
  engine: Engine,
  model: Model,
  { adapter, endOfTurn = false, batch, precision = 'f32' }: LocalSettings = {},
): Promise<Respondent> {
  if (adapter !== undefined) requireNoHead(adapter.plan);
  const name = [
    `local:${basename(model.checkpoint.id)}${adapter === undefined ? '' : '+adapter'}`,
    ...(endOfTurn ? ['end of turn'] : []),
    ...(precision === 'f32' ? [] : [precision]),
    fingerprint(model, adapter),
  ].join(' ');
  const parameters = adapter === undefined ? undefined : await engine.upload(adapter.parameters);
  // The programs of `choose` and of `write` are compiled when the first question of that kind comes.
  const scorer = lazily(() =>
    createBranchScorer(engine, model, adapter && { plan: adapter.plan, parameters: view(parameters!) }, { precision }),
  );
  const generator = lazily(() => openGenerator(engine, model, { precision, adapter, batch }));
  const { context } = model.architecture;
  const end = endOfTurn ? [endToken(model)] : [];

  const tooLong = (prompt: number, more: number, what: string): Failure => ({
    failure: 'too-long',
    detail: `the question has ${prompt} tokens and ${what} up to ${more}; the context of ${model.checkpoint.id} is ${context}`,
  });

  function prepare(question: ChoiceQuestion): BranchRequest | Failure {
    const prompt = tokens(() => askedTokens(model, question));
    if ('failure' in prompt) return prompt;
    const opened = thoughtsOpenedBy(model, question);
    if (opened !== undefined) {
      const detail = `the chat template opens the model's thoughts with ${opened}, so no answer can be read after it: use another judge`;
      return { failure: 'no-such-answer', detail };
    }
    const answers = question.answers.map((answer) => [...answerTokens(model, question, answer), ...end]);
    const empty = answers.findIndex((ids) => ids.length === 0);
    if (empty >= 0) return { failure: 'no-such-answer', detail: `the answer ${JSON.stringify(question.answers[empty])} has no tokens` };
    const keys = answers.map((ids) => ids.join());
    const same = keys.findIndex((key, i) => keys.indexOf(key) !== i);
    if (same >= 0)
      return { failure: 'no-such-answer', detail: `the answer ${JSON.stringify(question.answers[same])} has the same tokens as another` };
    const longest = Math.max(...answers.map((ids) => ids.length));
    return prompt.length + longest > context ? tooLong(prompt.length, longest, 'its answers') : { prompt, answers };
  }

  async function chooseSome(
    questions: readonly ChoiceQuestion[],
    give: (index: number, reply: ChoiceReply | Failure) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const asked: { readonly index: number; readonly request: BranchRequest }[] = [];
    questions.forEach((question, index) => {
      const request = prepare(question);
      if ('failure' in request) give(index, request);
      else asked.push({ index, request });
    });
    if (asked.length === 0) return;
    const held = await scorer.get();
    let since = performance.now();
    let passed: { readonly index: number; readonly reply: Omit<ChoiceReply, 'usage'>; readonly promptTokens: number }[] = [];
    // All results of a pass come at once, so the pass's time is shared among them.
    const flush = (): void => {
      const milliseconds = (performance.now() - since) / Math.max(1, passed.length);
      for (const { index, reply, promptTokens } of passed)
        give(index, { ...reply, usage: { promptTokens, completionTokens: 0, milliseconds } });
      passed = [];
      since = performance.now();
    };
    try {
      await held.logProbs(
        asked.map(({ request }) => request),
        {
          onResult(i, logProbs) {
            const { index, request } = asked[i]!;
            const { answers } = request;
            const sums = logProbs.map((all) => all.reduce((a, b) => a + b, 0));
            const logprobs = exclusive(
              sums,
              (a, b) => answers[a]!.length < answers[b]!.length && answers[a]!.every((id, t) => answers[b]![t] === id),
            );
            if (passed.length === 0) queueMicrotask(flush);
            passed.push({ index, reply: { logprobs, mass: massOf(logprobs), source: 'logprobs' }, promptTokens: request.prompt.length });
          },
          signal,
        },
      );
    } finally {
      flush();
    }
  }

  async function writeOne(held: Generator, question: TextQuestion, signal?: AbortSignal): Promise<TextReply | Failure> {
    const prompt = tokens(() => askedTokens(model, question));
    if ('failure' in prompt) return prompt;
    const { maxNewTokens, temperature, topK, topP, stop, seed } = question;
    if (prompt.length + maxNewTokens > context) return tooLong(prompt.length, maxNewTokens, 'its answer');
    const sampling: SamplingOptions = { maxNewTokens, temperature, seed, topK, topP, stop: stop && [...stop] };
    const start = performance.now();
    const [completion] = await held.generate([{ prompt, row: numberOf(prompt) }], sampling, { signal });
    const { text, finish, ids } = completion!;
    const said = withThoughtMarks(model, text, ids, thoughtsOpenedBy(model, question));
    const usage = { promptTokens: prompt.length, completionTokens: ids.length, milliseconds: performance.now() - start };
    return { text: said, finish, usage };
  }

  return {
    name,
    async choose(questions, { onReply, signal }: AskHooks = {}) {
      const replies = new Array<ChoiceReply | Failure>(questions.length);
      for (let from = 0; from < questions.length; from += CHUNK) {
        const give = (index: number, reply: ChoiceReply | Failure): void => {
          replies[from + index] = reply;
          onReply?.(from + index, reply);
        };
        const some = questions.slice(from, from + CHUNK);
        await cancellable(signal, () => chooseSome(some, give, signal));
        some.forEach((_, i) => { if (replies[from + i] === undefined) give(i, CANCELLED); });
      }
      return replies;
    },
    async write(questions, { onReply, signal }: AskHooks = {}) {
      const held = await generator.get();
      return Promise.all(questions.map(async (question, index) => {
        const reply = (await cancellable(signal, () => writeOne(held, question, signal))) ?? CANCELLED;
        onReply?.(index, reply);
        return reply;
      }));
    },
    rest: () => generator.rest(),
    async close() {
      await scorer.release();
      await generator.release();
      if (parameters !== undefined) await engine.free(parameters);
    },
  };
}

const CANCELLED: Failure = { failure: 'cancelled', detail: 'the run was stopped before this was answered' };

/** The body's result; undefined where the signal stopped it. */
async function cancellable<T>(signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T | undefined> {
  const stopped = (): boolean => signal?.aborted === true;
  if (stopped()) return undefined;
  try {
    return await body();
  } catch (error) {
    if (stopped()) return undefined;
    throw error;
  }
}

/** The tokens of a question, or a failure where the chat template refuses it. */
function tokens(make: () => number[]): number[] | Failure {
  try {
    const ids = make();
    return ids.length > 0 ? ids : { failure: 'refused', detail: 'the question has no tokens' };
  } catch (error) {
    return { failure: 'refused', detail: (error as Error).message };
  }
}

/** Names the stream of random numbers by the prompt itself, so that the other prompts of a batch do not matter. */
const numberOf = (ids: readonly number[]): number => createHash('sha256').update(ids.join()).digest().readUIntBE(0, 6);

interface Lazily<T> {
  get(): Promise<T>;
  rest(): Promise<void>;
  release(): Promise<void>;
}

function lazily<T extends { rest?(): Promise<void>; release(): Promise<void> }>(make: () => Promise<T>): Lazily<T> {
  let made: Promise<T> | undefined;
  return {
    get: () => (made ??= make()),
    rest: async () => (await made)?.rest?.(),
    release: async () => (await made)?.release(),
  };
}
