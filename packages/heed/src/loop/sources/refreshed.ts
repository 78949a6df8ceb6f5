import type { AnyRow } from '../../data/rows.js';
import type { BoundMethod, Respond } from '../../method/method.js';
import type { TrainOptions } from '../../run/recipe-schemas.js';
import { type Item, tokensOf } from '../../train/item.js';
import { lengthOfRun, stepOrder } from '../../train/order.js';
import { type Limits, prepare } from '../items.js';
import type { RowMaker } from '../row-maker.js';
import type { Source } from '../source.js';

/** Rows of a file, and the maker with which the policy writes a part of them. */
export interface RefreshedSetup {
  readonly maker: RowMaker;
  readonly rows: readonly AnyRow[];
  /** The rows in tokens, with the texts that were written before training. */
  readonly items: readonly Item[];
  readonly method: BoundMethod;
  readonly text: Respond;
  readonly limits: Limits;
  readonly options: TrainOptions;
  /** Which items each step takes. Default: shuffled epochs. */
  readonly order?: readonly (readonly number[])[] | undefined;
  say(line: string): void;
}

/**
 * A source whose rounds are `every` optimizer steps long. As each round begins, the policy writes its part of that round's rows anew. The
 * first round takes the texts that were written before training. Order and schedule are those of one training over all rows.
 */
export function refreshedSource({ maker, rows, items, method, text, limits, options, order: given, say }: RefreshedSetup): Source {
  const order = given ?? stepOrder({
    rows: items.length,
    batch: options.batch,
    ...lengthOfRun(items.length, options),
    seed: options.seed,
    cost: (row) => tokensOf(items[row]!),
  });
  const rounds = Math.ceil(order.length / maker.every);

  return {
    rounds,
    async lesson({ k, policy }) {
      const before = (k - 1) * maker.every;
      const steps = order.slice(before, before + maker.every);
      const used = [...new Set(steps.flat())].sort((a, b) => a - b);
      const old = used.map((i) => items[i]!);
      const fresh = k === 1 ? old : remade(old, await maker.make(`step-${before}`, old.map((item) => rows[item.index]!), policy), before);
      const places = new Map(used.map((i, at) => [i, at]));
      return {
        items: fresh, rows, seed: options.seed,
        order: steps.map((step) => step.map((i) => places.get(i)!)),
        schedule: { before, total: order.length },
      };
    },
  };

  /** The rows as items. A row that is now too long, or has too few usable texts, stays as it was before training. */
  function remade(old: readonly Item[], made: readonly AnyRow[], step: number): Item[] {
    const lenient = { ...limits, onLong: limits.onLong === 'error' ? 'skip' as const : limits.onLong, junk: 'skip' as const };
    let kept = 0;
    const items = old.map((item, i) => {
      const { items: [fresh] } = prepare([made[i]!], method, text, lenient);
      if (fresh === undefined) kept++;
      return fresh === undefined ? item : { ...fresh, index: item.index };
    });
    if (kept > 0) say(`step ${step}: ${kept} of ${old.length} rows stay as they were: too few of their new texts can be learnt from.`);
    return items;
  }
}
