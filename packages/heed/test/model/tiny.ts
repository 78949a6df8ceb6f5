import path from 'node:path';
import { type Engine, type Feed, type Program, lower, startEngine } from '@heed/tensor';
import { afterAll, beforeAll } from 'vitest';
import type { Adapter } from '../../src/model/peft.js';
import { architectureOf } from '../../src/model/architecture.js';
import { type Checkpoint, openCheckpoint } from '../../src/model/checkpoint/open.js';
import { layOut } from '../../src/model/layout.js';
import { feedsOf, ropeFeed, scoringFeeds, traceLogProbs } from '../../src/model/scoring.js';
import { adaptedWeights, frozenWeights } from '../../src/model/weights.js';
import type { TokenSequence } from '../../src/text/token-sequence.js';

/** What tools/oracles/model_fixtures.py wrote. */
export const modelFixture = (name: string): string => path.join(import.meta.dirname, '../fixtures/model', name);
export const openTiny = (name: string): Promise<Checkpoint> => openCheckpoint(modelFixture(name));

export interface Scored extends TokenSequence {
  readonly logprobs: readonly number[];
}

/** An engine for the tests of a file. */
export function useEngine(): () => Engine {
  let engine: Engine;
  beforeAll(async () => { engine = await startEngine(); });
  afterAll(async () => { await engine.close(); });
  return () => engine;
}

/** The adapter's parameters as the inputs `a:` and `b:` of a program. */
export const parameterFeeds = ({ plan, parameters }: Adapter): Record<string, Feed> =>
  Object.fromEntries(
    [...plan.modules.values()].flatMap(({ name, a, b }) =>
      (
        [
          ['a', a],
          ['b', b],
        ] as const
      ).map(([letter, { offset, shape }]) => [
        `${letter}:${name}`,
        { data: parameters.slice(offset, offset + shape[0] * shape[1]), shape },
      ]),
    ),
  );

export interface Scorer {
  readonly program: Program;
  /** Log-probabilities of every response token, NaN where it is not supervised. */
  score(sequences: readonly TokenSequence[], share?: boolean): Promise<number[][]>;
  release(): Promise<void>;
}

/** A compiled scorer of a checkpoint, with an adapter or without. */
export async function scorer(engine: Engine, checkpoint: Checkpoint, adapter?: Adapter): Promise<Scorer> {
  const architecture = architectureOf(checkpoint);
  const weights = adapter ? adaptedWeights(checkpoint, adapter.plan, { dropout: false }) : frozenWeights(checkpoint);
  const program = lower({ logp: traceLogProbs(architecture, weights, 'none') }, { folder: checkpoint.folder });
  const session = await engine.compile(program);
  const rope = ropeFeed(architecture);
  const fixed = adapter ? parameterFeeds(adapter) : {};
  return {
    program,
    async score(sequences, share = true) {
      const layout = layOut(sequences, { share });
      const { logp } = await session.run(feedsOf(program, { ...scoringFeeds(layout, architecture, rope), ...fixed }));
      return layout.labelOf.map((at) => Array.from(at, (i) => (i < 0 ? NaN : logp!.data[i] as number)));
    },
    release: () => session.release(),
  };
}

/** The largest difference, to be compared with a tolerance; Infinity where shapes differ or something is not a number. */
export function distance(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  if (a.length !== b.length || a.some((row, i) => row.length !== b[i]!.length)) return Infinity;
  const worst = Math.max(...a.flatMap((row, i) => row.map((x, j) => Math.abs(x - b[i]![j]!))));
  return Number.isNaN(worst) ? Infinity : worst;
}
