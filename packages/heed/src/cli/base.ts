/** Which base an adapter is for, as its run or its own configuration says. */
import fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { UserError } from '../errors.js';
import { ADAPTER_CONFIG, adapterFolder } from '../model/adapter-folder.js';
import type { Model } from '../model/load.js';
import { PRECISIONS, type Precision } from '../run/precision.js';
import type { Output } from './output.js';

/** Which model a verb runs. */
export interface ModelFlags {
  readonly model?: string;
  readonly adapter?: string;
  readonly template?: 'chat' | 'alpaca';
}

/** A base, and the template that it was trained with. */
export interface Base extends Pick<ModelFlags, 'model' | 'template'> {
  /** What its matrices were in memory, where a run says so. */
  readonly precision?: Precision;
  /** The file that says so. */
  readonly said?: string;
}

const textOf = async (file: string): Promise<string | undefined> =>
  fs.readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });

/**
 * The base of an adapter: `model` and `template` of the recipe of its run, else PEFT's `base_model_name_or_path`; nothing where neither is
 * there.
 */
export async function baseOf(adapter: string): Promise<Base> {
  const folder = adapterFolder(adapter);
  const config = join(folder, ADAPTER_CONFIG);
  const recipe = join(dirname(resolve(folder)), 'recipe.yaml');
  const [run, own] = await Promise.all([textOf(recipe), textOf(config)]);
  // What is not a configuration is refused where the adapter is read, in better words.
  if (own === undefined) return {};
  const { model, template, precision } = run === undefined ? {} : await recipeOf(run);
  if (typeof model === 'string') {
    return {
      model, said: recipe, ...(template === 'chat' || template === 'alpaca' ? { template } : {}),
      ...(PRECISIONS.some((one) => one === precision) ? { precision: precision as Precision } : {}),
    };
  }
  const name = nameIn(own);
  return name === undefined ? {} : { model: name, said: config };
}

async function recipeOf(text: string): Promise<Record<string, unknown>> {
  const { parse } = await import('yaml');
  try {
    return ((parse(text, { maxAliasCount: 0 }) as unknown) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function nameIn(config: string): string | undefined {
  try {
    const name = (JSON.parse(config) as { base_model_name_or_path?: unknown } | null)?.base_model_name_or_path;
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens a model, by `open`: the one that the flags name, else the base of the adapters.
 *
 * @throws UserError where the adapters are of several bases and no model is named; what `open` throws
 */
export async function openBase<T>(
  { model: given, template: asked }: Pick<ModelFlags, 'model' | 'template'>, adapters: readonly string[], open: (base: Base) => Promise<T>,
): Promise<T> {
  const bases = await Promise.all(adapters.map(baseOf));
  const other = (key: 'model' | 'template'): Base | undefined => bases.find((base) => base[key] !== bases[0]![key]);
  const another = given === undefined ? other('model') : undefined;
  if (another !== undefined) {
    const named = ({ model = 'one that is not named' }: Base): string => model;
    throw new UserError(`These adapters are of two bases: ${named(bases[0]!)} and ${named(another)}.`, [
      'Name the base of all of them: --model MODEL. An adapter of another base needs a command of its own.',
    ]);
  }
  const { model, said, template } = bases[0] ?? {};
  try {
    return await open({ model: given ?? model, template: asked ?? (other('template') ? undefined : template) });
  } catch (error) {
    if (given !== undefined || said === undefined || !(error instanceof UserError)) throw error;
    throw new UserError(error.message, [...error.hints, `${said} names that base. Name the one that you have: --model MODEL.`], {
      cause: error,
    });
  }
}

/** `openBase` for a model that reads and writes. Gives its name too: undefined for the default model. */
export async function loadBase(
  { precision, ...flags }: Pick<ModelFlags, 'model' | 'template'> & { readonly precision?: Precision }, adapters: readonly string[],
  out: Output,
): Promise<{ readonly model: Model; readonly name: string | undefined }> {
  const { loadModel } = await import('../model/load.js');
  // What is rounded is rounded where it is used: the model itself stays as it is.
  const opened = precision === 'gguf' ? precision : 'f32';
  for (const adapter of adapters) {
    const line = otherPrecision(adapter, (await baseOf(adapter)).precision, precision);
    if (line !== undefined) out.note(line);
  }
  return openBase(flags, adapters, async ({ model: name, template }) =>
    ({ model: await loadModel(name, { template, precision: opened, log: (line) => out.note(line) }), name }));
}

/**
 * What is said of an adapter that was trained on a base rounded otherwise than it is now. Codes of a GGUF file are its numbers, as f32 is.
 *
 * @param now Undefined where the verb takes no --precision, and the base is in f32.
 */
function otherPrecision(adapter: string, trained: Precision | undefined, now: Precision | undefined): string | undefined {
  const rounding = (one: Precision = 'f32'): Precision => (one === 'gguf' ? 'f32' : one);
  if (trained === undefined || rounding(trained) === rounding(now)) return undefined;
  const way = now === undefined ? '' : `; --precision ${trained} takes it as it was`;
  return `${adapter} was trained on its base in ${trained}, and here the base is in ${now ?? 'f32'}${way}.`;
}
