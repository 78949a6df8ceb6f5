import type { BoundMethod } from '../method/method.js';
import type { Shared } from '../run/shared.js';
import type { Readout } from './forward.js';
import type { Item } from './item.js';

/** What a readout depends on beside the rows. */
export interface ReadUnder {
  /** Names the weights by content: the model's fingerprint, and what else tells the policy apart. */
  readonly policy: readonly unknown[];
  readonly method: Pick<BoundMethod, 'temperature' | 'filtered'>;
  /** What is read, such as `logp`. */
  readonly wanted: readonly string[];
  /** Which sequences they score. */
  readonly names: readonly string[];
}

/**
 * Reads rows under a policy that other runs have too. The rows count in their order and all together: those that go through the model at
 * the same time change the last bits.
 *
 * @param read Reads them where no run has.
 */
export async function sharedReadout(
  shared: Shared | undefined, under: ReadUnder, items: readonly Item[], read: () => Promise<Readout>,
): Promise<Readout> {
  if (shared === undefined) return read();
  const places = new Map(items.map((item, place) => [item, place]));
  const kept = await shared.take('scores', keyOf(under, items), async () =>
    [...(await read())].map(([item, values]) => [places.get(item)!, values] as const));
  return new Map(kept.map(([place, values]) => [items[place]!, values]));
}

function* keyOf({ policy, method: { temperature, filtered }, wanted, names }: ReadUnder, items: readonly Item[]): Generator<unknown> {
  yield [policy, temperature, filtered, wanted, names];
  for (const { index, sequences } of items) yield [index, names.map((name) => sequences[name] ?? null)];
}
