import { parentPort } from 'node:worker_threads';
import { bytesOf } from '../onnx/encode.js';
import type { DType } from '../onnx/model.js';
import { allocateHost, elements, part } from './arrays.js';
import type { HostArray } from './arrays.js';
import type { Backend, LoadedModel, Tensor } from './backend.js';
import { openCpu } from './cpu.js';
import { openCuda } from './cuda.js';
import { DeviceFailed } from './device-failed.js';
import { openDeviceViews } from './device-views.js';
import { unpackViews } from './messages.js';
import type { CompileRequest, Envelope, PlacedView, Reply, Request, RunRequest } from './messages.js';
import { openWebgpu } from './webgpu.js';

/* The engine's thread. ONNX Runtime blocks the thread it is called on, so requests are simply answered one by one, in order. */

interface Bound {
  readonly placed: PlacedView;
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
const onDevice = openDeviceViews((view, tensor) => assign(partOf(view), device.memory!.get(tensor)));

const port = parentPort!;
port.on('message', ({ id, request }: Envelope) => {
  let reply: Reply;
  let transfer: ArrayBuffer[] = [];
  try {
    const answer = handle(request);
    reply = { id, value: answer.value };
    transfer = answer.transfer ?? [];
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error), ofDevice: error instanceof DeviceFailed };
  }
  onDevice.sweep();
  port.postMessage(reply, transfer);
});

function backendOf(request: Request & { readonly kind: 'start' }): Backend {
  switch (request.device) {
    case 'cpu': return openCpu(request);
    case 'webgpu': return openWebgpu();
    case 'cuda': return openCuda(request.cuda!);
  }
}

interface Answer {
  readonly value?: unknown;
  readonly transfer?: ArrayBuffer[];
}

function handle(request: Request): Answer {
  switch (request.kind) {
    case 'start':
      device = backendOf(request);
      return { value: device.zeroCopy };
    case 'allocate':
      buffers.set(request.buffer, { dtype: request.dtype, data: allocate(request.dtype, request.length) });
      return {};
    case 'upload':
      buffers.set(request.buffer, { dtype: request.dtype, data: request.data });
      return {};
    case 'read': {
      const data = readable(unpackViews(request.view)[0]!).slice();
      return { value: data, transfer: [data.buffer] };
    }
    case 'write':
      assign(writable(unpackViews(request.view)[0]!), request.data);
      return {};
    case 'copy': {
      const views = unpackViews(request.moves);
      for (let i = 0; i < views.length; i += 2) assign(writable(views[i + 1]!), readable(views[i]!));
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
  for (const [name, one] of session.feeds) feeds[name] = fed(one);
  for (const placed of unpackViews(request.feeds)) feeds[inputs[placed.slot]!.name] = fed(bound(placed));
  for (const { slot, data, shape } of request.host) feeds[inputs[slot]!.name] = device.tensor(inputs[slot]!.dtype, data, shape);

  const into = new Map(session.into);
  for (const placed of unpackViews(request.into)) into.set(outputs[placed.slot]!.name, bound(placed));
  const targets: Record<string, Tensor> = {};
  const kept: string[] = [];
  for (const [name, { placed, tensor }] of into) {
    if (stays(placed)) kept.push(name);
    else {
      onDevice.settle(placed, true);
      targets[name] = tensor;
    }
  }
  const fresh: HostArray[] = [];
  outputs.forEach(({ name, dtype }, i) => {
    if (into.has(name)) return;
    const shape = session.shapes[i]!;
    const data = allocate(dtype, elements(shape));
    fresh.push(data);
    targets[name] = device.tensor(dtype, data, shape);
  });
  const left = session.model.run(feeds, targets, kept);
  for (const name of kept) onDevice.put(into.get(name)!.placed, left[name]!, true);
  return { value: fresh, transfer: fresh.map((data) => data.buffer as ArrayBuffer) };
}

function bound(placed: PlacedView): Bound {
  return { placed, tensor: device.tensor(bufferOf(placed).dtype, partOf(placed), placed.shape) };
}

/** What moves in no time, it is not worth keeping track of. */
const LEAST_KEPT = 2 ** 16;

/** Whether a part of a buffer stays on the device between runs. */
const stays = (placed: PlacedView): boolean =>
  device.memory !== undefined && bufferOf(placed).dtype === 'float32' && elements(placed.shape) >= LEAST_KEPT;

/** The tensor that a run reads: on the device, where it stays there. */
function fed({ placed, tensor }: Bound): Tensor {
  const there = onDevice.find(placed);
  if (there !== undefined) return there;
  onDevice.settle(placed, false);
  if (!stays(placed)) return tensor;
  const put = device.memory!.put(tensor);
  onDevice.put(placed, put, false);
  return put;
}

/** Sessions must not keep the memory of a freed buffer alive. The main thread refuses runs that would still need it. */
function free(buffer: number): void {
  buffers.delete(buffer);
  onDevice.free(buffer);
  for (const session of sessions.values()) {
    for (const kept of [session.feeds, session.into]) {
      for (const [name, entry] of kept) if (entry.placed.buffer === buffer) kept.delete(name);
    }
  }
}

function bufferOf({ buffer }: PlacedView) {
  const held = buffers.get(buffer);
  if (held === undefined) throw new Error(`Buffer ${buffer} was never allocated or has been freed.`);
  return held;
}

/** A part of a buffer with its newest numbers. */
function readable(placed: PlacedView): HostArray {
  onDevice.settle(placed, false);
  return partOf(placed);
}

/** A part of a buffer that gets new numbers. */
function writable(placed: PlacedView): HostArray {
  onDevice.settle(placed, true);
  return partOf(placed);
}

function partOf(placed: PlacedView): HostArray {
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
