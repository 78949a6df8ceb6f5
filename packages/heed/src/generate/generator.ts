import type { Engine } from '@heed/tensor';
import { UserError } from '../errors.js';
import { architectureOf } from '../model/architecture.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import type { Architecture } from '../model/decoder.js';
import { inPrecision } from '../model/quantize.js';
import { createBatch } from './batch.js';
import { checkOptions } from './options.js';
import type { GenerationRequest, Generator, GeneratorOptions } from './request.js';
import { startSequence } from './sequence.js';
import { createSessions } from './sessions.js';
import { shareGenerators } from './shared-generator.js';
import { createTurns } from './turns.js';

export type { Generator } from './request.js';

/**
 * Opens a generator with continuous batching: the slot of a finished sequence goes at once to the next sequence, of this call or of
 * another. Programs are compiled when first needed, and the cache of keys and values grows with the requests. On an engine with a team
 * every machine answers a part of the requests.
 */
export async function createGenerator(engine: Engine, given: Checkpoint, options: GeneratorOptions): Promise<Generator> {
  const { batch: size = 16, prepack = isSmall(given), precision = 'f32', plan } = options;
  if (!Number.isInteger(size) || size < 1) throw new UserError(`batch is ${size}; expected a whole number, at least 1.`);
  const { team } = engine;
  if (team !== undefined) return shareGenerators(engine, team, (member) => createGenerator(member, given, options));
  const checkpoint = await inPrecision(given, precision);
  const architecture = architectureOf(checkpoint);
  const sessions = createSessions(engine, checkpoint, { batch: size, prepack, plan });
  const batch = createBatch(engine, sessions, architecture, size);
  const starting = { ...options, vocabulary: architecture.vocabulary };
  const turns = createTurns();

  const generate: Generator['generate'] = async (requests, sampling, hooks = {}) => {
    checkOptions(sampling, architecture.vocabulary);
    for (const request of requests) checkRequest(request, sampling.maxNewTokens, architecture, checkpoint.id);
    const sequences = requests.flatMap((request) =>
      Array.from({ length: request.samples ?? 1 }, (_, sample) => startSequence(request, sample, sampling, starting, hooks)));
    return sequences.length === 0 ? [] : batch.submit(sequences, hooks);
  };

  return {
    generate: (...call) => turns.together(() => generate(...call)),
    setAdapter: (parameters) => turns.alone(() => sessions.setAdapter(parameters)),
    rest: () => turns.alone(() => batch.release()),
    release: () =>
      turns.alone(async () => {
        await sessions.release();
        await batch.release();
      }),
  };
}

/**
 * Whether a second copy of the weights costs little memory. The model alone decides, not the memory that is free: packed weights round
 * differently, and a run must repeat itself.
 */
export const isSmall = ({ tensors }: Checkpoint): boolean => [...tensors.values()].reduce((sum, { length }) => sum + length, 0) <= 2 ** 30;

function checkRequest(
  { prompt, row, samples = 1 }: GenerationRequest, maxNewTokens: number, { context, vocabulary }: Architecture, model: string,
): void {
  if (prompt.length === 0) throw new UserError(`Row ${row}: the prompt has no tokens.`);
  const bad = prompt.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary));
  if (bad !== undefined) throw new UserError(`Row ${row}: the prompt holds token ${bad}; ${model} has tokens 0 to ${vocabulary - 1}.`);
  if (!Number.isInteger(samples) || samples < 1) {
    throw new UserError(`Row ${row}: samples is ${samples}; expected a whole number, at least 1.`);
  }
  const length = prompt.length + maxNewTokens;
  if (length > context) {
    throw new UserError(
      `Row ${row}: the prompt of ${prompt.length} tokens and maxNewTokens = ${maxNewTokens} make ${length}; ` +
        `the context of ${model} is ${context}.`,
      [prompt.length < context ? `Set maxNewTokens to ${context - prompt.length} or less.` : 'Shorten the prompt.'],
    );
  }
}
