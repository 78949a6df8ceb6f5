// @ts-check
/**
 * Predicted against measured peak memory of training: each case runs two real optimizer steps of SmolLM2-135M in a fresh process.
 *
 *   node benchmarks/memory.js [--json] [--only <part of a name>]
 *
 * Build first (npm run build). Exit code 1 when a prediction is more than 20 % off.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const LIMIT = 0.2;
const row = (prompt, response) => ({ prompt, response });
const CASES = [
  ...['none', 'selective', 'full'].map((checkpointing) => ({ checkpointing, targets: 'all', rows: Array(4).fill(row(128, 128)) })),
  { checkpointing: 'none', targets: 'mlp', rows: Array(4).fill(row(128, 128)) },
  { checkpointing: 'selective', targets: 'mlp', rows: Array(4).fill(row(128, 128)) },
  { checkpointing: 'selective', targets: 'all', rows: Array(8).fill(row(32, 96)) },
  { checkpointing: 'selective', targets: 'all', rows: [row(512, 512)] },
  { checkpointing: 'full', targets: 'all', rows: Array(2).fill(row(512, 512)) },
  { checkpointing: 'selective', targets: 'all', rows: Array(4).fill(row(16, 16)) },
  { checkpointing: 'none', targets: 'all', rows: [row(20, 300), row(200, 40), row(120, 120)] },
  { checkpointing: 'selective', targets: 'all', dropout: 0.05, rows: Array(4).fill(row(128, 128)) },
  { checkpointing: 'selective', targets: 'all', rank: 64, rows: Array(2).fill(row(128, 128)) },
  { method: 'cut', checkpointing: 'selective', targets: 'mlp', rows: Array(4).fill(row(64, 64)) },
  { method: 'cut', checkpointing: 'full', targets: 'mlp', rows: [row(311, 1000)] },
]
  .map((c) => ({ method: 'sft', rank: 16, dropout: 0, ...c }))
  .map((c) => ({ ...c, name: nameOf(c) }));

function nameOf({ method, checkpointing, targets, rank, dropout, rows }) {
  const same = rows.every((r) => r.prompt === rows[0].prompt && r.response === rows[0].response);
  const shape = same ? `${rows.length}x${rows[0].prompt}+${rows[0].response}` : rows.map((r) => `${r.prompt}+${r.response}`).join(',');
  return `${method} ${checkpointing} ${targets} r${rank}${dropout > 0 ? ` dropout ${dropout}` : ''} ${shape}`;
}

const USAGE = `usage: node benchmarks/memory.js [options]
  --only TEXT  the cases whose names have this in them: ${CASES.map(({ name }) => name).join('; ')}
  --json       print the results as one line
  -h, --help`;
const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean' },
    only: { type: 'string', default: '' },
    case: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (given.help) console.log(USAGE);
else if (given.case !== undefined) process.stdout.write(JSON.stringify(await measure(JSON.parse(given.case))));
else {
  const { json, only } = given;
  const results = [];
  for (const c of CASES) {
    if (!c.name.includes(only)) continue;
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--case', JSON.stringify(c)], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (child.status !== 0) throw new Error(`${c.name}: ${child.stderr}`);
    const { predicted, peakRss, loss } = JSON.parse(child.stdout);
    const error = predicted.total / peakRss - 1;
    results.push({ name: c.name, predicted: predicted.total, peakRss, error, parts: predicted.parts, loss });
    if (!json)
      console.log(
        `${c.name.padEnd(44)} predicted ${mb(predicted.total)}  measured ${mb(peakRss)}  ${(100 * error).toFixed(1).padStart(6)} %`,
      );
  }
  if (json) console.log(JSON.stringify({ limit: LIMIT, node: process.version, results }));
  if (results.some(({ error }) => Math.abs(error) > LIMIT)) process.exitCode = 1;
}

function mb(bytes) {
  return `${Math.round(bytes / 1e6)} MB`.padStart(8);
}

/** One case, in a process of its own: the run first, so that the prediction does not add to what is measured. */
async function measure({ method: name, checkpointing, targets, rank, dropout, rows }) {
  // Here and not above, so that the process that starts the cases stays small.
  const {
    TrainOptions,
    adapterTargets,
    createTrainer,
    initialParameters,
    loadModel,
    methodOf,
    planAdapter,
    predictTraining,
    startEngine,
  } = await import('@heed/heed');
  const model = await loadModel();
  const plan = planAdapter(model.checkpoint.tensors.values(), {
    rank,
    alpha: 16,
    targets: adapterTargets(targets, model.checkpoint.tensors.values()),
    dropout,
    rslora: false,
  });
  const options = TrainOptions.parse({ steps: 2, batch: rows.length, microBatch: rows.length, checkpointing });
  const items = rows.map(({ prompt, response }, i) => ({
    index: i,
    where: `row ${i}`,
    columns: name === 'cut' ? { unsatisfied: 1 } : {},
    sequences: sequencesOf(name, { prompt: ids(prompt, 7919 + i, i), response: ids(response, 104729 + i, i) }),
  }));
  const method = methodOf({ name });
  const engine = await startEngine();
  const trainer = await createTrainer({ engine, model, method, plan, options, parameters: initialParameters(plan, options.seed) });
  const { loss } = await trainer.learn(items, { seed: options.seed });
  const { peakRss } = await engine.memory();
  await engine.close();
  return { predicted: predictTraining({ model, method, items, plan, options }), peakRss, loss };
}

/** CUT scores a response twice, the second time after a prompt with a judgment, which here is half as long again. */
function sequencesOf(method, { prompt, response }) {
  if (method === 'sft') return { turns: [{ prompt, response }] };
  return { plain: [{ prompt, response }], judged: [{ prompt: [...prompt, ...prompt.slice(0, prompt.length / 2)], response }] };
}

function ids(length, stride, row) {
  return Array.from({ length }, (_, i) => 100 + ((i * stride + row * 131) % 40000));
}
