import { type Engine, type View, view } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import { piecesOf } from './pieces.js';

/** The parts of a trained state that outlast a step. Each is one flat array, as long as the adapter has parameters. */
export interface Arrays<T> {
  readonly parameters: T;
  /** AdamW's first moment. */
  readonly m: T;
  /** AdamW's second moment. */
  readonly v: T;
  /** Parameters of references that follow the policy: moving averages, and the policy as a round began. By the reference's name. */
  readonly copies: Readonly<Record<string, T>>;
}

/** The trainable state, in the engine. */
export interface State extends Arrays<View> {
  readonly gradients: View;
}

/** A state as numbers on the host: what a checkpoint holds. */
export type HostState = Arrays<Float32Array>;

/** An array of the engine that is read piece by piece, when it is asked for. */
export interface ReadableArray {
  readonly length: number;
  pieces(): AsyncIterable<Float32Array>;
}

/** Names of the references whose parameters are part of the trained state: moving averages, and the policy as a round began. */
export const copiesOf = ({ references }: Pick<BoundMethod, 'references'>): string[] =>
  Object.entries(references).flatMap(([name, { is }]) => (is === 'round' || (typeof is === 'object' && 'ema' in is) ? [name] : []));

/** Allocates a state around initial parameters: moments are zero, the named copies equal the parameters. */
export async function allocateState(engine: Engine, parameters: Float32Array, copies: readonly string[] = []): Promise<State> {
  const zeros = async (): Promise<View> => view(await engine.allocate('float32', parameters.length));
  const filled = async (): Promise<View> => {
    const place = await zeros();
    await write(engine, place, parameters);
    return place;
  };
  const placed: Record<string, View> = {};
  for (const name of copies) placed[name] = await filled();
  return { parameters: await filled(), gradients: await zeros(), m: await zeros(), v: await zeros(), copies: placed };
}

/** Reads a state out of the engine, without the gradients: every step makes those anew. */
export async function readState(engine: Engine, { parameters, m, v, copies }: State): Promise<HostState> {
  const get = async (from: View): Promise<Float32Array> => (await engine.read(from)) as Float32Array;
  const read: Record<string, Float32Array> = {};
  for (const [name, from] of Object.entries(copies)) read[name] = await get(from);
  return { parameters: await get(parameters), m: await get(m), v: await get(v), copies: read };
}

/** A state that is read while it is written to a file, so that no copy of it is in memory. It is that of the time of reading. */
export function readableState(engine: Engine, { parameters, m, v, copies }: State): Arrays<ReadableArray> {
  const readable = (from: View): ReadableArray => ({
    length: from.shape[0]!,
    async *pieces() {
      for (const piece of piecesOf(from)) yield (await engine.read(piece)) as Float32Array;
    },
  });
  return {
    parameters: readable(parameters), m: readable(m), v: readable(v),
    copies: Object.fromEntries(Object.entries(copies).map(([name, from]) => [name, readable(from)])),
  };
}

/** Overwrites the arrays of a state in the engine. */
export async function writeState(engine: Engine, state: State, from: HostState): Promise<void> {
  for (const name of ['parameters', 'm', 'v'] as const) await write(engine, state[name], from[name]);
  for (const [name, to] of Object.entries(state.copies)) await write(engine, to, from.copies[name]!);
}

/** Gives the arrays of a state back to the engine. */
export async function freeState(engine: Engine, { copies, ...arrays }: State): Promise<void> {
  for (const { buffer } of [...Object.values<View>(arrays), ...Object.values(copies)]) await engine.free(buffer);
}

/** Writes piece by piece: the engine takes a copy of what it is given. */
async function write(engine: Engine, to: View, data: Float32Array): Promise<void> {
  let at = 0;
  for (const piece of piecesOf(to)) {
    const end = at + piece.shape[0]!;
    await engine.write(piece, data.subarray(at, end));
    at = end;
  }
}
