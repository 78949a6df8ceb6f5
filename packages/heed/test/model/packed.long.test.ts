import fs from 'node:fs';
import path from 'node:path';
import { type Engine, input, lower, startEngine, sym, view } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBranchScorer } from '../../src/generate/branch-scorer.js';
import { createGenerator } from '../../src/generate/generator.js';
import { planAdapter } from '../../src/model/adapter.js';
import { blockType } from '../../src/model/checkpoint/gguf/blocks.js';
import { halfBits } from '../../src/model/checkpoint/gguf/encode.js';
import { PACKINGS, inBytes } from '../../src/model/checkpoint/gguf/pack.js';
import { readGguf } from '../../src/model/checkpoint/gguf/read.js';
import { packedIn, writePacked } from '../../src/model/checkpoint/packed.js';
import { readTensor } from '../../src/model/checkpoint/read.js';
import { readSafetensors, readSafetensorsHeader } from '../../src/model/checkpoint/safetensors.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { memorySource } from '../../src/model/checkpoint/source.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { loadModel } from '../../src/model/load.js';
import { readSteps, stepProduct } from '../../src/model/packed-steps.js';
import { packedTable, widenedRows } from '../../src/model/packed-weights.js';
import { loadAdapter, saveAdapter } from '../../src/model/peft.js';
import { createRandom } from '../../src/run/random.js';
import { bench, judgedRows, passes } from '../train/support.js';
import { TYPES, randomBlocks, twins } from './packed-model.js';
import { fixture, hex, json, scratch } from './support.js';

let engine: Engine;
beforeAll(async () => { engine = await startEngine({ threads: 2 }); });
afterAll(() => engine.close());
const folder = scratch();

/** A matrix "x" in codes, written to a file and read back. */
async function packed(name: string, type: string, shape: readonly [number, number], bytes: Uint8Array, wide = false) {
  const form = wide ? inBytes(PACKINGS[type]!) : PACKINGS[type]!;
  const blocks = bytes.length / blockType(TYPES[type]!.id, (what) => { throw new Error(what); }).bytes;
  const file = path.join(folder, name);
  await writePacked(file, [{ name: 'x', shape, form, data: () => [form.pack(bytes, blocks)] }]);
  return packedIn(readSafetensorsHeader(file), name, file, new Map([['x', shape]]))[0]!;
}

