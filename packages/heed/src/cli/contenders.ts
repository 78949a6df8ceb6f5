/** Those that `heed compare` compares, as a command names them. */
import { UserError } from '../errors.js';
import type { Contender } from '../evaluate/compare.js';
import type { Model } from '../model/load.js';
import { trainedPrompts } from '../loop/trained-prompts.js';
import { loadAdapter } from '../model/peft.js';
import { type ModelFlags, loadBase } from './base.js';
import { named } from './named.js';
import type { Output } from './output.js';

/** The word for the model without an adapter. */
export const BASE = 'base';

/**
 * Loads the adapters that are named, and the base that they share.
 *
 * @param specs `base`, the folder of a run or of an adapter, or NAME=FOLDER.
 * @throws UserError where two have one name, or an adapter cannot be loaded
 */
export async function contendersOf(
  specs: readonly string[], flags: Pick<ModelFlags, 'model' | 'template'>, out: Output,
): Promise<{ readonly model: Model; readonly contenders: readonly Contender[] }> {
  const all = specs.map((spec) => (spec === BASE ? [BASE, undefined] as const : named([spec])[0]!));
  const names = all.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`Two of those to compare are named ${twice}.`, ['Name them: NAME=FOLDER.']);
  const { model } = await loadBase(flags, all.flatMap(([, folder]) => folder ?? []), out);
  const contenders: Contender[] = [];
  for (const [name, folder] of all) {
    if (folder === undefined) contenders.push({ name });
    else contenders.push({ name, adapter: await loadAdapter(folder, model.checkpoint), ...(await trainingOf(name, folder, out)) });
  }
  return { model, contenders };
}

/** What a contender learnt from, where its run says so. */
async function trainingOf(name: string, folder: string, out: Output): Promise<Pick<Contender, 'trainedOn'>> {
  try {
    const trainedOn = await trainedPrompts(folder);
    return trainedOn === undefined ? {} : { trainedOn };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    out.note(`Whether prompts are in the training data of ${name} cannot be told: ${error.message}`);
    return {};
  }
}
