import fs from 'node:fs';
import path from 'node:path';
import { type Engine, input, lower, startEngine, sym } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blockType } from '../../src/model/checkpoint/gguf/blocks.js';
import { PACKINGS, inBytes } from '../../src/model/checkpoint/gguf/pack.js';
import { readGguf } from '../../src/model/checkpoint/gguf/read.js';
import { packedIn, writePacked } from '../../src/model/checkpoint/packed.js';
import { readTensor } from '../../src/model/checkpoint/read.js';
import { readSafetensorsHeader } from '../../src/model/checkpoint/safetensors.js';
import { memorySource } from '../../src/model/checkpoint/source.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { packedTable, widenedRows } from '../../src/model/packed-weights.js';
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

  it('takes an eighth to a quarter of the memory, says so, and reads as one in float32 does', async () => {
    const [codes, widened] = [await openCheckpoint(made.codes), await openCheckpoint(made.widened)];
    const bytes = ({ tensors }: typeof codes): number => [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
    expect(bytes(codes) / bytes(widened)).toBeGreaterThan(1 / 8);
    expect(bytes(codes) / bytes(widened)).toBeLessThan(1 / 4);
    for (const name of codes.tensors.keys()) expect(await readTensor(codes, name), name).toEqual(await readTensor(widened, name));
  });
});
