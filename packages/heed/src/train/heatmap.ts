import type { AnyRow, Message } from '../data/rows.js';
import type { LogRow } from '../run/metrics.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { Heatmap } from './stepper.js';

/** What the report's heat map shows, as lines of `samples.jsonl`: the rows of a step that carry a judgment. */
export function heatmapSamples(heatmaps: readonly Heatmap[], rows: readonly AnyRow[], tokenizer: Tokenizer, step: number): LogRow[] {
  return heatmaps.flatMap(({ of, batch, slots, logRatio, flagged }) =>
    batch.items.flatMap((item, i): LogRow[] => {
      const row = rows[item.index]!;
      const sequence = item.sequences[of]?.[0];
      if (sequence === undefined || !('judgment' in row) || row.judgment === null) return [];
      const ids = sequence.response.filter((_, t) => sequence.supervised?.[t] !== false);
      const part = (values: Float32Array): number[] => [...values.subarray(i * slots, i * slots + ids.length)];
      return [{
        kind: 'heatmap', step, id: row.id ?? item.index, prompt: lastTurn(row.prompt), judgment: row.judgment,
        tokens: ids.map((token) => tokenizer.tokenText(token)),
        logRatio: part(logRatio).map((x) => Number(x.toFixed(4))),
        flagged: part(flagged).map((x) => x > 0.5),
      }];
    }),
  );
}

const lastTurn = (prompt: readonly Message[]): string => prompt.at(-1)!.content;
