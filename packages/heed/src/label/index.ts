/** Every labeler that a recipe can name. Adding one is a file and a line here. */
import { z } from 'zod';

import { UserError } from '../errors.js';
import { loadExport, namesExport } from '../run/user-module.js';
import { judgments } from './judgments.js';
import { type AnyLabeler, isLabeler } from './labeler.js';
import { preferences } from './preferences.js';
import { principles } from './principles.js';
import { revisions } from './revisions.js';
import { scores } from './scores.js';

/** Labelers by the names that recipes give them. */
export type Labelers = Readonly<Record<string, AnyLabeler>>;

export const LABELERS: Labelers = {
  [preferences.name]: preferences,
  [scores.name]: scores,
  [principles.name]: principles,
  [judgments.name]: judgments,
  [revisions.name]: revisions,
};

/** `label:` of a recipe: a labeler's name and its options. */
export type LabelOptions = { readonly name: string } & Readonly<Record<string, unknown>>;

/** The schema of `label:` with these labelers. */
export function labelOptions(labelers: Labelers): z.ZodType<LabelOptions> {
  type Section = z.ZodType<LabelOptions> & z.core.$ZodTypeDiscriminable;
  const sections = Object.entries(labelers).map(([name, { options }]) => options.safeExtend({ name: z.literal(name) }));
  return z.discriminatedUnion('name', sections as unknown as [Section, ...Section[]]);
}

/**
 * The labeler that a recipe names: one of Heed's, or an export of a user's module, `./my-labeler.ts#name`.
 *
 * @throws UserError where there is none of that name, or the module's export is no labeler
 */
export async function openLabeler(name: string): Promise<AnyLabeler> {
  const known = Object.hasOwn(LABELERS, name) ? LABELERS[name] : undefined;
  if (known !== undefined) return known;
  if (!namesExport(name)) {
    throw new UserError(`There is no labeler "${name}".`, [`There are ${Object.keys(LABELERS).join(', ')}, and your own: ./FILE.ts#NAME.`]);
  }
  const exported = await loadExport(name);
  if (isLabeler(exported)) return exported;
  throw new UserError(`${name} is no labeler.`, ['Export what defineLabeler({ name, material, options, label, report }) returns.']);
}
