/** Matrices in codes as files of the cache hold them: each kind of part in a tensor of its own, named after the matrix. */
import { CheckpointError } from './error.js';
import { type SafetensorsEntry, type SafetensorsHeader, floatType, readSafetensorsHeader } from './safetensors.js';
import { type TensorSpec, openSafetensorsWriter } from './safetensors-write.js';
import { type Factors, type PackedTensor, type Place, type StoredTensor, zeroOf } from './stored-tensor.js';

/** How a matrix's codes are laid out; `PackedTensor` says what they mean. */
export interface PackedForm {
  readonly dtype: PackedTensor['dtype'];
  readonly block: 16 | 32;
  /** Blocks whose 8-bit scale codes share a 16-bit factor; 1 where each block has a 16-bit scale. */
  readonly together: 1 | 8 | 16;
  readonly minima: boolean;
}

/** The parts of a range of blocks; 16-bit floats as their bits. */
export interface PackedParts {
  readonly codes: Uint8Array;
  readonly scales?: Uint16Array;
  readonly scale_codes?: Uint8Array;
  readonly scale_factors?: Uint16Array;
  readonly minima?: Uint16Array;
  readonly minimum_codes?: Uint8Array;
  readonly minimum_factors?: Uint16Array;
}

/** Of a file with matrices in codes: its `__metadata__` says so, since any tensor may have any name. */
const METADATA = { format: 'pt', heed: 'blocks' };
const ZEROS = { uint4: 'zeros.uint4', uint8: 'zeros.uint8' } as const;
const ZERO_BYTES = { uint4: 0x88, uint8: 128 } as const;
const codesIn = (dtype: PackedTensor['dtype']): number => (dtype === 'uint4' ? 2 : 1);

/** A matrix to be written in codes, or a tensor that stays as it is. */
export type ToPack =
  | (TensorSpec & { readonly data: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array> })
  | { readonly name: string; readonly shape: readonly [number, number]; readonly form: PackedForm;
    readonly data: () => Iterable<PackedParts> | AsyncIterable<PackedParts> };

function specsOf(name: string, [rows, width]: readonly [number, number], { dtype, block, together, minima }: PackedForm): TensorSpec[] {
  const blocks = width / block;
  const factors = (whole: string, one: string): TensorSpec[] =>
    (together === 1
      ? [{ name: `${name}.${whole}`, dtype: 'float16', shape: [rows, blocks] }]
      : [
          { name: `${name}.${one}_codes`, dtype: 'int8', shape: [rows, blocks] },
          { name: `${name}.${one}_factors`, dtype: 'float16', shape: [rows, blocks / together] },
        ]);
  const codes: TensorSpec = { name: `${name}.codes`, dtype: 'uint8', shape: [rows, width / codesIn(dtype)] };
  return [codes, ...factors('scales', 'scale'), ...(minima ? factors('minima', 'minimum') : [])];
}

