import { availableParallelism } from 'node:os';
import type { DType } from '../onnx/model.js';
import type { Program } from '../program.js';
import { dtypeOf, elements, holds, hostName, ownCopy, view } from './arrays.js';
import type { Buffer, HostArray, View } from './arrays.js';
import { compileProgram } from './compile.js';
import { requireShortCommandLine } from './cpu.js';
import { type CudaFiles, type Device, type DeviceName, chooseDevice, deviceByDefault } from './device.js';
import { packViews } from './messages.js';
import { ResidentPeak } from './resident.js';
import { EngineSession } from './session.js';
import type { Session } from './session.js';
import { startThread } from './thread.js';
import type { Engine, Team } from './team.js';
import type { Thread } from './thread.js';

export { view } from './arrays.js';
export type { Buffer, HostArray, View } from './arrays.js';
export type { Feed, HostTensor, Session } from './session.js';
export { type Engine, MachineLost, type Team, despiteLosses } from './team.js';
export { DeviceFailed } from './device-failed.js';
export { type Posts, createPosts } from './posts.js';
export type { Thread } from './thread.js';
export type { Request, RunRequest } from './messages.js';

export interface EngineOptions {
  /** Default: what the environment variable HEED_DEVICE says, else cpu. */
  readonly device?: DeviceName;
  /** Where `device: cuda` lies. Needed for it, and for nothing else. */
  readonly cuda?: CudaFiles;
  /** Threads of each session. Default: `os.availableParallelism()`. */
  readonly threads?: number;
  /**
   * False fetches and copies outputs as the public API of ONNX Runtime does: slower, for telling whether zero copy is at fault.
   * Default: true.
   */
  readonly zeroCopy?: boolean;
}

/** Starts an engine; it does not keep the process alive while nothing is asked of it. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const { device: asked = deviceByDefault(), threads = availableParallelism(), zeroCopy = true } = options;
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`The engine needs a whole number of threads, at least 1, not ${threads}.`);
  requireShortCommandLine();
  const device = await chooseDevice(asked);
  if (device.kind === 'cuda') {
    if (options.cuda === undefined) throw new Error('The device cuda is not part of the npm package: say where its files lie (`cuda`).');
    // Products of float32 would be rounded to 19 bits otherwise. NVIDIA's libraries read it from the environment of the process.
    process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  }
  const thread = startThread();
  try {
    const direct = (await thread.ask({ kind: 'start', device: device.kind, cuda: options.cuda, threads, zeroCopy })) as boolean;
    return new ThreadEngine(thread, device, direct, { threads });
  } catch (error) {
    await thread.close();
    throw new Error(`ONNX Runtime could not be started: ${(error as Error).message}`, { cause: error });
  }
}

/** An engine elsewhere. */
export interface EngineElsewhere {
  /** Threads of each session there. */
  readonly threads: number;
  /** The number of its first buffer and of its first session. Default: 0. */
  readonly from?: number;
  /** Whether a buffer of another engine is there too. Default: none is. */
  readonly shares?: (buffer: Buffer) => boolean;
  /** What the engine says of its machines, given how to tell its own buffers. */
  readonly team?: (holds: (buffer: Buffer) => boolean) => Team;
}

/** An engine on CPUs whose requests `thread` answers, wherever that is. */
export const engineOver = (thread: Thread, elsewhere: EngineElsewhere): Engine =>
  new ThreadEngine(thread, { kind: 'cpu' }, false, elsewhere);

class ThreadEngine implements Engine {
  readonly threads: number;
  readonly team?: Team;
  private readonly live = new Map<number, Buffer>();
  private nextBuffer: number;
  private nextSession: number;
  private readonly shares: (buffer: Buffer) => boolean;
  private readonly resident = new ResidentPeak();

  constructor(
    private readonly thread: Thread, readonly device: Device, readonly zeroCopy: boolean,
    { threads, from = 0, shares = () => false, team }: EngineElsewhere,
  ) {
    this.threads = threads;
    this.nextBuffer = this.nextSession = from;
    this.shares = shares;
    this.team = team?.((buffer) => this.live.get(buffer.id) === buffer);
  }

