import type { Engine, View } from '@heed/tensor';
import { UserError } from '../errors.js';
import { architectureOf } from '../model/architecture.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import { type KeyValueCache, allocateCache } from './cache.js';
import { type SamplingOptions, checkOptions, choiceOf } from './options.js';
import { nextTokens } from './next.js';
import { prefillGroups } from './prefill.js';
import type { Completion, GenerationHooks, GenerationRequest, GeneratorOptions } from './request.js';
import { createSessions } from './sessions.js';
import { type Sequence, completionOf, startSequence } from './sequence.js';

/** Continues prompts. Calls are done one after the other. */
export interface Generator {
  /** Completions in the order of the requests, samples of a request together. */
  generate(requests: readonly GenerationRequest[], options: SamplingOptions, hooks?: GenerationHooks): Promise<Completion[]>;
  /** Merges adapter parameters (`plan.size` numbers) into the weights, as they are now; undefined takes the adapter off. */
  setAdapter(parameters: View | undefined): Promise<void>;
  release(): Promise<void>;
}

/**
 * A generator with continuous batching (Yu et al. 2022): a finished sequence leaves at once and the next takes its place.
 * Programs are compiled when first needed, and the cache of keys and values grows to the longest prompt + maxNewTokens seen.
 */
export async function createGenerator(engine: Engine, checkpoint: Checkpoint, options: GeneratorOptions): Promise<Generator> {
  const { batch = 16, prepack = false, plan } = options;
  if (!Number.isInteger(batch) || batch < 1) throw new UserError(`batch is ${batch}; expected a whole number, at least 1.`);
  const architecture = architectureOf(checkpoint);
  const sessions = createSessions(engine, checkpoint, { batch, prepack, ...(plan === undefined ? {} : { plan }) });
  let cache: KeyValueCache | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** Runs after everything asked before, so that two calls never share the cache. */
  const inTurn = <T>(body: () => Promise<T>): Promise<T> => {
    const result = last.then(body, body);
    last = result.catch(() => undefined);
    return result;
  };

  async function cacheFor(length: number, slots: number): Promise<KeyValueCache> {
    if (cache !== undefined && cache.length >= length && cache.slots >= slots) return cache;
    await cache?.release();
    cache = undefined;
    cache = await allocateCache(engine, architecture, slots, Math.min(architecture.context, 64 * Math.ceil(length / 64)));
    return cache;
  }

  /** Puts waiting sequences into the free slots behind the live ones and fills their caches. */
  async function admit(held: KeyValueCache, live: Sequence[], waiting: Sequence[]): Promise<void> {
    const fresh = waiting.splice(0, held.slots - live.length);
    const sources = new Map(live.map((s, slot) => [s.promptKey, slot]));
    const leaders = [...new Map(fresh.filter((s) => !sources.has(s.promptKey)).map((s) => [s.promptKey, s])).values()];
    // The prompt's last token is the first step's input, so that samples share all of the prefill.
    for (const group of prefillGroups(leaders, (s) => s.prompt.length - 1)) {
      const first = live.length;
      live.push(...group);
      group.forEach((s, i) => sources.set(s.promptKey, first + i));
      if (group[0]!.prompt.length > 1) await sessions.prefill(held, first, group.map((s) => ({ ids: s.prompt.slice(0, -1), reach: s.reach })));
    }
    const led = new Set(leaders);
    const copies = new Map<number, number[]>();
    for (const s of fresh) {
      if (led.has(s)) continue;
      const source = sources.get(s.promptKey)!;
      copies.set(source, [...(copies.get(source) ?? []), live.push(s) - 1]);
    }
    for (const [source, targets] of copies) await held.copy(source, targets, live[source]!.prompt.length - 1);
  }

  async function generate(requests: readonly GenerationRequest[], sampling: SamplingOptions, hooks: GenerationHooks): Promise<Completion[]> {
    checkOptions(sampling);
    for (const request of requests) checkRequest(request, sampling.maxNewTokens, architecture, checkpoint.id);
    const choice = choiceOf(sampling, architecture.vocabulary);
    const all = requests.flatMap((request) =>
      Array.from({ length: request.samples ?? 1 }, (_, sample) => startSequence(request, sample, sampling, options, hooks)),
    );
    if (all.length === 0) return [];
    const longest = Math.max(...requests.map(({ prompt }) => prompt.length)) + sampling.maxNewTokens;
    const held = await cacheFor(longest, Math.min(batch, Math.max(all.length, cache?.slots ?? 0)));
    const waiting = [...all];
    const live: Sequence[] = [];
    let [tokens, finished] = [0, 0];
    while (live.length > 0 || waiting.length > 0) {
      hooks.signal?.throwIfAborted();
      if (waiting.length > 0 && live.length < held.slots) await admit(held, live, waiting);
      const chosen = await nextTokens(sessions, held, choice, live, sampling);
      tokens += live.length;
      chosen.forEach(({ id, logprob }, slot) => live[slot]!.push(id, logprob));
      for (let slot = live.length - 1; slot >= 0; slot--) {
        if (live[slot]!.finish === undefined) continue;
        finished++;
        hooks.onCompletion?.(completionOf(live[slot]!, options.decode));
        const end = live.pop()!;
        if (slot === live.length) continue;
        live[slot] = end;
        await held.copy(live.length, [slot], end.position);
      }
      hooks.onProgress?.({ tokens, finished, total: all.length });
    }
    return all.map((s) => completionOf(s, options.decode));
  }

  return {
    generate: (requests, sampling, hooks = {}) => inTurn(() => generate(requests, sampling, hooks)),
    setAdapter: (parameters) => inTurn(() => sessions.setAdapter(parameters)),
    release: () =>
      inTurn(async () => {
        await sessions.release();
        await cache?.release();
        cache = undefined;
      }),
  };
}

function checkRequest({ prompt, row, samples = 1 }: GenerationRequest, maxNewTokens: number, { context, vocabulary }: { context: number; vocabulary: number }, model: string): void {
  if (prompt.length === 0) throw new UserError(`Row ${row}: the prompt has no tokens.`);
  const bad = prompt.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary));
  if (bad !== undefined) throw new UserError(`Row ${row}: the prompt holds token ${bad}; ${model} has tokens 0 to ${vocabulary - 1}.`);
  if (!Number.isInteger(samples) || samples < 1) throw new UserError(`Row ${row}: samples is ${samples}; expected a whole number, at least 1.`);
  if (prompt.length + maxNewTokens > context) {
    throw new UserError(
      `Row ${row}: the prompt of ${prompt.length} tokens and maxNewTokens = ${maxNewTokens} make ${prompt.length + maxNewTokens}; the context of ${model} is ${context}.`,
      [prompt.length < context ? `Set maxNewTokens to ${context - prompt.length} or less.` : 'Shorten the prompt.'],
    );
  }
}
