import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AnyRow } from '../../src/data/rows.js';
import type { MethodOptions } from '../../src/method/index.js';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { saveAdapter } from '../../src/model/peft.js';
import { readLog } from '../../src/run/metrics.js';
import { heed } from '../cli/support.js';
import type { Bench, Pass } from './support.js';

/** A run of `heed train`: two steps of all rows, from the adapter of a bench. */
export interface Commanded {
  readonly dir: string;
  /** Its first step, which the bench's passes take too. */
  readonly first: Omit<Pass, 'result'>;
  readonly gradientNorm: number;
}

const BETA = 0.9;

/** Runs a method through the command line in this process, on rows that go through a file, with an adapter that goes through one. */
export async function commanded(
  folder: string,
  { model, plan, parameters }: Bench,
  method: MethodOptions,
  rows: readonly AnyRow[],
): Promise<Commanded> {
  const [dir, from, data] = [join(folder, 'whole'), join(folder, 'from'), join(folder, 'rows.jsonl')];
  mkdirSync(folder);
  await saveAdapter(from, { plan, parameters, checkpoint: model.checkpoint });
  writeFileSync(data, rows.map((row) => `${JSON.stringify({ ...row, source: undefined })}\n`).join(''));
  writeFileSync(
    join(folder, 'recipe.yaml'),
    JSON.stringify({
      model: model.checkpoint.folder,
      data,
      method,
      adapter: { from },
      train: {
        steps: 2,
        batch: rows.length,
        microBatch: 5,
        learningRate: 1e-2,
        schedule: 'constant',
        betas: [BETA, 0.999],
        clip: 0,
        checkpointEvery: 1,
      },
      run: { dir },
    }),
  );
  const ran = await heed(['train', join(folder, 'recipe.yaml')]);
  expect(ran.code, ran.err).toBe(0);
  const { step, loss, lr, tokens, grad_norm, seconds, ...metrics } = (await readLog(join(dir, 'metrics.jsonl')))[0] as Record<
    string,
    number
  >;
  expect([step, lr, tokens! > 0, seconds! > 0]).toEqual([1, 1e-2, true, true]);
  // AdamW's first moment after one step.
  const m = readSafetensors(join(dir, 'checkpoints', 'step-000001', 'state.safetensors')).tensors.get('m')!.data;
  return { dir, first: { loss: loss!, metrics, gradients: m.map((x) => x / (1 - BETA)) }, gradientNorm: grad_norm! };
}

/** The same run as a kill leaves it that comes between the second line of the log and the checkpoint of it, gone on with by `--resume`. */
export async function resumed(folder: string, { dir }: Commanded): Promise<string> {
  const copy = join(folder, 'resumed');
  cpSync(dir, copy, { recursive: true });
  for (const name of ['adapter', 'summary.json', 'report.html', 'checkpoints/step-000002']) rmSync(join(copy, name), { recursive: true });
  const ran = await heed(['train', join(folder, 'recipe.yaml'), `run.dir=${copy}`, '--resume']);
  expect(ran.code, ran.err).toBe(0);
  expect((JSON.parse(readFileSync(join(copy, 'summary.json'), 'utf8')) as { resumedFrom?: number }).resumedFrom).toBe(1);
  return copy;
}
