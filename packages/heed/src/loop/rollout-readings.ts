import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Rollout } from '../method/rollout.js';
import { atomicWrite } from '../run/files.js';
import type { Item } from '../train/item.js';
import type { ItemReadings, ReadRequest } from '../train/reader.js';

/** A round's answers with what was read of them; `attention` where it was asked for, in their order. */
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

/**
 * Adds to a round's answers what is read of the reference and of the value head. The numbers are kept in `file`, because a resume in
 * mid-round finds a policy that has moved on.
 *
 * @param rollouts In the order of the items, and within an item in the order of its sequences.
 */
export async function readRollouts(
  file: string, rollouts: readonly Rollout[], { reference, value, attention = false }: ReadRequest, name: string,
  read: () => Promise<ItemReadings>,
): Promise<ReadRollouts> {
  if (!reference && !attention && value === undefined) return { rollouts };
  const list = (readings: ItemReadings['policy'], key: string): number[][] =>
    [...readings as ReadonlyMap<Item, Readonly<Record<string, readonly Float32Array[]>>>]
      .sort(([a], [b]) => a.index - b.index)
      .flatMap(([, found]) => found[key]!.map((numbers) => Array.from(numbers)));
  let kept: Kept;
  if (existsSync(file)) kept = JSON.parse(await readFile(file, 'utf8')) as Kept;
  else {
    const { policy, base } = await read();
    kept = {
      attention: attention ? list(base, `attention:${name}`) : undefined,
      reference: reference ? list(base, `logp:${name}`) : undefined,
      values: value === undefined ? undefined : list(policy, `value:${value}:${name}`),
    };
    await atomicWrite(file, `${JSON.stringify(kept)}\n`);
  }
  return {
    rollouts: rollouts.map((one, i) => ({ ...one, reference: kept.reference?.[i], values: kept.values?.[i] })),
    attention: kept.attention,
  };
}
