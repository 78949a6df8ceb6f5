import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import {
  type AdapterPlan, type LoraModule, type LoraOptions, isTarget, layerOf, linearModules, planAdapter, targetsFor,
} from './adapter.js';
import { ADAPTER_CONFIG, adapterFolder } from './adapter-folder.js';
import { CheckpointError, reason, writeFailure } from './checkpoint/error.js';
import type { Checkpoint } from './checkpoint/open.js';
import { readSafetensors } from './checkpoint/safetensors.js';
import { writeSafetensors } from './checkpoint/safetensors-write.js';
import { HEADS, describeHeads, headTensor, readHeads, savedModules } from './peft-heads.js';

/** An adapter's shape and its numbers, `plan.size` of them. */
export interface Adapter {
  readonly plan: AdapterPlan;
  readonly parameters: Float32Array;
}

export interface AdapterToSave extends Adapter {
  /** The base that it was trained on. */
  readonly checkpoint: Checkpoint;
  /** What PEFT shall load as the base (`base_model_name_or_path`): a folder or hub id. Default: the checkpoint's id. */
  readonly modelId?: string;
}

const CONFIG = ADAPTER_CONFIG;
const WEIGHTS = 'adapter_model.safetensors';
/**
 * Where the base's fingerprint is: in the weight file's `__metadata__`, which PEFT does not read (unknown keys of its config make
 * it warn).
 */
const FINGERPRINT = 'heed_base_fingerprint';

/**
 * Writes an adapter as PEFT does (`adapter_config.json` and `adapter_model.safetensors`); one with a head is an adapter for
 * transformers' AutoModelForSequenceClassification, to be loaded with `num_labels` = the head's size. A new folder appears whole or
 * not at all; in an existing one each file does, and while an adapter of another configuration is replaced there is none, rather
 * than a mixed one.
 */
export async function saveAdapter(folder: string, { plan, parameters, checkpoint, modelId = checkpoint.id }: AdapterToSave): Promise<void> {
  if (parameters.length !== plan.size) throw new Error(`The adapter has ${parameters.length} parameters where its plan has ${plan.size}.`);
  const config = configText(plan, modelId);
  const target = path.resolve(folder);
  try {
    const present = await fs.stat(target).catch(() => undefined);
    await fs.mkdir(path.dirname(target), { recursive: true });
    const staging = path.join(path.dirname(target), `.${path.basename(target)}.${randomUUID()}.tmp`);
    await fs.mkdir(staging);
    try {
      await fs.writeFile(path.join(staging, CONFIG), config);
      await writeSafetensors(path.join(staging, WEIGHTS), tensorsOf(plan, parameters), {
        format: 'pt',
        [FINGERPRINT]: checkpoint.fingerprint,
        ...describeHeads(plan.heads),
      });
      if (present === undefined) {
        await fs.rename(staging, target);
        return;
      }
      const before = await fs.readFile(path.join(target, CONFIG), 'utf8').catch(() => undefined);
      if (before !== config) {
        await fs.rm(path.join(target, WEIGHTS), { force: true });
        await fs.rename(path.join(staging, CONFIG), path.join(target, CONFIG));
      }
      await fs.rename(path.join(staging, WEIGHTS), path.join(target, WEIGHTS));
    } finally {
      await fs.rm(staging, { recursive: true, force: true });
    }
  } catch (error) {
    throw error instanceof CheckpointError ? error : writeFailure(target, error);
  }
}

/**
 * Reads a LoRA adapter that Heed or PEFT wrote, for this base; with its head, where it has one.
 *
 * @param given Its folder, or that of the run that trained it.
 * @throws CheckpointError for a damaged adapter, one for another base (names, shapes, or the fingerprint that Heed notes), and
 *   for every feature of PEFT that would change the result and is not known here: named, never ignored
 */
