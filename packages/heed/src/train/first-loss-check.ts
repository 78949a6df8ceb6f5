import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../errors.js';
import type { BoundMethod, Reference } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { type Adapter, loadAdapter } from '../model/peft.js';

/** The state that a step starts from. */
export interface Beginning {
  readonly model: Pick<Model, 'checkpoint'>;
  readonly method: Pick<BoundMethod, 'references' | 'lossAtReference'>;
  readonly plan: AdapterPlan;
  /** Reads the policy's parameters before the step. Not called where nothing depends on them: they are large. */
  readonly parameters: () => Promise<Float32Array>;
  /** Whether the run has taken a step. After one, moving averages differ from the policy. Default: false. */
  readonly moved?: boolean;
}

/**
 * Whether the policy equals every reference, so that the loss of the next step is known. Moving averages equal it before the first step of
 * the run, `round` before the first step of a round, `base` while the adapter changes nothing, and a saved adapter where its numbers are
 * the same. With dropout the policy of a step equals no reference.
 *
 * @throws what `loadAdapter` throws for a reference
 */
export async function startsAtReferences({ model, method, plan, parameters, moved = false }: Beginning): Promise<boolean> {
  if (method.lossAtReference === undefined || plan.options.dropout > 0) return false;
  const equal = async (is: Reference): Promise<boolean> => {
    if (is === 'base') return isIdentity({ plan, parameters: await parameters() });
    if (is === 'policy' || is === 'round') return true;
    return 'ema' in is ? !moved : sameAdapter({ plan, parameters: await parameters() }, await loadAdapter(is.adapter, model.checkpoint));
  };
  for (const { is } of Object.values(method.references)) if (!(await equal(is))) return false;
  return true;
}

/** Whether an adapter changes nothing: every B is 0, as a fresh one's. */
export const isIdentity = ({ plan, parameters }: Adapter): boolean =>
  [...plan.modules.values()].every(({ b }) => parameters.subarray(b.offset, b.offset + b.shape[0] * b.shape[1]).every((x) => x === 0));

const sameAdapter = (a: Adapter, b: Adapter): boolean =>
  isDeepStrictEqual(a.plan.modules, b.plan.modules) && isDeepStrictEqual(a.parameters, b.parameters);

/**
 * Checks the loss of a policy that equals every reference.
 *
 * @throws UserError where the log-probabilities of a reference give another loss than theory says
 */
export function checkAtReference({ name, lossAtReference: expected }: Pick<BoundMethod, 'name' | 'lossAtReference'>, loss: number): void {
  if (expected === undefined || Math.abs(loss - expected) <= 1e-3 * Math.max(1, Math.abs(expected))) return;
  throw new UserError(
    `${name}: the policy still equals its reference, so the loss must be ${expected.toFixed(4)}, but it is ${loss.toFixed(4)}.`,
    ['Policy and reference score the rows differently. This is a fault of Heed or of the model file; please report it with the recipe.'],
  );
}
