// @ts-check
/**
 * How large a model trains in how much memory: LoRA steps (r = 16 on all linears) of a base as it is stored and of the same in codes, each
 * in a process of its own, their steps in turn, so that a ratio says more than a time by itself.
 *
 * 1.5b, 3b and 7b are the shapes of Qwen2 and Qwen2.5 with random weights in bf16, made in the cache (3, 6 and 15 GB): times and memory are
 * those of a model, losses mean nothing.
 */
import { fork } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './machine.js';
import { median } from './median.js';
import { readOptions } from './options.js';

/** @param {number[]} sizes width, layers, heads, heads of keys, inner width, vocabulary */
const shapeOf = ([hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads, intermediate_size, vocab_size], tied) => ({
  model_type: 'qwen2', hidden_act: 'silu', max_position_embeddings: 32_768, rms_norm_eps: 1e-6, rope_theta: 1e6,
  hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads, intermediate_size, vocab_size, tie_word_embeddings: tied,
});
const SHAPES = {
  '1.5b': shapeOf([1536, 28, 12, 2, 8960, 151_936], true),
  '3b': shapeOf([2048, 36, 16, 2, 11_008, 151_936], true),
  '7b': shapeOf([3584, 28, 28, 4, 18_944, 152_064], false),
};

const USAGE = `node benchmarks/reach.js [options]; npm run build first
  --model M        smollm2, the default model, or ${Object.keys(SHAPES).join(', ')}; default: smollm2
  --precisions L   what the bases are in memory, in turn; default: f32,gguf
  --rows N         rows of a step; default: 4
  --tokens N       tokens of a row; default: 256
  --steps N        steps of each; default: 3
  --checkpointing  none, selective or full; default: selective
  -o, --output F   a file of results to add the run to`;
const { values: given } = readOptions(USAGE, {
  model: { type: 'string', default: 'smollm2' }, precisions: { type: 'string', default: 'f32,gguf' },
  rows: { type: 'string', default: '4' }, tokens: { type: 'string', default: '256' }, steps: { type: 'string', default: '3' },
  checkpointing: { type: 'string', default: 'selective' }, output: { type: 'string', short: 'o' }, child: { type: 'string' },
});

if (given.child !== undefined) await child(JSON.parse(given.child));
else await parent();

async function parent() {
  const { model, output } = given;
  const work = { rows: Number(given.rows), tokens: Number(given.tokens), checkpointing: given.checkpointing };
  const folder = model in SHAPES ? await shape(/** @type {keyof typeof SHAPES} */ (model)) : undefined;
  const machine = describeMachine();
  const children = given.precisions.split(',').map((precision) => ({ precision, ask: start({ ...work, folder, precision }) }));
  /** @type {Record<string, any>} */
  const results = {};
  for (const { precision, ask } of children) results[precision] = { ...await ask('open'), seconds: [], cpuSeconds: [] };
  for (let step = 0; step < Number(given.steps); step++) {
    for (const { precision, ask } of children) {
      const { seconds, cpuSeconds } = await ask('step');
      results[precision].seconds.push(seconds);
      results[precision].cpuSeconds.push(cpuSeconds);
      console.log(`${model} ${precision}: step ${step + 1}, ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(1)} cpu-s`);
    }
  }
  for (const { precision, ask } of children) {
    Object.assign(results[precision], await ask('end'), { medianSeconds: median(results[precision].seconds) });
    console.log(`${model} ${precision}: ${JSON.stringify(results[precision])}`);
  }
  if (output === undefined) return;
  const known = fs.existsSync(output) ? JSON.parse(fs.readFileSync(output, 'utf8')) : { machine, runs: [] };
  const run = { model, weights: folder === undefined ? 'real' : 'random', ...work, loadBefore: machine.loadBefore, results };
  fs.writeFileSync(output, `${JSON.stringify({ ...known, runs: [...known.runs, run] }, null, 2)}\n`);
}

