import type { DType } from '../onnx/model.js';
import type { Program } from '../program.js';
import type { Buffer, HostArray, View } from './arrays.js';
import type { Device } from './device.js';
import type { Session } from './session.js';

/** ONNX Runtime in a thread of its own: it never blocks the event loop. Requests are answered in the order of the calls. */
export interface Engine {
  readonly device: Device;
  readonly threads: number;
  /** Whether outputs are written without a copy: as asked for, if the start-up test passed. */
  readonly zeroCopy: boolean;
  /** The machines that do its work alike, where there are several. */
  readonly team?: Team;
  /** Zero-filled memory for `length` elements. */
  allocate(dtype: DType, length: number): Promise<Buffer>;
  /**
   * A copy of a host array. `dtype` says what a `Uint16Array` (float16, bfloat16) or `Uint8Array` (uint8, bool) holds; default: the
   * first of these.
   */
  upload(data: HostArray, dtype?: DType): Promise<Buffer>;
  /** A copy for the host. */
  read(view: View): Promise<HostArray>;
  write(view: View, data: HostArray): Promise<void>;
  /** Copies inside the engine, one after the other. Both sides need the same element type and number of elements; they may overlap. */
  copy(moves: readonly { readonly from: View; readonly to: View }[]): Promise<void>;
  /** Gives memory back. Views of it become errors. */
  free(buffer: Buffer): Promise<void>;
  /** `prepack` keeps weights that are initializers in the layout of the kernels: faster for few rows, but a second copy. Default: false. */
  compile(program: Program, options?: { readonly prepack?: boolean }): Promise<Session>;
  /**
   * Bytes of the whole process: resident now, and the most there has been, in which weights that several sessions map count once. Does not
   * wait for running requests.
   */
  memory(): Promise<{ rss: number; peakRss: number }>;
  /** Ends the thread and frees everything; unfinished requests are rejected. */
  close(): Promise<void>;
}

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
   * @param index The one machine that the work needs, by its number: only its loss counts. Default: the work needs all.
   * @throws MachineLost after several losses in a row
   */
  again<T>(work: () => Promise<T>, index?: number): Promise<T>;
}

/** A machine of a team was lost, and what only that machine held. Machines that are left, or started again, hold the rest. */
export class MachineLost extends Error {
  override readonly name = 'MachineLost';
}

/** Work that loses a machine so often in a row is at fault itself. */
const MOST_LOSSES = 5;

/**
 * Does work again where a machine was lost in it.
 *
 * @param onLost Called before it is done again.
 * @throws MachineLost after five losses in a row
 */
export async function despiteLosses<T>(work: () => Promise<T>, onLost?: () => void): Promise<T> {
  for (let losses = 1; ; losses++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof MachineLost) || losses === MOST_LOSSES) throw error;
    }
    onLost?.();
  }
}
