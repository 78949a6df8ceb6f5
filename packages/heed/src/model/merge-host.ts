import { type LoraModule, requireNoHead } from './adapter.js';
import type { Adapter } from './peft.js';
import { readTensor, type Checkpoint } from './checkpoint/open.js';
import type { MergedTensor } from './export.js';

/**
 * W + s·B·A of every adapted module, one after the other, for `exportMerged`. Sums are in 64 bits and rounded to 32 once, so
 * the result is the nearest float to the exact one; memory is that of one module.
 *
 * @param onModule is told how many modules are done
 */
export async function* mergedTensors(
  checkpoint: Checkpoint,
  { plan, parameters }: Adapter,
  onModule?: (done: number) => void,
): AsyncGenerator<MergedTensor> {
  requireNoHead(plan);
  let done = 0;
  for (const module of plan.modules.values()) {
    const { name, inputs, outputs } = module;
    yield { name: `${name}.weight`, shape: [outputs, inputs], data: await mergedModule(checkpoint, parameters, module) };
    onModule?.(++done);
  }
}

/** W + s·B·A of one module, [out, in]. */
export async function mergedModule(
  checkpoint: Checkpoint, parameters: Float32Array, { name, inputs, outputs, rank, scale, a, b }: LoraModule,
): Promise<Float32Array> {
  const data = await readTensor(checkpoint, `${name}.weight`);
  const factors = new Float64Array(rank),
    row = new Float64Array(inputs);
  const rows = Array.from({ length: rank }, (_, r) => parameters.subarray(a.offset + r * inputs, a.offset + (r + 1) * inputs));
  for (let o = 0; o < outputs; o++) {
    for (let r = 0; r < rank; r++) factors[r] = parameters[b.offset + o * rank + r]! * scale;
    row.fill(0);
    addRows(row, rows, factors);
    for (let i = 0, at = o * inputs; i < inputs; i++, at++) data[at] = data[at]! + row[i]!;
  }
  return data;
}

/** row += Σ factor·row, four at a time: what limits this is the passes over `row`. */
function addRows(row: Float64Array, rows: readonly Float32Array[], factors: Float64Array): void {
  let r = 0;
  for (; r + 4 <= rows.length; r += 4) {
    const [a, b, c, d] = rows.slice(r, r + 4) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const e = factors[r]!, f = factors[r + 1]!, g = factors[r + 2]!, h = factors[r + 3]!;
    for (let i = 0; i < row.length; i++) row[i]! += e * a[i]! + f * b[i]! + g * c[i]! + h * d[i]!;
  }
  for (; r < rows.length; r++) {
    const a = rows[r]!, e = factors[r]!;
    for (let i = 0; i < row.length; i++) row[i]! += e * a[i]!;
  }
}
