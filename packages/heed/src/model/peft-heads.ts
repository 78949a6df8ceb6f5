import { z } from 'zod';
import type { Head, HeadShape } from './adapter.js';
import { CheckpointError } from './checkpoint/error.js';

/** Where heads that PEFT has no convention for are described: in the weight file's `__metadata__`, {"value":"tokens"}. */
export const HEADS = 'heed_heads';
const Described = z.record(z.string(), z.enum(['last', 'tokens']));

/** A head's tensor. Hugging Face's ForSequenceClassification models call theirs `score`; PEFT keeps it whole (`modules_to_save`). */
export const headTensor = (name: string): string => `base_model.model.${name}.weight`;

/** What the weight file's `__metadata__` says of heads: nothing of a lone `score` at the last token, which Hugging Face's models have. */
export function describeHeads(heads: readonly Head[]): Record<string, string> {
  if (heads.every(({ name, at }) => name === 'score' && at === 'last')) return {};
  return { [HEADS]: JSON.stringify(Object.fromEntries(heads.map(({ name, at }) => [name, at]))) };
}

/** The modules that a configuration saves whole. */
export const savedModules = (saved: unknown): string[] => (Array.isArray(saved) ? saved.filter((name) => typeof name === 'string') : []);

/**
 * The heads of a saved adapter, by name. Without Heed's own description only `score` is known. PEFT itself adds "classifier", what
 * other models call their head, to every SEQ_CLS configuration.
 *
 * @throws CheckpointError where the configuration and the tensors do not belong together
 */
export function readHeads(
  modulesToSave: unknown, tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>, description: string | undefined,
  files: { readonly config: string; readonly weights: string },
): Record<string, HeadShape> {
  const own = described(description, files.weights);
  const saved = savedModules(modulesToSave);
  const named = saved.filter((name) => name in own || name !== 'classifier' || !saved.includes('score'));
  if (named.some((name) => name !== 'score' && !(name in own))) {
    throw new CheckpointError(
      `${files.config}: modules_to_save is ${JSON.stringify(saved)}, which cannot be used (it brings whole modules of its own, and only ` +
      "a head named score can be used): merge the adapter into its model with PEFT's merge_and_unload and use that",
    );
  }
  const score = headTensor('score');
  if (tensors.has(score) && !named.includes('score')) {
    throw new CheckpointError(
      `${files.weights}: has a tensor ${score} that modules_to_save of adapter_config.json does not name: add "score" to it`,
    );
  }
  return Object.fromEntries(named.map((name): [string, HeadShape] => {
    const tensor = headTensor(name);
    const stored = tensors.get(tensor);
    if (stored === undefined) {
      throw new CheckpointError(`${files.weights}: has no tensor ${tensor}, which modules_to_save names: the adapter is incomplete`);
    }
    if (stored.shape.length !== 2) {
      throw new CheckpointError(`${files.weights}: tensor ${tensor} has the shape [${stored.shape.join(', ')}]; a head is a matrix`);
    }
    return [name, { size: stored.shape[0]!, at: own[name] ?? 'last' }];
  }));
}

function described(description: string | undefined, file: string): z.infer<typeof Described> {
  if (description === undefined) return {};
  try {
    return Described.parse(JSON.parse(description));
  } catch {
    throw new CheckpointError(`${file}: its __metadata__ describes the heads as ${description}; {"<name>":"last" or "tokens"} is meant`);
  }
}
