import type { Adapter } from './peft.js';
import { readTensor, type Checkpoint } from './checkpoint/open.js';
import type { MergedTensor } from './export.js';

/**
 * W + s·B·A of every adapted module, one after the other, for `exportMerged`. Sums are in 64 bits and rounded to 32 once, so
 * the result is the nearest float to the exact one; memory is that of one module.
 */
export async function* mergedTensors(checkpoint: Checkpoint, { plan, parameters }: Adapter): AsyncGenerator<MergedTensor> {
  const { rank } = plan.options;
  for (const { name, inputs, outputs, a, b } of plan.modules.values()) {
    const data = await readTensor(checkpoint, `${name}.weight`);
    const row = new Float64Array(inputs);
    for (let o = 0; o < outputs; o++) {
      row.fill(0);
      for (let r = 0; r < rank; r++) {
        const factor = parameters[b.offset + o * rank + r]! * plan.scale;
        if (factor === 0) continue;
        const from = a.offset + r * inputs;
        for (let i = 0; i < inputs; i++) row[i]! += factor * parameters[from + i]!;
      }
      for (let i = 0, at = o * inputs; i < inputs; i++, at++) data[at] = data[at]! + row[i]!;
    }
    yield { name: `${name}.weight`, shape: [outputs, inputs], data };
  }
}
