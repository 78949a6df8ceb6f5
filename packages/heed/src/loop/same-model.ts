import { join } from 'node:path';
import { fingerprint } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import { digestOfFile } from '../run/digest.js';
import type { RunFolder } from '../run/folder.js';
import { sameAsBefore } from '../run/same-as-before.js';

/**
 * Holds a run to the model that it began with: its weights (a sample of them), configuration, template and tokenizer, wherever they lie.
 *
 * @throws UserError where a run that goes on finds another model
 */
export async function sameModel(run: Pick<RunFolder, 'path'>, model: Model): Promise<void> {
  const { checkpoint: { id, home }, template: { stopIds } } = model;
  const vocabulary = (await digestOfFile(join(home, 'tokenizer.json'))).slice(0, 12);
  const parts = [fingerprint(model), `tokenizer ${vocabulary}`, `answers end at ${stopIds.join(', ')}`];
  await sameAsBefore(run.path('work', 'model.json'), parts, `The model ${id} is not the one`);
}
