import { expect, it } from 'vitest';
import { elements } from '../../src/runtime/arrays.js';
import type { Tensor } from '../../src/runtime/backend.js';
import { openDeviceViews } from '../../src/runtime/device-views.js';
import type { PlacedView } from '../../src/runtime/messages.js';

// A device in play: its tensors are arrays. Whatever is done, and in whatever order, gives what plain arrays give.
const LENGTH = 12;

it('a thousand orders of reading, writing and computing give what one memory gives', () => {
  // A generator of Park and Miller: the same numbers everywhere.
  let state = 11;
  const random = (n: number): number => (state = (state * 48271) % 2147483647) % n;
  const home = [new Float32Array(LENGTH), new Float32Array(LENGTH)];
  const plain = [new Float32Array(LENGTH), new Float32Array(LENGTH)];
  let [alive, returned] = [0, 0];
  const part = (memory: readonly Float32Array[], { buffer, offset, shape }: PlacedView): Float32Array =>
    memory[buffer]!.subarray(offset, offset + elements(shape));
  const tensorOf = (data: Float32Array): Tensor => {
    alive++;
    return { data, dispose: () => { alive--; } } as unknown as Tensor;
  };
  const views = openDeviceViews((view, tensor) => {
    returned++;
    part(home, view).set(tensor.data as Float32Array);
  });
  const anyView = (): PlacedView => {
    const offset = 3 * random(4);
    return { slot: 0, buffer: random(2), offset, shape: [1 + random(LENGTH - offset)] };
  };
  const fed = (view: PlacedView): Float32Array => {
    const there = views.find(view);
    if (there !== undefined) return (there.data as Float32Array).slice();
    views.settle(view, false);
    const data = part(home, view).slice();
    if (random(2) === 0) views.put(view, tensorOf(data), false);
    return data.slice();
  };
  for (let i = 0; i < 1000; i++) {
    views.sweep();
    const view = anyView();
    const kind = random(4);
    if (kind === 0) {
      views.settle(view, false);
      expect(part(home, view)).toEqual(part(plain, view));
    } else if (kind === 1) {
      views.settle(view, true);
      part(home, view).fill(i);
      part(plain, view).fill(i);
    } else {
      // A run adds one, in place or from another place.
      const from = kind === 2 ? view : { ...anyView(), shape: view.shape };
      if (from.offset + elements(from.shape) > LENGTH) continue;
      const found = fed(from).map((x) => x + 1);
      const wanted = part(plain, from).map((x) => x + 1);
      views.put(view, tensorOf(found), true);
      part(plain, view).set(wanted);
    }
  }
  expect(returned).toBeGreaterThan(100);
  for (const [buffer, memory] of plain.entries()) {
    views.settle({ slot: 0, buffer, offset: 0, shape: [LENGTH] }, false);
    expect(home[buffer]).toEqual(memory);
    views.free(buffer);
  }
  views.sweep();
  expect(alive).toBe(0);
});
