import type { View } from './arrays.js';
import type { Engine } from './engine.js';

/**
 * Machines behind one engine, with the same memory on each. What the engine is asked to allocate, write, compile or free, each of them
 * does; so it is with a run that writes engine memory. What only gives arrays to the host, the first one does. A run with `on` is done by
 * one of them alone: what it writes there differs from the others until `sum`, or a run on all, writes there again.
 */
export interface Team {
  /** How many there are, at least 1. */
  readonly size: number;
  /**
   * An engine of one of them, by its number from 0: memory and sessions that are made with it are on that machine alone. It takes the views
   * of the team's buffers, too. Where the machine was lost meanwhile, this is a new engine, and what was made with the earlier one is gone.
   */
  member(index: number): Engine;
  /**
   * Adds up, element by element and always in this order, what the first `count` of them hold in a float32 view. Afterwards all of them
   * hold the sum.
   */
  sum(view: View, count: number): Promise<void>;
  /**
   * Does work that may be done twice, and does it again where a machine was lost meanwhile: the results of its runs are gone.
   *
   * @throws MachineLost after several losses in a row
   */
  again<T>(work: () => Promise<T>): Promise<T>;
}

/** A machine of a team was lost, and what only that machine held. Machines that are left, or started again, hold the rest. */
export class MachineLost extends Error {
  override readonly name = 'MachineLost';
}
