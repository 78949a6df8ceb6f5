import { existsSync } from 'node:fs';
import type { Rollout } from '../method/rollout.js';
import { atomicWrite } from '../run/files.js';
import type { Item } from '../train/item.js';
import type { ItemReadings, ReadRequest } from '../train/reader.js';
import { readKept } from '../run/json-file.js';

/** A round's answers with their readings, in the same order; `attention` where it was asked for. */
export interface ReadRollouts {
  readonly rollouts: readonly Rollout[];
  /** How the last token of each answer attends to the answer's tokens. */
  readonly attention?: readonly (readonly number[])[];
}

interface Kept {
  readonly attention?: readonly (readonly number[])[];
  readonly reference?: readonly (readonly number[])[];
  readonly values?: readonly (readonly number[])[];
}

/** How a round's answers are read. */
export interface Reading {
  /** Of the sequences. */
  readonly name: string;
  /** Whether the policy is still the model without an adapter. */
  readonly untouched: boolean;
  read(wanted: ReadRequest): Promise<ItemReadings>;
}

/**
 * Adds to a round's answers what is read of the reference and of the value head. The numbers are kept in `file`, because a resume in
 * mid-round finds a policy that has moved on.
 *
 * A policy that has not been touched is its own reference: KL is 0. Read, the reference would differ from what the sampler computed by the
 * rounding of float32, and where rewards are equal an optimizer would follow that difference.
 *
 * @param rollouts In the order of the items, and within an item in the order of its sequences.
 */
export async function readRollouts(
  file: string, rollouts: readonly Rollout[], { reference, value, attention = false }: ReadRequest, { name, untouched, read }: Reading,
): Promise<ReadRollouts> {
  if (!reference && !attention && value === undefined) return { rollouts };
  const list = (readings: ItemReadings['policy'], key: string): number[][] =>
    [...readings as ReadonlyMap<Item, Readonly<Record<string, readonly Float32Array[]>>>]
      .sort(([a], [b]) => a.index - b.index)
      .flatMap(([, found]) => found[key]!.map((numbers) => Array.from(numbers)));
  let kept: Kept;
  if (existsSync(file)) kept = await readKept<Kept>(file);
  else {
    const own = reference && untouched ? rollouts.map(({ logp }) => Array.from(logp!)) : undefined;
    const wanted = { reference: reference && own === undefined, value, attention };
    const { policy, base } = await read(wanted);
    kept = {
      attention: attention ? list(base, `attention:${name}`) : undefined,
      reference: wanted.reference ? list(base, `logp:${name}`) : own,
      values: value === undefined ? undefined : list(policy, `value:${value}:${name}`),
    };
    await atomicWrite(file, `${JSON.stringify(kept)}\n`);
  }
  return {
    rollouts: rollouts.map((one, i) => ({ ...one, reference: kept.reference?.[i], values: kept.values?.[i] })),
    attention: kept.attention,
  };
}
