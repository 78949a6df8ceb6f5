import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../errors.js';
import type { BoundMethod, Reference } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { type Adapter, loadAdapter } from '../model/peft.js';

/** What training starts with. */
export interface Beginning {
  readonly model: Pick<Model, 'checkpoint'>;
  readonly method: Pick<BoundMethod, 'references' | 'lossAtReference'>;
  readonly plan: AdapterPlan;
  /** The policy's parameters before the step. */
  readonly parameters: Float32Array;
  /** Whether the run has taken a step: moving averages have then left the policy. Default: false. */
  readonly moved?: boolean;
}

/**
 * Whether the loss of a step is known: the policy equals every reference. Moving averages start as its copies, and `round` is its equal at a round's
 * first step; `base` is its equal while the adapter is the identity, and a saved adapter where the adapter has the same numbers. With dropout the
 * policy of a step equals none of them.
 *
 * @throws what `loadAdapter` throws for a reference
 */
export async function startsAtReferences({ model, method, plan, parameters, moved = false }: Beginning): Promise<boolean> {
  if (method.lossAtReference === undefined || plan.options.dropout > 0) return false;
  const equal = async (is: Reference): Promise<boolean> => {
    if (is === 'base') return isIdentity({ plan, parameters });
    if (is === 'policy' || is === 'round') return true;
    return 'ema' in is ? !moved : sameAdapter({ plan, parameters }, await loadAdapter(is.adapter, model.checkpoint));
  };
  for (const { is } of Object.values(method.references)) if (!(await equal(is))) return false;
  return true;
}

const isIdentity = ({ plan, parameters }: Adapter): boolean =>
  [...plan.modules.values()].every(({ b }) => parameters.subarray(b.offset, b.offset + b.shape[0] * b.shape[1]).every((x) => x === 0));

const sameAdapter = (a: Adapter, b: Adapter): boolean => a.plan.scale === b.plan.scale && isDeepStrictEqual(a.plan.modules, b.plan.modules) && isDeepStrictEqual(a.parameters, b.parameters);

/**
 * Checks the loss of a policy that equals every reference.
 *
 * @throws UserError where the log-probabilities of a reference give another loss than theory says
 */
export function checkAtReference({ name, lossAtReference: expected }: Pick<BoundMethod, 'name' | 'lossAtReference'>, loss: number): void {
  if (expected === undefined || Math.abs(loss - expected) <= 1e-3 * Math.max(1, Math.abs(expected))) return;
  throw new UserError(
    `${name}: the policy still equals its reference, so the loss must be ${expected.toFixed(4)}, but it is ${loss.toFixed(4)}.`,
    ['Policy and reference do not score the rows alike. This is a defect of Heed or of the model file; please report it with the recipe.'],
  );
}