export async function loadAdapter(given: string, checkpoint: Checkpoint): Promise<Adapter> {
  const folder = adapterFolder(given);
  const config = await readConfig(folder);
  const file = path.join(folder, WEIGHTS);
  if (!(await fs.stat(file).catch(() => undefined))) {
    const pickled = await fs.stat(path.join(folder, 'adapter_model.bin')).catch(() => undefined);
    const pickle = '; adapter_model.bin is a pickle, which is not read: save it again with safe_serialization=True';
    throw new CheckpointError(`${file}: is not there${pickled ? pickle : ': the adapter is incomplete'}`);
  }
  const { tensors, metadata } = readSafetensors(file);
  const base = metadata[FINGERPRINT];
  if (base !== undefined && base !== checkpoint.fingerprint) {
    throw new CheckpointError(
      `${folder}: was trained on another base${config.base_model_name_or_path ? ` (${config.base_model_name_or_path})` : ''} than ` +
      `${checkpoint.id}; name that one as the model (the same model from another file, rounded otherwise, is another base)`,
    );
  }
  const names = moduleNames(tensors.keys(), file, config);
  const heads = readHeads(config['modules_to_save'], tensors, metadata[HEADS], { config: path.join(folder, CONFIG), weights: file });
  for (const name of names) checkModule(name, checkpoint, folder);
  const { targets, layers } = modulesOf(config, names, checkpoint, file);
  const plan = planAdapter(checkpoint.tensors.values(), {
    rank: config.r, alpha: config.lora_alpha, targets, dropout: config.lora_dropout, rslora: config.use_rslora, ...layers && { layers },
    ...config.rank_pattern && { rankPattern: config.rank_pattern }, ...config.alpha_pattern && { alphaPattern: config.alpha_pattern },
  }, heads);
  const parameters = new Float32Array(plan.size);
  const rankOf = (tensor: string): number =>
    [...plan.modules.values()].find((module) => tensor.includes(`.${module.name}.`))?.rank ?? config.r;
  for (const { name, offset, shape } of placesOf(plan)) {
    const stored = tensors.get(name);
    if (stored === undefined) throw new CheckpointError(`${file}: has no tensor ${name}: the adapter is incomplete`);
    if (stored.shape.join() !== shape.join()) {
      throw new CheckpointError(
        `${file}: tensor ${name} has the shape [${stored.shape.join(', ')}] where rank ${rankOf(name)} on ${checkpoint.id} needs ` +
        `[${shape.join(', ')}]: the adapter is for another base`,
      );
    }
    if (!stored.data.every(Number.isFinite))
      throw new CheckpointError(`${file}: tensor ${name} has values that are not finite: the training that made it diverged`);
    parameters.set(stored.data, offset);
  }
  return { plan, parameters };
}

const tensorName = ({ name }: Pick<LoraModule, 'name'>, letter: 'A' | 'B'): string => `base_model.model.${name}.lora_${letter}.weight`;

/** Every tensor of an adapter by PEFT's name, and its place in the flat array. */
function placesOf({
  modules,
  heads,
}: AdapterPlan): { readonly name: string; readonly offset: number; readonly shape: readonly [number, number] }[] {
  const factors = [...modules.values()].flatMap((module) =>
    (['A', 'B'] as const).map((letter) => ({ name: tensorName(module, letter), ...(letter === 'A' ? module.a : module.b) })),
  );
  return [...factors, ...heads.map(({ name, offset, size, width }) => ({ name: headTensor(name), offset, shape: [size, width] as const }))];
}

const tensorsOf = (plan: AdapterPlan, parameters: Float32Array) =>
  placesOf(plan).map(({ name, offset, shape }) => ({
    name,
    dtype: 'float32' as const,
    shape,
    data: parameters.subarray(offset, offset + shape[0] * shape[1]),
  }));

/** PEFT's configuration: its defaults for what Heed has no word for. */
function configText({ options, heads }: AdapterPlan, modelId: string): string {
  return `${JSON.stringify(
    {
      alpha_pattern: options.alphaPattern ?? {},
      auto_mapping: null,
      base_model_name_or_path: modelId,
      bias: 'none',
      fan_in_fan_out: false,
      inference_mode: true,
      init_lora_weights: true,
      layers_pattern: null,
      layers_to_transform: options.layers ?? null,
      lora_alpha: options.alpha,
      lora_dropout: options.dropout,
      modules_to_save: heads.length === 0 ? null : heads.map(({ name }) => name),
      peft_type: 'LORA',
      r: options.rank,
      rank_pattern: options.rankPattern ?? {},
      revision: null,
      target_modules: options.targets,
      task_type: heads.some(({ at }) => at === 'last') ? 'SEQ_CLS' : 'CAUSAL_LM',
      use_dora: false,
      use_rslora: options.rslora,
    },
    null,
    2,
  )}\n`;
}

/** Numbers of some modules, by regular expressions for the end of their names; none where the file says null. */
const pattern = (value: z.ZodNumber) =>
  z.record(z.string().refine(isExpression, { error: 'is no regular expression that can be read here' }), value).nullish()
    .transform((patterns) => (patterns && Object.keys(patterns).length > 0 ? patterns : undefined));

function isExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

const Config = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive(),
  lora_alpha: z.number(),
  lora_dropout: z.number().min(0).lt(1).default(0),
  use_rslora: z.boolean().default(false),
  rank_pattern: pattern(z.int().positive()),
  alpha_pattern: pattern(z.number()),
  target_modules: z.union([z.string(), z.array(z.string())]),
  base_model_name_or_path: z.string().nullish(),
});
type Config = z.infer<typeof Config>;

/**
 * Keys that do not change what the saved numbers mean, at any value: who, how it was initialised and which modules (the file names
 * those).
 */
