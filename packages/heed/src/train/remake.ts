import type { Engine } from '@heed/tensor';
import type { AnyRow } from '../data/rows.js';
import { UserError } from '../errors.js';
import type { BoundMethod, Respond } from '../method/method.js';
import { type Limits, prepare } from './items.js';
import type { RowMaker } from './row-maker.js';
import type { Refresh } from './trainer.js';

/** Lets a maker write the rows of the coming steps anew, from the step `every` on; until then they are what was made before training. */
export function refreshBy(maker: RowMaker, engine: Engine, rows: readonly AnyRow[], method: BoundMethod, text: Respond, limits: Limits, say: (line: string) => void): Refresh {
  return {
    every: maker.every,
    async items(done, items, parameters) {
      if (done === 0) return items;
      const made = await maker.make(`step-${done}`, items.map((item) => rows[item.index]!), (await engine.read(parameters)) as Float32Array);
      let kept = 0;
      const remade = items.map((item, i) => {
        // What cannot be learnt from (too few that are usable, too long) leaves the row as it was before training.
        const { items: [fresh] } = prepare([made[i]!], method, text, { ...limits, onLong: limits.onLong === 'error' ? 'skip' : limits.onLong, junk: 'skip' });
        if (fresh === undefined) kept++;
        return fresh === undefined ? item : { ...fresh, index: item.index };
      });
      if (kept > 0) say(`step ${done}: ${kept} of ${items.length} rows stay as they were, since too little of what was made anew can be learnt from.`);
      return remade;
    },
  };
}

/**
 * Refuses to have texts made that the method does not learn from, such as positives at `retain: 0`.
 *
 * @throws UserError where no row's sequences depend on what is made for it.
 */
export function requireRead(maker: RowMaker, rows: readonly AnyRow[], method: BoundMethod, text: Respond): void {
  const sequences = (row: AnyRow, index: number, made: string): string => JSON.stringify(method.sequences(maker.pretend(row, made), text, { rows, index }));
  if (rows.length === 0 || rows.some((row, index) => sequences(row, index, 'Yes.') !== sequences(row, index, 'No, never.'))) return;
  throw new UserError(`rows: ${method.name}, as it is set, does not learn from what the model would write.`, ['Leave `rows` out, or set the option of the method that learns from it; a weight of 0, such as `method.retain`, reads nothing.']);
}
