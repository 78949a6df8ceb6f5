import { CheckpointError } from '../error.js';
import type { Gguf } from './read.js';

/** A number among the metadata. */
export function number(gguf: Gguf, key: string, where: string): number {
  const value = gguf.metadata.get(key);
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    let found = `is ${String(value)}`;
    if (value === undefined) found = 'is missing';
    if (Array.isArray(value)) found = 'is a list (it differs between layers, which cannot be run)';
    throw new CheckpointError(`${where}: the metadata value ${key} ${found}; a number is needed`);
  }
  return value;
}

/** The number, or undefined where the file does not say. */
export function optional(gguf: Gguf, key: string, where: string): number | undefined {
  return gguf.metadata.has(key) ? number(gguf, key, where) : undefined;
}

/** 9.999999747378752e-06 is how a 32-bit 1e-5 reads: the shortest decimal that is the same 32-bit number. */
export function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
