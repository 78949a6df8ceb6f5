import { elements } from './arrays.js';
import type { Tensor } from './backend.js';
import type { PlacedView } from './messages.js';

/** A part of a buffer that is on the device as a tensor. */
interface Kept {
  readonly view: PlacedView;
  readonly tensor: Tensor;
  /** Whether the buffer itself has older numbers. */
  readonly newer: boolean;
}

/** Parts of buffers that are on the device, so that a run need not move what the run before it left there. */
export interface DeviceViews {
  /** The tensor of exactly this part. */
  find(view: PlacedView): Tensor | undefined;
  /** Keeps a tensor as this part of its buffer. */
  put(view: PlacedView, tensor: Tensor, newer: boolean): void;
  /** Before the buffer itself is read there, or written: what is newer on the device comes back; what is to be written leaves it. */
  settle(view: PlacedView, writing: boolean): void;
  /** Forgets a buffer. */
  free(buffer: number): void;
  /** Gives back the device's memory of what has left: a run under way may have been fed it. */
  sweep(): void;
}

const spanOf = ({ offset, shape }: PlacedView): readonly [number, number] => [offset, offset + elements(shape)];
const isSame = (a: PlacedView, b: PlacedView): boolean => a.offset === b.offset && a.shape.join() === b.shape.join();
const overlap = (a: PlacedView, b: PlacedView): boolean => {
  const [[from, to], [start, end]] = [spanOf(a), spanOf(b)];
  return from < end && start < to;
};

/** `bringBack` writes a tensor's numbers into its part of the buffer. */
export function openDeviceViews(bringBack: (view: PlacedView, tensor: Tensor) => void): DeviceViews {
  const kept = new Map<number, Kept[]>();
  const gone: Tensor[] = [];
  const leave = (one: Kept): void => {
    const rest = kept.get(one.view.buffer)!.filter((other) => other !== one);
    if (rest.length === 0) kept.delete(one.view.buffer);
    else kept.set(one.view.buffer, rest);
    gone.push(one.tensor);
  };
  const touching = (view: PlacedView): Kept[] => (kept.get(view.buffer) ?? []).filter((one) => overlap(one.view, view));
  return {
    find: (view) => kept.get(view.buffer)?.find((one) => isSame(one.view, view))?.tensor,
    put(view, tensor, newer) {
      for (const one of touching(view)) {
        if (one.newer && !isSame(one.view, view)) bringBack(one.view, one.tensor);
        leave(one);
      }
      kept.set(view.buffer, [...(kept.get(view.buffer) ?? []), { view, tensor, newer }]);
    },
    settle(view, writing) {
      for (const one of touching(view)) {
        if (one.newer) bringBack(one.view, one.tensor);
        if (writing || one.newer) leave(one);
      }
    },
    free(buffer) {
      for (const one of kept.get(buffer) ?? []) leave(one);
    },
    sweep() {
      for (const tensor of gone.splice(0)) tensor.dispose();
    },
  };
}
