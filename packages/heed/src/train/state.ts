import { type Engine, type View, view } from '@heed/tensor';

/** The trainable state: all parameters, their gradients, AdamW's moments and the moving averages of references, each one flat array in the engine. */
export interface State {
  readonly parameters: View;
  readonly gradients: View;
  readonly m: View;
  readonly v: View;
  readonly averages: Readonly<Record<string, View>>;
}

/** Allocates a state around initial parameters: moments zero, averages copies. */
export async function allocateState(engine: Engine, parameters: Float32Array, averages: readonly string[] = []): Promise<State> {
  const [p, g, m, v] = [await engine.upload(parameters), ...(await Promise.all([1, 2, 3].map(() => engine.allocate('float32', parameters.length))))] as const;
  const copies: Record<string, View> = {};
  for (const name of averages) copies[name] = view(await engine.upload(parameters));
  return { parameters: view(p), gradients: view(g!), m: view(m!), v: view(v!), averages: copies };
}

/** Gives the arrays of a state back to the engine. */
export async function freeState(engine: Engine, { averages, ...arrays }: State): Promise<void> {
  for (const { buffer } of [...Object.values<View>(arrays), ...Object.values(averages)]) await engine.free(buffer);
}
