import type { Engine } from '@heed/tensor';
import type { AnyRow } from '../data/rows.js';
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
