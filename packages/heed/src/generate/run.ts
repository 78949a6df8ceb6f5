/** A model answers a list of prompts, and the answers come in the order of the prompts: what `heed generate` does. */
import type { DeviceName, Engine } from '@heed/tensor';
import { openDeviceEngine } from '../model/device.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import type { Precision } from '../run/precision.js';
import type { Hooks } from '../run/job.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import type { Generator } from './generator.js';
import { foreseeWriting } from './memory.js';
import { openGenerator } from './open.js';
import type { SamplingOptions } from './options.js';
import type { Completion } from './request.js';

export interface GenerationInput {
  readonly model: Model;
  readonly adapter?: Adapter | undefined;
  /** Token ids of each prompt. */
  readonly prompts: readonly (readonly number[])[];
  /** Answers to each prompt. */
  readonly samples: number;
  readonly sampling: SamplingOptions;
  readonly precision?: Precision | undefined;
  readonly device?: DeviceName | undefined;
  /** The generator that answers in place of the model's own, such as one under a controller. Default: the model's own. */
  under?(generator: Generator, engine: Engine): Promise<Generator>;
}

export interface GenerationHooks extends Hooks {
  /** Takes each answer, in the order of prompts and samples. */
  onCompletion(completion: Completion): void;
}

/** What a generation came to. */
export interface Generation {
  /** Answers that were handed on: all of them, unless it was stopped. */
  readonly completions: number;
  readonly tokens: number;
  readonly finish: Readonly<Record<Completion['finish'], number>>;
  readonly seconds: number;
  /** Without the time in which programs are compiled. */
  readonly tokensPerSecond: number;
  /** Whether `interrupt` stopped it. What was finished by then was handed on. */
  readonly stopped: boolean;
}

/** Completions that are worked on together. */
const BATCH = 32;

/** Starts an engine, has the model answer every prompt, and closes the engine. */
export async function runGeneration(
  { model, adapter, prompts, samples, sampling, precision, device, under }: GenerationInput,
  { progress = silentProgress, interrupt, say, onCompletion }: GenerationHooks,
): Promise<Generation> {
  let [completions, tokens, stopped] = [0, 0, false];
  const finish = { stop: 0, length: 0 };
  const handOn = (completion: Completion): void => {
    onCompletion(completion);
    completions++;
    tokens += completion.ids.length;
    finish[completion.finish]++;
  };
  // Short answers finish before long ones.
  const early = new Map<number, Completion>();
  const place = ({ row, sample }: Completion): number => row * samples + sample;

  const abort = new AbortController();
  const engine = await openDeviceEngine({ device, ...(say && { say }) });
  const started = performance.now();
  // Programs are compiled before the first tokens; the speed leaves that time out.
  let first: { readonly at: number; readonly tokens: number } | undefined;
  let tokensPerSecond = 0;
  try {
    const each = prompts.flatMap((prompt) => Array<number>(Math.min(samples, BATCH)).fill(prompt.length));
    const setup = { model, plan: adapter?.plan, precision, batch: BATCH, prompts: each, maxNewTokens: sampling.maxNewTokens };
    foreseeWriting(engine, [setup], { maxNewTokens: '--max-tokens ', precision: '--precision ' }, say);
    const own = await openGenerator(engine, model, { batch: BATCH, ...(precision && { precision }), ...(adapter && { adapter }) });
    const generator = await under?.(own, engine) ?? own;
    progress.start('answering', prompts.length * samples, { unit: 'answers' });
    await generator.generate(prompts.map((prompt, row) => ({ prompt, row, samples })), sampling, {
      signal: abort.signal,
      onCompletion(completion) {
        early.set(place(completion), completion);
        for (let next; (next = early.get(completions)) !== undefined; ) {
          early.delete(completions);
          handOn(next);
        }
      },
      onProgress({ tokens: drawn, finished }) {
        const now = performance.now();
        first ??= { at: now, tokens: drawn };
        tokensPerSecond = drawn > first.tokens ? (1000 * (drawn - first.tokens)) / (now - first.at) : 0;
        progress.update(finished, `${Math.round(tokensPerSecond)} tokens/s`);
        if (interrupt?.requested === true) abort.abort(new Interrupted());
      },
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    stopped = true;
    for (const completion of [...early.values()].sort((a, b) => place(a) - place(b))) handOn(completion);
  } finally {
    progress.stop();
    await engine.close();
  }
  return { completions, tokens, finish, seconds: (performance.now() - started) / 1000, tokensPerSecond, stopped };
}
