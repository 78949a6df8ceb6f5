import type { Engine, View } from '@heed/tensor';
import { UserError } from '../errors.js';
import { architectureOf } from '../model/architecture.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import { openQuantized } from '../model/quantize.js';
import { createBatch } from './batch.js';
import { type SamplingOptions, checkOptions } from './options.js';
import type { Completion, GenerationHooks, GenerationRequest, GeneratorOptions } from './request.js';
import { startSequence } from './sequence.js';
import { createSessions } from './sessions.js';

/** Continues prompts. Calls made while others run join them in one batch, each with its own options. */
export interface Generator {
  /** Completions in the order of the requests, samples of a request together. */
  generate(requests: readonly GenerationRequest[], options: SamplingOptions, hooks?: GenerationHooks): Promise<Completion[]>;
  /** Merges adapter parameters (`plan.size` numbers) into the weights, as they are now; undefined takes the adapter off. Between the calls made before and those made after. */
  setAdapter(parameters: View | undefined): Promise<void>;
  release(): Promise<void>;
}

/**
 * A generator with continuous batching: a finished sequence leaves at once and the next takes its place, of this call or of
 * another. Programs are compiled when first needed, and the cache of keys and values grows with what is asked for.
 */
export async function createGenerator(engine: Engine, checkpoint: Checkpoint, options: GeneratorOptions): Promise<Generator> {
  const { batch: size = 16, prepack = isSmall(checkpoint), precision = 'f32', plan } = options;
  if (!Number.isInteger(size) || size < 1) throw new UserError(`batch is ${size}; expected a whole number, at least 1.`);
  const architecture = architectureOf(checkpoint);
  const quantized = precision === 'int8' ? await openQuantized(checkpoint) : undefined;
  const sessions = createSessions(engine, checkpoint, { batch: size, prepack, ...(plan === undefined ? {} : { plan }), ...(quantized === undefined ? {} : { quantized }) });
  const batch = createBatch(engine, sessions, architecture, { batch: size, decode: options.decode });
  /** What must be over before anything new begins, and what began since. */
  let barrier: Promise<unknown> = Promise.resolve();
  const open = new Set<Promise<unknown>>();

  async function generate(requests: readonly GenerationRequest[], sampling: SamplingOptions, hooks: GenerationHooks): Promise<Completion[]> {
    checkOptions(sampling);
    for (const request of requests) checkRequest(request, sampling.maxNewTokens, architecture, checkpoint.id);
    const sequences = requests.flatMap((request) =>
      Array.from({ length: request.samples ?? 1 }, (_, sample) => startSequence(request, sample, sampling, { ...options, vocabulary: architecture.vocabulary }, hooks)),
    );
    return sequences.length === 0 ? [] : batch.submit(sequences, hooks);
  }

  /** Runs between the calls made before and those made after. */
  const alone = (body: () => Promise<void>): Promise<void> => {
    const result = Promise.allSettled([barrier, ...open]).then(body);
    barrier = result.catch(() => undefined);
    return result;
  };

  return {
    generate(requests, sampling, hooks = {}) {
      const result = barrier.then(() => generate(requests, sampling, hooks));
      const done = result.then(() => undefined, () => undefined);
      open.add(done);
      void done.then(() => open.delete(done));
      return result;
    },
    setAdapter: (parameters) => alone(() => sessions.setAdapter(parameters)),
    release: () =>
      alone(async () => {
        await sessions.release();
        await batch.release();
      }),
  };
}

/** Whether a second copy of the weights costs little. By the model alone, not by the memory that is free: rounding differs with it, and a run must repeat itself. */
const isSmall = ({ tensors }: Checkpoint): boolean => [...tensors.values()].reduce((sum, { length }) => sum + length, 0) <= 2 ** 30;

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
