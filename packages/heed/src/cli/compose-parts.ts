/** What `--adapter` of `heed compose` may say: a folder, or a section. */
import { z } from 'zod';

import { UserError } from '../errors.js';
import type { Part } from '../model/compose.js';
import type { Model } from '../model/load.js';
import { loadAdapter } from '../model/peft.js';
import { describeIssues } from '../run/recipe-problems.js';
import { AdapterLayers, AdapterTargets, adapterLayers, adapterTargets } from '../run/recipe-schemas.js';
import { parseYamlValue } from '../run/recipe-yaml.js';

const PartOptions = z.strictObject({
  from: z.string().min(1),
  weight: z.number().default(1),
  /** Which of the adapter's layers and modules count, as `adapter.layers` and `adapter.targets` of a recipe say it. Default: all. */
  layers: AdapterLayers.optional(),
  targets: AdapterTargets.optional(),
});

/** Reads one `--adapter`, and the adapter that it names. @throws UserError naming what is wrong with it */
export async function readPart(given: string, { checkpoint }: Model): Promise<Part> {
  const value = given.trimStart().startsWith('{') ? parseYamlValue(given, '--adapter') : { from: given };
  const { data, error } = PartOptions.safeParse(value, { reportInput: true });
  if (data === undefined) throw new UserError(describeIssues(error.issues, PartOptions, value, () => '--adapter').join('\n'));
  const { from, weight, layers, targets } = data;
  return {
    name: given, weight, adapter: await loadAdapter(from, checkpoint),
    layers: layers && adapterLayers(layers), targets: targets && adapterTargets(targets, checkpoint.tensors.values()),
  };
}