  async allocate(dtype: DType, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(length) || length < 0) throw new Error(`A buffer's length is a whole number of elements, not ${length}.`);
    const buffer = { id: this.nextBuffer++, dtype, length };
    await this.thread.ask({ kind: 'allocate', buffer: buffer.id, dtype, length });
    return this.keep(buffer);
  }

  async upload(data: HostArray, dtype: DType = dtypeOf(data)): Promise<Buffer> {
    if (!holds(data, dtype)) throw new Error(`${dtype} elements are uploaded as ${hostName(dtype)}, but the array holds ${dtypeOf(data)}.`);
    const buffer = { id: this.nextBuffer++, dtype, length: data.length };
    const copy = ownCopy(data, dtype);
    await this.thread.ask({ kind: 'upload', buffer: buffer.id, dtype, data: copy }, [copy.buffer]);
    return this.keep(buffer);
  }

  async read(from: View): Promise<HostArray> {
    this.check(from, 'read');
    return (await this.thread.ask({ kind: 'read', view: packViews([[0, from]]) })) as HostArray;
  }

  async write(to: View, data: HostArray): Promise<void> {
    this.check(to, 'write');
    const { dtype } = to.buffer;
    if (!holds(data, dtype) || data.length !== elements(to.shape)) {
      throw new Error(
        `write: the view takes ${elements(to.shape)} elements of a ${hostName(dtype)}, but was given ${data.length} of ${dtypeOf(data)}.`,
      );
    }
    const copy = ownCopy(data, dtype);
    await this.thread.ask({ kind: 'write', view: packViews([[0, to]]), data: copy }, [copy.buffer]);
  }

  async copy(moves: readonly { readonly from: View; readonly to: View }[]): Promise<void> {
    for (const [i, { from, to }] of moves.entries()) {
      this.check(from, `copy: source ${i}`);
      this.check(to, `copy: target ${i}`);
      if (from.buffer.dtype !== to.buffer.dtype || elements(from.shape) !== elements(to.shape)) {
        throw new Error(
          `copy: move ${i} is from ${from.buffer.dtype} [${from.shape.join(', ')}] to ${to.buffer.dtype} [${to.shape.join(', ')}].`,
        );
      }
    }
    await this.thread.ask({ kind: 'copy', moves: packViews(moves.flatMap(({ from, to }, i) => [[i, from], [i, to]] as const)) });
  }

  async free(buffer: Buffer): Promise<void> {
    this.check(view(buffer), 'free');
    if (!this.live.delete(buffer.id)) throw new Error('free: the buffer belongs to another engine.');
    await this.thread.ask({ kind: 'free', buffer: buffer.id });
  }

  async compile(given: Program, { prepack = false }: { readonly prepack?: boolean } = {}): Promise<Session> {
    const nextSession = (): number => this.nextSession++;
    const { session, program } = await compileProgram(this.thread, given, { device: this.device.kind, prepack, nextSession });
    return new EngineSession(this.thread, session, program, (view, what) => this.check(view, what), () => this.resident.sample());
  }

  async memory(): Promise<{ rss: number; peakRss: number }> {
    this.resident.sample();
    return { rss: process.memoryUsage.rss(), peakRss: this.resident.peak };
  }

  async close(): Promise<void> {
    await this.thread.close();
  }

  private keep(buffer: Buffer): Buffer {
    this.live.set(buffer.id, buffer);
    return buffer;
  }

  private check({ buffer, offset, shape }: View, what: string): void {
    if (this.live.get(buffer.id) !== buffer && !this.shares(buffer))
      throw new Error(`${what}: the ${buffer.dtype} buffer of ${buffer.length} elements was freed, or belongs to another engine.`);
    if (offset + elements(shape) > buffer.length)
      throw new Error(`${what}: [${shape.join(', ')}] at element ${offset} does not fit a buffer of ${buffer.length} elements.`);
  }
}
