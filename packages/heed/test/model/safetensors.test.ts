import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../../src/model/checkpoint/error.js';
import { parseSafetensorsHeader, readSafetensors, readSafetensorsHeader } from '../../src/model/checkpoint/safetensors.js';
import { openSafetensorsWriter, writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { memorySource } from '../../src/model/checkpoint/source.js';
import { fixture, hex, json, scratch } from './support.js';

const folder = scratch();

/** A safetensors file with this header. */
function bytes(header: unknown, data: number, length?: number): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const out = Buffer.alloc(8 + text.length + data);
  out.writeBigUInt64LE(BigInt(length ?? text.length));
  text.copy(out, 8);
  return out;
}
const parse = (file: Uint8Array): unknown => parseSafetensorsHeader(memorySource(file, 'a.safetensors'));

describe('safetensors', () => {
  it('reads what the Python package wrote, bit for bit', () => {
    const { tensors } = readSafetensors(fixture('types.safetensors'));
    const expected = json<Record<string, string>>(fixture('types.json'));
    expect(Object.fromEntries([...tensors].map(([name, { data }]) => [name, hex(data)]))).toEqual(expected);
    expect(tensors.get('brain')?.shape).toEqual([2, 3]);
  });

  it('reads back what it wrote, whatever the names and shapes', async () => {
    const tensor = fc.record({ name: fc.string(), rows: fc.nat(4), columns: fc.nat(4) });
    await fc.assert(fc.asyncProperty(fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 6 }), async (tensors) => {
      const file = path.join(folder, 'round.safetensors');
      const written = tensors
        .filter(({ name }) => name !== '__metadata__')
        .map(({ name, rows, columns }, k) => ({
          name,
          dtype: 'float32' as const,
          shape: [rows, columns],
          data: Float32Array.from({ length: rows * columns }, (_, i) => i + k / 7),
        }));
      await writeSafetensors(file, written, { format: 'pt', note: 'ü' });
      const { tensors: read, metadata } = readSafetensors(file);
      expect(metadata).toEqual({ format: 'pt', note: 'ü' });
      expect(read).toEqual(new Map(written.map(({ name, shape, data }) => [name, { shape, data }])));
    }), { numRuns: 40 });
  });

  it('writes in pieces, leaves nothing behind when a tensor is not whole, and keeps the old file', async () => {
    const file = path.join(folder, 'pieces.safetensors');
    await writeSafetensors(file, [
      {
        name: 'x',
        dtype: 'float32',
        shape: [4],
        *data() {
          yield Float32Array.of(1, 2);
          yield Float32Array.of(3, 4);
        },
      },
    ]);
    expect(readSafetensors(file).tensors.get('x')?.data).toEqual(Float32Array.of(1, 2, 3, 4));
    await expect(writeSafetensors(file, [{ name: 'x', dtype: 'float32', shape: [4], data: Float32Array.of(9) }])).rejects.toThrow(
      'tensor x lacks 12 bytes',
    );
    await expect(writeSafetensors(file, [{ name: 'x', dtype: 'float32', shape: [1], data: Float32Array.of(9, 9) }])).rejects.toThrow(
      '4 bytes more',
    );
    expect(readSafetensors(file).tensors.get('x')?.data[3]).toBe(4);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await expect(openSafetensorsWriter(path.join(folder, 'no/such/place'), [])).rejects.toThrow(CheckpointError);
  });

  const f32 = (shape: number[], begin: number, end: number): object => ({ dtype: 'F32', shape, data_offsets: [begin, end] });
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /0 bytes, too few/],
    ['a header longer than the file', bytes({}, 0, 1000), /truncated or of another format/],
    ['a header longer than any', bytes({}, 0, 2 ** 52), /limit/],
    ['no JSON', bytes('{"x"', 0), /not JSON/],
    ['a list', bytes([], 0), /not a JSON object/],
    ['an unknown dtype', bytes({ w: { dtype: 'F33', shape: [1], data_offsets: [0, 4] } }, 4), /tensor w has the unknown dtype "F33"/],
    ['a dtype from the prototype', bytes({ w: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4), /unknown dtype/],
    ['a negative dimension', bytes({ w: f32([-1], 0, 4) }, 4), /shape \[-1\]/],
    [
      'a shape that its offsets do not hold',
      bytes({ w: f32([3], 0, 8) }, 8),
      /tensor w \(F32 \[3\]\) needs 12 bytes, but its data_offsets hold 8/,
    ],
    ['an end before the beginning', bytes({ w: f32([1], 4, 0) }, 8), /ends \(0\) before it begins \(4\)/],
    ['a truncated file', bytes({ w: f32([3], 0, 12) }, 8), /tensor w ends at byte .* truncated/],
    ['overlapping tensors', bytes({ v: f32([2], 0, 8), w: f32([2], 4, 12) }, 12), /tensors v and w overlap/],
    ['a hole', bytes({ v: f32([1], 0, 4), w: f32([1], 8, 12) }, 12), /4 bytes between v and tensor w/],
    ['bytes after the end', bytes({ v: f32([1], 0, 4) }, 5), /1 bytes after v/],
  ])('refuses %s, naming file and tensor', (_, file, message) => {
    expect(() => parse(file)).toThrow(CheckpointError);
    expect(() => parse(file)).toThrow(/^a\.safetensors: /);
    expect(() => parse(file)).toThrow(message);
  });

  it('parses or refuses any bytes', () => {
    const valid = new Uint8Array(fs.readFileSync(fixture('types.safetensors')));
    const mutated = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map((changes) => {
      const out = valid.slice();
      for (const [at, byte] of changes) out[at] = byte;
      return out;
    });
    const header = fc
      .dictionary(
        fc.string(),
        fc.record({
          dtype: fc.constantFrom('F32', 'BF16', 'X'),
          shape: fc.array(fc.oneof(fc.nat(9), fc.double(), fc.constant(1e308))),
          data_offsets: fc.array(fc.oneof(fc.nat(99), fc.double())),
        }),
      )
      .map((h) => bytes(h, 64));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          mutated,
          header,
          fc.json().map((j) => bytes(j, 8)),
          fc.nat(valid.length).map((n) => valid.subarray(0, n)),
        ),
        (file) => {
          try {
            parse(file);
          } catch (error) {
            expect(error).toBeInstanceOf(CheckpointError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('names a file that is not there', () => {
    expect(() => readSafetensorsHeader(path.join(folder, 'absent'))).toThrow(/absent: could not be opened/);
  });
});
