import fs from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError, writeFailure } from './checkpoint/error.js';
import { readTensor, type Checkpoint } from './checkpoint/open.js';
import { exportTokenizer } from './export-tokenizer.js';
import { openSafetensorsWriter } from './checkpoint/safetensors-write.js';

/** A tensor of the base with an adapter added to it. */
export interface MergedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Files that say how to talk to a model, carried along where the base has them. */
const COMPANIONS = [
  'generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json',
  'tokenizer.model', 'vocab.json', 'merges.txt', 'chat_template.jinja', 'chat_template.json',
];

/**
 * Write a whole Hugging Face model: the base's tensors with those of `merged` in their place, as 32-bit floats, with
 * config.json and the tokenizer's files.
 *
 * @param merged in any order, made when asked for; what it does not name is copied from the base
 * @param outFolder is created; must not hold a model yet, and may not be the base's folder
 */
export async function exportMerged(
  checkpoint: Checkpoint,
  merged: Iterable<MergedTensor> | AsyncIterable<MergedTensor>,
  outFolder: string,
): Promise<void> {
  const target = path.resolve(outFolder),
    file = path.join(target, 'model.safetensors');
  if (target === checkpoint.home) throw new CheckpointError(`${outFolder}: is the base model's own folder; name another`);
  if (await fs.stat(file).catch(() => undefined)) throw new CheckpointError(`${file}: exists already; remove it or name another folder`);
  await fs.mkdir(target, { recursive: true }).catch((error: unknown) => {
    throw writeFailure(target, error);
  });
  const specs = [...checkpoint.tensors.values()].map(({ name, shape }) => ({ name, shape, dtype: 'float32' as const }));
  const writer = await openSafetensorsWriter(file, specs);
  try {
    const done = new Set<string>();
    for await (const { name, shape, data } of merged) {
      const base = checkpoint.tensors.get(name);
      if (!base) throw new CheckpointError(`the merged tensor ${name} is not one of ${checkpoint.id}'s`);
      if (shape.join() !== base.shape.join())
        throw new CheckpointError(
          `the merged tensor ${name} has the shape [${shape.join(', ')}], but ${checkpoint.id}'s has [${base.shape.join(', ')}]`,
        );
      if (done.has(name)) throw new CheckpointError(`the merged tensor ${name} was given twice`);
      done.add(name);
      await writer.write(name, data);
    }
    for (const { name } of specs) if (!done.has(name)) await writer.write(name, await readTensor(checkpoint, name));
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  try {
    await fs.writeFile(
      path.join(target, 'config.json'),
      `${JSON.stringify({ ...checkpoint.config, torch_dtype: undefined, dtype: 'float32' }, null, 2)}\n`,
    );
    const isThere = async (name: string): Promise<boolean> =>
      (await fs.stat(path.join(checkpoint.home, name)).catch(() => undefined)) !== undefined;
    for (const name of COMPANIONS) {
      if (await isThere(name)) await fs.copyFile(path.join(checkpoint.home, name), path.join(target, name));
    }
    const tokenizes = (await Promise.all(['tokenizer.json', 'tokenizer_config.json'].map(isThere))).every(Boolean);
    if (tokenizes) await exportTokenizer(checkpoint.home, target);
  } catch (error) {
    throw writeFailure(target, error);
  }
}
