import { type Engine, type View, view } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';

/** The trainable state. Each part is one flat array in the engine, as long as the adapter has parameters. */
export interface State {
  readonly parameters: View;
  readonly gradients: View;
  /** AdamW's first moment. */
  readonly m: View;
  /** AdamW's second moment. */
  readonly v: View;
  /** Parameters of references that follow the policy: moving averages, and the policy as a round began. By the reference's name. */
  readonly copies: Readonly<Record<string, View>>;
}

/** A state as numbers on the host: what a checkpoint holds. */
export interface HostState {
  readonly parameters: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly copies: Readonly<Record<string, Float32Array>>;
}

/** Names of the references whose parameters are part of the trained state: moving averages, and the policy as a round began. */
export const copiesOf = ({ references }: Pick<BoundMethod, 'references'>): string[] =>
  Object.entries(references).flatMap(([name, { is }]) => (is === 'round' || (typeof is === 'object' && 'ema' in is) ? [name] : []));

/** Allocates a state around initial parameters: moments are zero, the named copies equal the parameters. */
export async function allocateState(engine: Engine, parameters: Float32Array, copies: readonly string[] = []): Promise<State> {
  const zeros = async (): Promise<View> => view(await engine.allocate('float32', parameters.length));
  const placed: Record<string, View> = {};
  for (const name of copies) placed[name] = view(await engine.upload(parameters));
  return {
    parameters: view(await engine.upload(parameters)),
    gradients: await zeros(),
    m: await zeros(),
    v: await zeros(),
    copies: placed,
  };
}

/** Reads a state out of the engine, without the gradients: every step makes those anew. */
export async function readState(engine: Engine, { parameters, m, v, copies }: State): Promise<HostState> {
  const get = async (from: View): Promise<Float32Array> => (await engine.read(from)) as Float32Array;
  const read: Record<string, Float32Array> = {};
  for (const [name, from] of Object.entries(copies)) read[name] = await get(from);
  return { parameters: await get(parameters), m: await get(m), v: await get(v), copies: read };
}

/** Overwrites the arrays of a state in the engine. */
export async function writeState(engine: Engine, state: State, from: HostState): Promise<void> {
  for (const name of ['parameters', 'm', 'v'] as const) await engine.write(state[name], from[name]);
  for (const [name, view] of Object.entries(state.copies)) await engine.write(view, from.copies[name]!);
}

/** Gives the arrays of a state back to the engine. */
export async function freeState(engine: Engine, { copies, ...arrays }: State): Promise<void> {
  for (const { buffer } of [...Object.values<View>(arrays), ...Object.values(copies)]) await engine.free(buffer);
}
