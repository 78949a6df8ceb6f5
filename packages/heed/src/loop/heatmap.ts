import type { Message } from '../data/rows.js';
import type { LogRow } from '../run/metrics.js';
import type { RunFolder } from '../run/folder.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { Step } from '../train/trainer.js';
import type { Lesson } from './source.js';

/** Writes the report's heat maps to the run's samples: at the first step of the run, and at the last step of each round. */
export function logHeatmaps(run: Pick<RunFolder, 'samples'>, step: Step, lesson: Lesson, tokenizer: Tokenizer): void {
  if (step.step > 1 && step.ofRound < step.roundSteps) return;
  for (const row of heatmapSamples(step, lesson, tokenizer)) run.samples.append(row);
}

/** The heat maps of a step's rows that carry a judgment, as lines of `samples.jsonl`. */
function heatmapSamples({ heatmaps, step }: Step, { rows }: Lesson, tokenizer: Tokenizer): LogRow[] {
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