/** Writes a file of tensors, those with a `form` in codes. Each is made when its turn comes, in pieces. */
export async function writePacked(file: string, tensors: readonly ToPack[]): Promise<void> {
  const packed = tensors.flatMap((tensor) => ('form' in tensor ? [tensor] : []));
  const zeros = (['uint4', 'uint8'] as const).flatMap((dtype): TensorSpec[] => {
    const most = Math.max(0, ...packed.filter(({ form }) => form.dtype === dtype && zeroOf({ dtype, minima: form.minima }) !== 0)
      .map(({ shape, form }) => (shape[0] * shape[1]) / form.block));
    return most === 0 ? [] : [{ name: ZEROS[dtype], dtype: 'uint8', shape: [Math.ceil(most / codesIn(dtype))] }];
  });
  const specs = tensors.flatMap((tensor) => ('form' in tensor ? specsOf(tensor.name, tensor.shape, tensor.form) : [tensor]));
  const writer = await openSafetensorsWriter(file, [...specs, ...zeros], packed.length === 0 ? undefined : METADATA);
  try {
    for (const tensor of tensors) {
      if (!('form' in tensor)) {
        for await (const piece of tensor.data()) await writer.write(tensor.name, piece);
        continue;
      }
      for await (const parts of tensor.data())
        for (const [part, data] of Object.entries(parts) as [string, Uint8Array][]) await writer.write(`${tensor.name}.${part}`, data);
    }
    for (const { name, shape } of zeros)
      await writer.write(name, new Uint8Array(shape[0]!).fill(ZERO_BYTES[name === ZEROS.uint4 ? 'uint4' : 'uint8']));
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/**
 * The matrices in codes among a file's tensors: those of `expected` (shapes by name) that the file has in parts.
 *
 * @param where The file, for errors; `file` is its name as places have it.
 */
export function packedIn(
  { tensors, metadata }: SafetensorsHeader, file: string, where: string, expected: ReadonlyMap<string, readonly number[]>,
): PackedTensor[] {
  if (metadata['heed'] !== METADATA.heed) return [];
  return [...expected].flatMap(([name, shape]) => {
    const codes = tensors.get(`${name}.codes`);
    return codes === undefined || shape.length !== 2 ? [] : [packedOf(name, shape as [number, number], codes, tensors, file, where)];
  });
}

/**
 * All tensors of a file that `writePacked` wrote, by name.
 *
 * @param shapes Of those that it must have.
 * @throws CheckpointError for one that it lacks
 */
export function openPacked(where: string, file: string, shapes: ReadonlyMap<string, readonly number[]>): Map<string, StoredTensor> {
  const header = readSafetensorsHeader(where);
  const packed = new Map(packedIn(header, file, where, shapes).map((tensor) => [tensor.name, tensor]));
  return new Map([...shapes].map(([name, shape]): [string, StoredTensor] => {
    const own = packed.get(name);
    if (own !== undefined) return [name, own];
    const { dtype, offset, length, shape: found } = header.tensors.get(name) ?? { dtype: 'absent', offset: 0, length: 0, shape: [] };
    const type = floatType(dtype);
    if (type === undefined || found.join() !== shape.join()) {
      throw new CheckpointError(
        `${where}: should have ${name} [${shape.join(', ')}], but has none; remove the folder, and it is made again`,
      );
    }
    return [name, { name, dtype: type, shape, file, offset, length }];
  }));
}

function packedOf(
  name: string, shape: readonly [number, number], codes: SafetensorsEntry, all: ReadonlyMap<string, SafetensorsEntry>, file: string,
  where: string,
): PackedTensor {
  const dtype = codes.shape[1] === shape[1] ? 'uint8' : 'uint4';
  const scales = all.get(`${name}.scales`) ?? all.get(`${name}.scale_codes`);
  const block = shape[1] / (scales?.shape[1] ?? 0);
  const together = all.has(`${name}.scales`) ? 1 : (scales?.shape[1] ?? 0) / (all.get(`${name}.scale_factors`)?.shape[1] ?? 1);
  const minima = all.has(`${name}.minima`) || all.has(`${name}.minimum_codes`);
  const form = { dtype, block, together, minima } as PackedForm;
  const specs = specsOf(name, shape, form);
  const fail = (part: string, wanted: string): never => {
    const found = all.get(part)?.shape.join(', ');
    throw new CheckpointError(
      `${where}: should have ${part}${wanted}, but has ${found === undefined ? 'none' : `[${found}]`}; ` +
      'remove the folder, and it is made again',
    );
  };
  const place = (part: string): Place => {
    const { offset, length } = all.get(part) ?? fail(part, '');
    return { file, offset, length };
  };
  for (const spec of specs) if (all.get(spec.name)?.shape.join() !== spec.shape.join()) fail(spec.name, ` [${spec.shape.join(', ')}]`);
  const factors = (whole: string, one: string): Factors =>
    (together === 1
      ? { halves: place(`${name}.${whole}`) }
      : { codes: place(`${name}.${one}_codes`), halves: place(`${name}.${one}_factors`), together });
  return {
    name, dtype, shape, block,
    codes: place(`${name}.codes`), scales: factors('scales', 'scale'),
    ...(minima && { minima: factors('minima', 'minimum') }),
    ...(zeroOf({ dtype, minima }) !== 0 && { zeros: place(ZEROS[dtype]) }),
    length: specs.reduce((sum, spec) => sum + all.get(spec.name)!.length, 0),
  };
}
