// @ts-check
// node benchmarks/device.js [DEVICE]: Heed on a GPU beside the CPU of the same machine. `npm run build` first. What the two compute must
// agree; a GPU takes some minutes, most of them the CPU's.
import { writeFileSync } from 'node:fs';
import { DEVICES, startEngine } from '@heed/tensor';
import { measure } from './child.js';
import { describeMachine } from './machine.js';
import { median } from './median.js';
import { readOptions } from './options.js';
import { entriesOf, sizesOf } from './work.js';

const USAGE = `node benchmarks/device.js [DEVICE] [options]
  DEVICE           ${DEVICES.join(', ')}; default: webgpu
  --model M        a folder with safetensors in f32; default: the default model
  --quick          tiny work, once: only to see that everything runs
  -o, --output F   where to write the results, as JSON`;

/** Names of entries, by group. */
const WORK = { lora: 'lora-step', dpo: 'dpo', 'generate-1': 'generate-1', 'generate-16': 'generate-16' };
/** The largest share by which first losses may differ. */
const TOLERANCE = 1e-4;

const { values, positionals } = readOptions(USAGE, {
  model: { type: 'string', default: 'SmolLM2-135M-Instruct' }, quick: { type: 'boolean', default: false },
  output: { type: 'string', short: 'o' },
}, { positionals: 1 });
const device = /** @type {import('@heed/tensor').DeviceName} */ (positionals[0] ?? 'webgpu');
const engine = await startEngine({ device });
console.error(`Device: ${engine.device.kind} ${engine.device.adapter ?? ''}`);
await engine.close();

const sizes = sizesOf(values.quick);
const { openCheckpoint } = await import('@heed/heed');
const { folder } = await openCheckpoint(values.model);
const groups = entriesOf(folder, { sizes, peers: false, trimmedHead: false, trlCheckpointing: false, gguf: undefined });
const results = {};
for (const [group, name] of Object.entries(WORK)) {
  const entry = groups[group].find((one) => one.name === name);
  const on = (/** @type {string} */ where) => ({ ...entry, name: `${name}-${where}`, spec: { ...entry.spec, device: where } });
  const found = await measure([on('cpu'), on(device)], {
    warmups: sizes.warmups, repetitions: sizes.repetitions, together: true, log: (/** @type {string} */ line) => console.error(line),
  });
  const [cpu, gpu] = [found[`${name}-cpu`], found[`${name}-${device}`]];
  const seconds = (/** @type {typeof cpu} */ one) => median(one.runs.map((/** @type {{ seconds: number }} */ run) => run.seconds));
  const [before, after] = [seconds(cpu), seconds(gpu)];
  results[name] = { cpu: before, [device]: after, ratio: before / after, agrees: agreement(cpu.first, gpu.first) };
  console.error(`${name}: ${JSON.stringify(results[name])}`);
}
const report = { device, ...engine.device, machine: describeMachine(), model: values.model, quick: values.quick, results };
console.log(JSON.stringify(report));
if (values.output !== undefined) writeFileSync(values.output, `${JSON.stringify(report, null, 2)}\n`);
if (Object.values(results).some(({ agrees }) => !agrees.ok)) {
  console.error('The GPU does not compute what the CPU does.');
  process.exitCode = 1;
}

/** How far the first runs agree: losses by their share, texts by their tokens, of which some differ where two are equally likely. */
function agreement(cpu, gpu) {
  if (cpu.loss !== undefined) {
    const difference = Math.abs(gpu.loss / cpu.loss - 1);
    return { difference, ok: difference < TOLERANCE };
  }
  const pairs = cpu.ids.flatMap((row, i) => row.map((id, j) => [id, gpu.ids[i][j]]));
  const same = pairs.filter(([a, b]) => a === b).length / pairs.length;
  return { same, ok: same > 0.9 };
}
