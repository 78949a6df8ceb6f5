import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { BoundMethod } from '../method/method.js';
import type { Rollout } from '../method/rollout.js';
import { atomicWrite } from '../run/files.js';
import type { Item } from '../train/item.js';
import type { ItemReadings } from '../train/reader.js';

interface Kept {
  readonly reference?: readonly (readonly number[])[];
  readonly values?: readonly (readonly number[])[];
}

/**
 * Adds to a round's answers what the method reads of its reference and of the value head. The numbers are kept in `file`, because a resume
 * in mid-round finds a policy that has moved on.
 *
 * @param rollouts In the order of the items, and within an item in the order of its sequences.
 */
export async function readRollouts(
  file: string, rollouts: readonly Rollout[], { reads: { reference, value }, names }: Pick<BoundMethod, 'reads' | 'names'>,
  read: () => Promise<ItemReadings>,
): Promise<Rollout[]> {
  if (!reference && value === undefined) return [...rollouts];
  const [name] = names as [string];
  const list = (readings: ItemReadings['policy'], key: string): number[][] =>
    [...readings as ReadonlyMap<Item, Readonly<Record<string, readonly Float32Array[]>>>]
      .sort(([a], [b]) => a.index - b.index)
      .flatMap(([, found]) => found[key]!.map((numbers) => Array.from(numbers)));
  let kept: Kept;
  if (existsSync(file)) kept = JSON.parse(await readFile(file, 'utf8')) as Kept;
  else {
    const { policy, base } = await read();
    kept = {
      reference: reference ? list(base, `logp:${name}`) : undefined,
      values: value === undefined ? undefined : list(policy, `value:${value}:${name}`),
    };
    await atomicWrite(file, `${JSON.stringify(kept)}\n`);
  }
  return rollouts.map((one, i) => ({ ...one, reference: kept.reference?.[i], values: kept.values?.[i] }));
}
