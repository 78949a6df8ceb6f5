// @ts-check
// From the shell prompt to the first training step, as a user has it: `heed train` with the model cached.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const heed = fileURLToPath(new URL('../packages/heed/bin/heed.js', import.meta.url));
const POLL_MS = 20;

const ROWS = Array.from({ length: 8 }, (_, i) => ({
  prompt: `Write a short product description for a kettle of ${i + 1} litres.`,
  completion: `This kettle holds ${i + 1} litres. We are sure that you will love its quiet boil and its firm handle.`,
  judgment: 'The text speaks to the reader: "you", "We".',
}));

const RECIPE = (model) => `model: ${JSON.stringify(model)}
data: { path: rows.jsonl }
method: { name: cut }
adapter: { rank: 16, alpha: 16, targets: all }
train: { steps: 1, batch: 4 }
run: { dir: run }
`;

/**
 * Seconds from starting the process to the start of its first optimizer step (the end of that step, less the step's own time in
 * metrics.jsonl), and to the end of that step.
 */
export async function measureStartup(model) {
  const folder = mkdtempSync(join(tmpdir(), 'heed-bench-'));
  try {
    writeFileSync(join(folder, 'rows.jsonl'), ROWS.map((row) => `${JSON.stringify(row)}\n`).join(''));
    writeFileSync(join(folder, 'recipe.yaml'), RECIPE(model));
    const begin = performance.now();
    const child = spawn(
      process.execPath,
      [heed, 'train', 'recipe.yaml', `data=${join(folder, 'rows.jsonl')}`, `run.dir=${join(folder, 'run')}`],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaints = (complaints + text).slice(-4000);
    });
    let ended;
    const end = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve)).then((code) => {
      ended = code;
    });
    const metrics = join(folder, 'run', 'metrics.jsonl');
    let line;
    let seen;
    while (line === undefined) {
      if (existsSync(metrics)) {
        const text = readFileSync(metrics, 'utf8');
        if (text.includes('\n')) [line, seen] = [JSON.parse(text.slice(0, text.indexOf('\n'))), performance.now()];
      }
      if (line === undefined && ended !== undefined)
        throw new Error(`heed train ended with ${ended} before its first step:\n${complaints}`);
      if (line === undefined) await wait(POLL_MS);
    }
    await end;
    if (ended !== 0) throw new Error(`heed train ended with ${ended}:\n${complaints}`);
    const toEnd = (seen - begin) / 1000;
    return { toFirstStep: toEnd - line.seconds, toFirstStepDone: toEnd };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
