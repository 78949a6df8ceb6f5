import type { Engine } from '@heed/tensor';

/** A piece of work for one machine of a team. */
export interface Share<T> {
  readonly piece: T;
  /** The machine's number, for `Session.run`; 0 where the engine has no team. */
  readonly on: number;
  /** Whether it is that machine's first. */
  readonly first: boolean;
}

/**
 * Shares pieces of work out among the machines of an engine's team, in turn: each machine does its pieces one after the other. Which
 * machine gets which piece depends on their number alone, so a step taken again gives the same bits.
 *
 * @returns the results in the order of the pieces
 */
export async function shareOut<T, R>(engine: Engine, pieces: readonly T[], work: (share: Share<T>) => Promise<R>): Promise<R[]> {
  const size = machines(engine, pieces.length);
  const results = new Array<R>(pieces.length);
  let failed = false;
  const machine = async (on: number): Promise<void> => {
    for (let i = on; i < pieces.length && !failed; i += size) results[i] = await work({ piece: pieces[i]!, on, first: i < size });
  };
  const all = Array.from({ length: size }, (_, on) => machine(on).catch((error: unknown) => {
    failed = true;
    throw error;
  }));
  // All are waited for, also where one fails: what is left of a first try must not meet the second.
  for (const one of await Promise.allSettled(all)) if (one.status === 'rejected') throw one.reason;
  return results;
}

/** How many machines take part in so many pieces of work. */
export const machines = ({ team }: Engine, pieces: number): number => Math.min(team?.size ?? 1, pieces);