const HARMLESS = new Set([
  ...Object.keys(Config.shape),
  'auto_mapping', 'exclude_modules', 'inference_mode', 'layers_pattern', 'layers_to_transform', 'megatron_core', 'eva_config',
  'peft_version', 'qalora_group_size', 'revision', 'runtime_config', 'task_type', 'ensure_weight_tying',
]);
/** Ways to initialise that leave the base's weights as they are; the others (PiSSA, OLoRA, CorDA, LoftQ …) subtract from them. */
const INITIALS: readonly unknown[] = [true, false, 'gaussian', 'eva', 'orthogonal'];
const REASONS: Readonly<Record<string, string>> = {
  use_dora: 'DoRA scales the weights too',
  modules_to_save: 'it brings whole modules of its own',
  bias: 'it trains biases',
};

async function readConfig(folder: string): Promise<Config> {
  const file = path.join(folder, CONFIG);
  let json: unknown;
  try {
    json = JSON.parse(await fs.readFile(file, 'utf8'));
  } catch (error) {
    throw new CheckpointError(
      `${file}: ${error instanceof SyntaxError ? 'is not JSON' : 'could not be read'}: ${reason(error)}; a folder that PEFT's ` +
      'save_pretrained or Heed wrote is needed',
      { cause: error },
    );
  }
  const parsed = Config.safeParse(json);
  if (!parsed.success)
    throw new CheckpointError(
      `${file}: is not the configuration of a LoRA adapter: ` +
      `${parsed.error.issues.map((i) => `${i.path.join('.') || 'the file'}: ${i.message}`).join('; ')}`,
    );
  const config = parsed.data;
  for (const [key, value] of Object.entries(config)) {
    const fine =
      HARMLESS.has(key) ||
      (key === 'modules_to_save' && Array.isArray(value)) || // → `readHeads`
      (key === 'init_lora_weights' ? INITIALS.includes(value) : isUnused(value));
    if (!fine)
      throw new CheckpointError(
        `${file}: ${key} is ${JSON.stringify(value)}, which cannot be used${REASONS[key] ? ` (${REASONS[key]})` : ''}: merge the ` +
        `adapter into its model with PEFT's merge_and_unload and use that`,
      );
  }
  return config;
}

const isUnused = (value: unknown): boolean =>
  value === null || value === false || value === 'none' || (typeof value === 'object' && Object.keys(value).length === 0);

function moduleNames(tensorNames: Iterable<string>, file: string, config: Config): Set<string> {
  const heads = new Set(savedModules(config['modules_to_save']).map(headTensor)).add(headTensor('score'));
  const names = new Set<string>();
  for (const tensor of tensorNames) {
    if (heads.has(tensor)) continue;
    const module = /^base_model\.model\.(.+)\.lora_[AB]\.weight$/.exec(tensor)?.[1];
    if (module === undefined)
      throw new CheckpointError(`${file}: tensor ${tensor} is not a factor of a LoRA adapter on a linear module, and cannot be used`);
    names.add(module);
  }
  if (names.size === 0) throw new CheckpointError(`${file}: has no tensors`);
  return names;
}

function checkModule(name: string, { id, tensors }: Checkpoint, folder: string): void {
  const weight = tensors.get(`${name}.weight`);
  if (weight !== undefined && name.includes('.layers.') && weight.shape.length === 2) return;
  if (weight !== undefined || name === 'lm_head')
    throw new CheckpointError(`${folder}: adapts ${name}; only linear modules of the layers can carry adapters`);
  throw new CheckpointError(`${folder}: adapts ${name}, which ${id} does not have: the adapter is for another base`);
}

/** The targets and layers that pick exactly the modules of the file: as its configuration lists them, if it does. */
function modulesOf(
  config: Config, names: ReadonlySet<string>, { tensors }: Checkpoint, file: string,
): Pick<LoraOptions, 'targets' | 'layers'> {
  const linear = linearModules(tensors.values());
  const terse = targetsFor(names, linear);
  const pick = (targets: readonly string[], layers?: readonly number[]): string[] =>
    linear.filter((module) => targets.some((target) => isTarget(module, target)) && layers?.includes(layerOf(module)) !== false);
  const { target_modules: wanted, layers_to_transform: transformed, exclude_modules: excluded } = config;
  if (!Array.isArray(wanted) || (excluded ?? undefined) !== undefined) return terse;
  const layers = transformed === undefined || transformed === null ? undefined : [transformed].flat() as number[];
  const missing = pick(wanted, layers).filter((module) => !names.has(module));
  if (missing.length > 0) {
    throw new CheckpointError(
      `${file}: has nothing for ${missing.slice(0, 3).join(', ')}, which target_modules names: the adapter is incomplete or for ` +
      'another base',
    );
  }
  // PEFT's list may name what the model lacks, and its order is kept.
  const used = wanted.filter((target) => linear.some((module) => isTarget(module, target)));
  return used.length <= terse.targets.length && pick(used, terse.layers).length === names.size ? { ...terse, targets: used } : terse;
}
