import { parentPort } from 'node:worker_threads';
import { bytesOf } from '../onnx/encode.js';
import type { DType } from '../onnx/model.js';
import { allocateHost, elements, part } from './arrays.js';
import type { HostArray } from './arrays.js';
import type { Backend, LoadedModel, Tensor } from './backend.js';
import { openCpu } from './cpu.js';
import { unpackViews } from './messages.js';
import type { CompileRequest, Envelope, PlacedView, Reply, Request, RunRequest } from './messages.js';
import { openWebgpu } from './webgpu.js';

/* The engine's thread. ONNX Runtime blocks the thread it is called on, so requests are simply answered one by one, in order. */

interface Bound {
  readonly buffer: number;
  readonly tensor: Tensor;
}

interface Compiled {
  readonly model: LoadedModel;
  readonly request: CompileRequest;
  readonly feeds: Map<string, Bound>;
  readonly into: Map<string, Bound>;
  sizes: Record<string, Tensor>;
  shapes: readonly (readonly number[])[];
}

const buffers = new Map<number, { readonly dtype: DType; readonly data: HostArray }>();
const sessions = new Map<number, Compiled>();
let device: Backend;

const port = parentPort!;
port.on('message', ({ id, request }: Envelope) => {
  let reply: Reply;
  let transfer: ArrayBuffer[] = [];
  try {
    const answer = handle(request);
    reply = { id, value: answer.value };
    transfer = answer.transfer ?? [];
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(reply, transfer);
});

interface Answer {
  readonly value?: unknown;
  readonly transfer?: ArrayBuffer[];
}

function handle(request: Request): Answer {
  switch (request.kind) {
    case 'start':
      device = request.device === 'cpu' ? openCpu(request) : openWebgpu();
      return { value: device.zeroCopy };
    case 'allocate':
      buffers.set(request.buffer, { dtype: request.dtype, data: allocate(request.dtype, request.length) });
      return {};
    case 'upload':
      buffers.set(request.buffer, { dtype: request.dtype, data: request.data });
      return {};
    case 'read': {
      const data = arrayOf(unpackViews(request.view)[0]!).slice();
      return { value: data, transfer: [data.buffer] };
    }
    case 'write':
      assign(arrayOf(unpackViews(request.view)[0]!), request.data);
      return {};
    case 'copy': {
      const views = unpackViews(request.moves);
      for (let i = 0; i < views.length; i += 2) assign(arrayOf(views[i + 1]!), arrayOf(views[i]!));
      return {};
    }
    case 'free':
      free(request.buffer);
      return {};
    case 'compile':
      sessions.set(request.session, {
        model: device.load(request.bytes, request),
        // The bytes are not needed again, and would be kept with the request.
        request: { ...request, bytes: new Uint8Array() },
        feeds: new Map(), into: new Map(), sizes: {}, shapes: [],
      });
      return {};
    case 'run':
      return run(request);
    case 'release':
      sessionOf(request.session).model.release();
      sessions.delete(request.session);
      return {};
  }
}

function run(request: RunRequest): Answer {
  const session = sessionOf(request.session);
  const { inputs, outputs } = session.request;
  for (const placed of unpackViews(request.bind ?? new Float64Array())) session.feeds.set(inputs[placed.slot]!.name, bound(placed));
  for (const placed of unpackViews(request.bindInto ?? new Float64Array())) session.into.set(outputs[placed.slot]!.name, bound(placed));
  if (request.plan !== undefined) {
    session.shapes = request.plan.shapes;
    session.sizes = Object.fromEntries(request.plan.sizes.map((values, i) =>
      [session.request.sizes[i]!, device.tensor('int64', BigInt64Array.from(values, BigInt), [values.length])]));
  }

  const feeds: Record<string, Tensor> = { ...session.sizes };
  for (const [name, { tensor }] of session.feeds) feeds[name] = tensor;
  for (const placed of unpackViews(request.feeds)) feeds[inputs[placed.slot]!.name] = bound(placed).tensor;
  for (const { slot, data, shape } of request.host) feeds[inputs[slot]!.name] = device.tensor(inputs[slot]!.dtype, data, shape);

  const targets: Record<string, Tensor> = {};
  for (const [name, { tensor }] of session.into) targets[name] = tensor;
  for (const placed of unpackViews(request.into)) targets[outputs[placed.slot]!.name] = bound(placed).tensor;
  const fresh: HostArray[] = [];
  outputs.forEach(({ name, dtype }, i) => {
    if (targets[name] !== undefined) return;
    const shape = session.shapes[i]!;
    const data = allocate(dtype, elements(shape));
    fresh.push(data);
    targets[name] = device.tensor(dtype, data, shape);
  });
  session.model.run(feeds, targets);
  return { value: fresh, transfer: fresh.map((data) => data.buffer as ArrayBuffer) };
}

function bound(placed: PlacedView): Bound {
  return { buffer: placed.buffer, tensor: device.tensor(bufferOf(placed).dtype, arrayOf(placed), placed.shape) };
}

/** Sessions must not keep the memory of a freed buffer alive. The main thread refuses runs that would still need it. */
function free(buffer: number): void {
  buffers.delete(buffer);
  for (const session of sessions.values()) {
    for (const kept of [session.feeds, session.into]) {
      for (const [name, entry] of kept) if (entry.buffer === buffer) kept.delete(name);
    }
  }
}

function bufferOf({ buffer }: PlacedView) {
  const held = buffers.get(buffer);
  if (held === undefined) throw new Error(`Buffer ${buffer} was never allocated or has been freed.`);
  return held;
}

function arrayOf(placed: PlacedView): HostArray {
  return part(bufferOf(placed).data, placed.offset, elements(placed.shape));
}

function sessionOf(id: number): Compiled {
  const session = sessions.get(id);
  if (session === undefined) throw new Error(`Session ${id} was never compiled or has been released.`);
  return session;
}

function allocate(dtype: DType, length: number): HostArray {
  try {
    return allocateHost(dtype, length);
  } catch (error) {
    throw new Error(
      `There is no memory for ${length} elements of ${dtype}, ${((length * bytesOf[dtype]) / 1e9).toFixed(1)} GB: ` +
      `${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** Both sides have the same element type; the main thread has checked. */
function assign(target: HostArray, source: HostArray): void {
  (target as Uint8Array).set(source as Uint8Array);
}
