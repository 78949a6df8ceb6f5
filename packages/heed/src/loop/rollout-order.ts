import { createRandom } from '../run/random.js';

/**
 * Which of a round's groups each optimizer step takes: `epochs` passes over them, each in steps of `batch` groups. One step that takes all
 * of them keeps their order; otherwise each pass is shuffled. A last step of a pass may be smaller.
 */
export function minibatches(
  groups: number, { batch, epochs, seed }: { readonly batch: number; readonly epochs: number; readonly seed: number },
): number[][] {
  const all = Array.from({ length: groups }, (_, i) => i);
  return Array.from({ length: epochs }, (_, epoch) => {
    const order = batch >= groups ? all : createRandom('order', seed, epoch).shuffle(all);
    return Array.from({ length: Math.ceil(groups / batch) }, (_, i) => order.slice(i * batch, (i + 1) * batch));
  }).flat();
}