/** A process that answers one question at a time. */
function start(work) {
  const process = fork(fileURLToPath(import.meta.url), ['--child', JSON.stringify(work)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return (question) => new Promise((settle, fail) => {
    const failed = (code) => fail(new Error(`${work.precision}: the process ended with ${code}`));
    process.once('exit', failed);
    process.once('message', (answer) => {
      process.off('exit', failed);
      settle(answer);
    });
    process.send(question);
  });
}

async function child({ rows, tokens, checkpointing, folder, precision }) {
  const { TrainOptions, adapterTargets, createTrainer, initialParameters, loadModel, methodOf, planAdapter, predictTraining, startEngine } =
    await import('@heed/heed');
  const started = performance.now();
  const model = await loadModel(folder, { precision });
  const tensors = [...model.checkpoint.tensors.values()];
  const plan = planAdapter(tensors, { rank: 16, alpha: 16, targets: adapterTargets('all', tensors), dropout: 0, rslora: false });
  const options = TrainOptions.parse({ epochs: 1, batch: rows, microBatch: rows, checkpointing, schedule: 'constant' });
  const ids = (length, stride, row) => Array.from({ length }, (_, i) => 100 + ((i * stride + row * 131) % 40000));
  const items = Array.from({ length: rows }, (_, i) => ({
    index: i, where: `row ${i}`, columns: {},
    sequences: { turns: [{ prompt: ids(tokens / 2, 7919 + i, i), response: ids(tokens / 2, 104729 + i, i) }] },
  }));
  const method = methodOf({ name: 'sft' });
  const engine = await startEngine();
  const trainer = await createTrainer({ engine, model, method, plan, options, parameters: initialParameters(plan, 0), moreRounds: true });
  const opened = (performance.now() - started) / 1000;
  let loss = 0;
  let anonymous = 0;
  const look = () => {
    const kilobytes = /^RssAnon:\s*(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1];
    anonymous = Math.max(anonymous, 1024 * Number(kilobytes));
  };
  process.on('message', async (question) => {
    if (question === 'open') return process.send?.({ openSeconds: opened });
    if (question === 'step') {
      const before = process.cpuUsage(), at = performance.now();
      const timer = setInterval(look, 500);
      ({ loss } = await trainer.learn(items, { seed: 0 }));
      clearInterval(timer);
      const seconds = (performance.now() - at) / 1000, { user, system } = process.cpuUsage(before);
      look();
      return process.send?.({ seconds, cpuSeconds: (user + system) / 1e6 });
    }
    const { peakRss } = await engine.memory();
    const gb = (bytes) => Number((bytes / 1e9).toFixed(3));
    const { parts, total } = predictTraining({ model, method, items, plan, options });
    process.send?.({
      loss, anonymousGb: gb(anonymous), peakGb: gb(peakRss), maxRssGb: gb(process.resourceUsage().maxRSS * 1024),
      predictedGb: gb(total), predictedMappedGb: gb(parts.weights),
    }, () => process.exit(0));
  });
}

/** A folder with a model of this shape: random bf16 numbers of about ±0.03, norms of 1, and the default model's tokenizer. */
async function shape(name) {
  const { cacheFolder } = await import('../packages/heed/dist/model/checkpoint/cache.js');
  const { expectedTensors } = await import('../packages/heed/dist/model/checkpoint/expected.js');
  const { parseConfig } = await import('../packages/heed/dist/model/checkpoint/parse-config.js');
  const { writeSafetensors } = await import('../packages/heed/dist/model/checkpoint/safetensors-write.js');
  const { ARCHITECTURES } = await import('../packages/heed/dist/model/architectures/index.js');
  const { openCheckpoint } = await import('@heed/heed');
  const folder = path.join(cacheFolder(), 'shapes', name);
  if (fs.existsSync(path.join(folder, 'model.safetensors'))) return folder;
  fs.mkdirSync(folder, { recursive: true });
  const config = SHAPES[name];
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
  const { home } = await openCheckpoint();
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) fs.copyFileSync(path.join(home, file), path.join(folder, file));
  // A sign, an exponent of 2^-6 or 2^-7, and seven random bits, over and over.
  const some = new Uint16Array(1 << 20);
  randomFillSync(some);
  some.forEach((bits, i) => { some[i] = (bits & 0x80ff) | 0x3c00; });
  const ones = new Uint16Array(1 << 16).fill(0x3f80);
  const tensors = [...expectedTensors(parseConfig(config, folder, ARCHITECTURES))].map(([tensor, dims]) => ({
    name: tensor, shape: dims, dtype: /** @type {const} */ ('bfloat16'),
    *data() {
      const source = tensor.includes('norm') ? ones : some;
      for (let left = dims.reduce((a, b) => a * b, 1); left > 0; left -= source.length) {
        yield source.subarray(0, Math.min(left, source.length));
      }
    },
  }));
  await writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
  return folder;
}
