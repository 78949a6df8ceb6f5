import { type AdapterPlan, linearModules, planAdapter, isTarget, layerOf, requireNoHead, targetsFor } from './adapter.js';
import { UserError } from '../errors.js';
import type { Checkpoint } from './checkpoint/open.js';
import type { Adapter } from './peft.js';

/** An adapter, or some modules of one, with its weight in a sum. */
export interface Part {
  /** Names the part in messages. */
  readonly name: string;
  readonly adapter: Adapter;
  /** Any finite number: a negative one takes the adapter's change back. */
  readonly weight: number;
  /** The layers whose modules count, from 0. Default: all. */
  readonly layers?: readonly number[];
  /** The modules that count, as PEFT names targets. Default: all. */
  readonly targets?: readonly string[];
}

/** A sum of adapters, as one adapter. */
export interface Composed extends Adapter {
  /** The parameters of the sum without one of its parts, for the same plan. */
  without(part: number): Float32Array;
}

/** Modules of a part that count in the sum, by name. */
function modulesOf({ adapter, layers, targets }: Part): string[] {
  return [...adapter.plan.modules.keys()].filter((name) =>
    layers?.includes(layerOf(name)) !== false && (targets === undefined || targets.some((target) => isTarget(name, target))));
}

/**
 * The weighted sum of adapters: its update of a module is Σ w · scale · B A over the parts that adapt the module. The ranks are put side by
 * side, so that the sum is exact (PEFT's `add_weighted_adapter` with combination_type `cat`): A of the sum has the rows of all A, B the
 * columns of all w · scale · B, and its own scale is 1. The rank is the largest sum of ranks at one module; a module with less is filled
 * with zeros. Value heads are left out; the caller says so.
 *
 * @throws UserError where there is no part, a part scores texts, adapts no module that counts, or has a weight that is not finite
 */
export function composeAdapters({ tensors }: Pick<Checkpoint, 'tensors'>, parts: readonly Part[]): Composed {
  if (parts.length === 0) throw new UserError('There is no adapter to compose.');
  for (const { name, weight, adapter } of parts) {
    if (!Number.isFinite(weight)) throw new UserError(`The weight of ${name} is ${weight}; expected a finite number.`);
    requireNoHead(adapter.plan);
  }
  const own = parts.map((part) => new Set(modulesOf(part)));
  const none = own.findIndex(({ size }) => size === 0);
  if (none >= 0) {
    const has = [...parts[none]!.adapter.plan.modules.keys()];
    throw new UserError(`${parts[none]!.name} has no module among those that are asked for; it adapts ${has.slice(0, 4).join(', ')} …`, [
      'Change its layers or its targets, or leave the part out.',
    ]);
  }
  const names = new Set(own.flatMap((modules) => [...modules]));
  const rankOf = (i: number, name: string): number => (own[i]!.has(name) ? parts[i]!.adapter.plan.modules.get(name)!.rank : 0);
  const rank = Math.max(...[...names].map((name) => parts.reduce((sum, _, i) => sum + rankOf(i, name), 0)));
  const plan = planAdapter(tensors.values(), {
    rank, alpha: rank, ...targetsFor(names, linearModules(tensors.values())), dropout: 0, rslora: false,
  });
  const sum = (left?: number): Float32Array => {
    const parameters = new Float32Array(plan.size);
    for (const name of plan.modules.keys()) {
      let at = 0;
      parts.forEach((part, i) => {
        if (!own[i]!.has(name)) return;
        if (i !== left) place(plan, parameters, name, part, at);
        at += rankOf(i, name);
      });
    }
    return parameters;
  };
  return { plan, parameters: sum(), without: (part) => sum(part) };
}

/** Writes one part's factors of a module into the ranks from `at` on. */
function place({ modules, options: { rank } }: AdapterPlan, into: Float32Array, name: string, { adapter, weight }: Part, at: number): void {
  const { plan: { modules: theirs }, parameters } = adapter;
  const [to, from] = [modules.get(name)!, theirs.get(name)!], { rank: r, scale } = from;
  into.set(parameters.subarray(from.a.offset, from.a.offset + r * from.inputs), to.a.offset + at * to.inputs);
  for (let row = 0; row < from.outputs; row++) {
    for (let k = 0; k < r; k++) into[to.b.offset + row * rank + at + k] = weight * scale * parameters[from.b.offset + row * r + k]!;
  }
}
