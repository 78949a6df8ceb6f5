// @ts-check
// GGUF files of the default model, for llama_cpp.py: as it is, with an adapter merged in, and the adapter alone.
import { writeFileSync } from 'node:fs';
import { createRandom, exportGguf, exportGgufLora, initialParameters, openCheckpoint, planAdapter } from '@heed/heed';

/** Every linear module, rank-stabilised, and one kind of module with an alpha of its own: all that a LoRA file must make up for. */
const OPTIONS = {
  rank: 4, alpha: 8, targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'], dropout: 0, rslora: true,
  alphaPattern: { down_proj: 4 },
};
/** The spread of B, whose values are normal: so large that the model writes something else. */
const SPREAD = 0.03;

/**
 * Writes the files into an empty folder.
 *
 * @param {string} folder
 */
export async function writeModels(folder) {
  writeFileSync(`${folder}/adapter.json`, JSON.stringify({ options: OPTIONS, spread: SPREAD }));
  const checkpoint = await openCheckpoint();
  const plan = planAdapter(checkpoint.tensors.values(), OPTIONS), parameters = initialParameters(plan, 1);
  // B is 0 at first: the model as it is.
  await exportGguf(checkpoint, { plan, parameters }, `${folder}/base.gguf`, 'f16');
  const random = createRandom('llama.cpp', 0);
  for (const { b } of plan.modules.values()) {
    for (let i = 0; i < b.shape[0] * b.shape[1]; i++) parameters[b.offset + i] = SPREAD * random.normal();
  }
  await exportGguf(checkpoint, { plan, parameters }, `${folder}/merged.gguf`, 'f16');
  await exportGguf(checkpoint, { plan, parameters }, `${folder}/merged-q8_0.gguf`, 'q8_0');
  await exportGgufLora(checkpoint, { plan, parameters }, `${folder}/lora.gguf`);
}