async function run(outputs: Parameters<typeof lower>[0], feeds: Parameters<Awaited<ReturnType<Engine['compile']>>['run']>[0] = {}) {
  const session = await engine.compile(lower(outputs, { folder }));
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

const fixtures = Object.entries(json<Record<string, string>>(fixture('blocks.json'))).filter(([type]) => type in PACKINGS);

describe.each(fixtures)('%s, its codes kept', (type, expected) => {
  it('are the numbers of the gguf package, bit for bit, on the host and in the runtime', async () => {
    const source = memorySource(new Uint8Array(fs.readFileSync(fixture(`blocks-${type}.gguf`))));
    const tensor = readGguf(source).tensors.get('x')!;
    const shape = tensor.shape as [number, number];
    const stored = await packed(type, type, shape, source.read(tensor.offset, tensor.length));
    expect(hex(await readTensor({ folder, tensors: new Map([['x', stored]]) }, 'x'))).toBe(expected);
    const { w } = await run({ w: widenedRows(stored) });
    expect(hex(w!)).toBe(expected);
  });

  it('are those of ggml for random blocks, whole, by rows and by parts', async () => {
    const shape = [6, 512] as const;
    const { bytes, exact } = randomBlocks(type, 6 * 512);
    const stored = await packed(`${type}.random`, type, shape, bytes);
    expect(await readTensor({ folder, tensors: new Map([['x', stored]]) }, 'x')).toEqual(exact);
    const { whole, part } = await run({ whole: widenedRows(stored), part: widenedRows(stored, 2, 5) });
    expect(whole).toEqual(exact);
    expect(part).toEqual(exact.slice(2 * 512, 5 * 512));

    const table = packedTable(await packed(`${type}.bytes`, type, shape, bytes, true));
    const ids = Int32Array.of(5, 0, 5, 3);
    const picked = await run({ rows: table.rows(input('ids', [sym('n')], 'int32')), part: table.part(1, 3) }, {
      ids: { data: ids, shape: [4] },
    });
    expect([...picked['rows']!]).toEqual([...ids].flatMap((id) => [...exact.subarray(512 * id, 512 * (id + 1))]));
    expect(picked['part']).toEqual(exact.slice(512, 3 * 512));
  });
});

it('says which part of a file in codes is missing', async () => {
  const form = PACKINGS['Q4_0']!;
  const bytes = new Uint8Array(2 * 2 * 18);
  await writePacked(path.join(folder, 'whole'), [{ name: 'x', shape: [2, 64], form, data: () => [form.pack(bytes, 4)] }]);
  const file = path.join(folder, 'broken');
  const text = fs.readFileSync(path.join(folder, 'whole')).toString('latin1');
  fs.writeFileSync(file, Buffer.from(text.replace('x.scales', 'x.scabes'), 'latin1'));
  expect(() => packedIn(readSafetensorsHeader(file), 'broken', file, new Map([['x', [2, 64]]]))).toThrow(
    /broken: should have x\.scale.*but has none; remove the folder, and it is made again/,
  );
});

describe('a model whose matrices keep their codes', () => {
  let made: Awaited<ReturnType<typeof twins>>;
  beforeAll(async () => { made = await twins(folder); });

  it.each(['none', 'selective', 'full'] as const)('learns as one in float32 does, bit for bit (checkpointing %s)', async (keep) => {
    const results = [];
    for (const model of [made.codes, made.widened]) {
      const rows = judgedRows([['hello there', 'a nice day', null], ['what is it', 'it is a day', null]]);
      const b = await bench(model, { name: 'sft' }, rows);
      const [pass] = await passes(engine, b, [[b.items]], { keep });
      results.push({ loss: pass!.loss, gradients: pass!.gradients, fingerprint: b.model.checkpoint.fingerprint });
    }
    expect(results[0]).toEqual(results[1]);
    expect(results[0]!.gradients.filter((g) => g !== 0).length).toBeGreaterThan(results[0]!.gradients.length / 2);
  });

  it('writes and judges near what one in float32 does, and with an adapter', async () => {
    const results = [];
    for (const model of [made.codes, made.widened]) {
      const { checkpoint, architecture } = await loadModel(model);
      const lora = { rank: 4, alpha: 8, targets: ['q_proj', 'down_proj'], dropout: 0, rslora: false };
      const plan = planAdapter(checkpoint.tensors.values(), lora);
      const random = createRandom('adapter');
      const parameters = view(await engine.upload(Float32Array.from({ length: plan.size }, () => 0.2 * (random.next() - 0.5))));
      for (const adapter of [undefined, { plan, parameters }]) {
        const request = { prompt: [5, 90, 17, 33, 61], answers: [[70, 71], [80, 81, 82]] };
        const scorer = await createBranchScorer(engine, { checkpoint, architecture }, adapter);
        const [scored] = await scorer.logProbs([request]);
        await scorer.release();
        const generator = await createGenerator(engine, checkpoint, { decode: () => '', stopIds: [], ...(adapter && { plan }) });
        if (adapter !== undefined) await generator.setAdapter(parameters);
        const [written] = await generator.generate([{ prompt: request.prompt, row: 0 }], { maxNewTokens: 1, temperature: 0, seed: 0 });
        await generator.release();
        results.push([...scored!.flat(), written!.logprobs[0]!]);
      }
    }
    const [plain, adapted, exact, exactAdapted] = results as [number[], number[], number[], number[]];
    const change = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
    // Where rows are many nothing is rounded but the rows of the head: by 1/254 of the largest at most.
    const rounding = Math.max(change(plain, exact), change(adapted, exactAdapted));
    expect(rounding).toBeLessThan(0.1);
    expect(change(exact, exactAdapted)).toBeGreaterThan(3 * rounding);
  });

  it.each(['float16', 'bfloat16'] as const)('takes an adapter that is stored in %s, exactly', async (dtype) => {
    const { checkpoint } = await loadModel(made.codes);
    const lora = { rank: 4, alpha: 8, targets: ['q_proj', 'down_proj'], dropout: 0, rslora: false };
    const plan = planAdapter(checkpoint.tensors.values(), lora);
    // Six bits are exact in either.
    const parameters = Float32Array.from({ length: plan.size }, (_, i) => (((i * 7919) % 101) - 50) / 64);
    const at = path.join(folder, `adapter in ${dtype}`), file = path.join(at, 'adapter_model.safetensors');
    await saveAdapter(at, { plan, parameters, checkpoint });
    const bits = (x: number): number => (dtype === 'float16' ? halfBits(x) : new Uint32Array(Float32Array.of(x).buffer)[0]! >>> 16);
    const tensors = [...readSafetensors(file).tensors].map(([name, { shape, data }]) =>
      ({ name, dtype, shape, data: new Uint8Array(Uint16Array.from(data, bits).buffer) }));
    await writeSafetensors(file, tensors, { format: 'pt' });
    expect((await loadAdapter(at, checkpoint)).parameters).toEqual(parameters);
  });

  it.each(Object.keys(TYPES))('multiplies few rows by codes of %s as by their numbers, but for the rounding of the rows', async (type) => {
    const [outputs, width, n] = [40, 512, 3];
    const { bytes, exact } = randomBlocks(type, outputs * width, 'steps');
    const tensor = await packed(`${type}.steps`, type, [outputs, width], bytes);
    const steps = await readSteps({ folder, tensors: new Map([['x', tensor]]) });
    const program = lower({ y: stepProduct(input('x', [sym('n'), width]), tensor, steps.get('x')!) }, { folder });
    const session = await engine.compile(program, { prepack: true });
    const random = createRandom('rows');
    const x = Float32Array.from({ length: n * width }, () => random.next() - 0.5);
    const y = (await session.run({ x: { data: x, shape: [n, width] } }))['y']!.data as Float32Array;
    await session.release();
    let [error, size] = [0, 0];
    for (let r = 0; r < n; r++) for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += x[r * width + k]! * exact[o * width + k]!;
      error += (y[r * outputs + o]! - sum) ** 2;
      size += sum ** 2;
    }
    // Steps of 1/127 of numbers that are evenly spread up to the largest: 1/127/√12 over 1/√3 is 0.4 %.
    expect(Math.sqrt(error / size)).toBeLessThan(0.008);
    expect(error).toBeGreaterThan(0);
  });

  it('takes an eighth to a quarter of the memory, says so, and reads as one in float32 does', async () => {
    const [codes, widened] = [await openCheckpoint(made.codes), await openCheckpoint(made.widened)];
    const bytes = ({ tensors }: typeof codes): number => [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
    expect(bytes(codes) / bytes(widened)).toBeGreaterThan(1 / 8);
    expect(bytes(codes) / bytes(widened)).toBeLessThan(1 / 4);
    for (const name of codes.tensors.keys()) expect(await readTensor(codes, name), name).toEqual(await readTensor(widened, name));
  });
});
