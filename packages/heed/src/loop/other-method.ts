/** `method=hindsight` over a recipe of another method: what is not the new method's is left out, with a note. */
import { z } from 'zod';
import type { Methods } from '../method/index.js';
import { loadRecipe } from '../run/recipe.js';

/** A method's section as a recipe writes it. */
type Section = Readonly<Record<string, unknown>> & { readonly name?: unknown };

/** Overrides that give the method of a recipe another name, with what became of the recipe's own options. */
export interface OtherMethod {
  readonly overrides: readonly string[];
  readonly notes: readonly string[];
}

const NAMES_METHOD = /^method(?:\.name)?=/;

/**
 * Leaves out the options of a recipe's method that an override replaces by another one, where these options are not that one's: a key it
 * does not have, or a value it does not take. Options that overrides give are left alone, so that a mistake in them is an error.
 *
 * @param name Of the method after the overrides.
 */
export async function withOtherMethod(file: string, overrides: readonly string[], name: string, methods: Methods): Promise<OtherMethod> {
  const same = { overrides, notes: [] };
  const naming = overrides.findLastIndex((one) => NAMES_METHOD.test(one));
  const method = methods[name];
  if (naming === -1 || method === undefined || /^method=\s*\{/.test(overrides[naming]!)) return same;
  const { recipe } = await loadRecipe(file, [], z.looseObject({ method: z.unknown().optional() }));
  const { name: old, ...given } = (typeof recipe.method === 'object' && recipe.method !== null ? recipe.method : {}) as Section;
  if (old === name || Object.keys(given).length === 0) return same;

  const kept = { ...given };
  const dropped: string[] = [];
  for (;;) {
    const issue = method.options.safeParse(kept).error?.issues[0];
    const keys = issue?.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [String(issue?.path[0])];
    const there = keys.filter((key) => Object.hasOwn(kept, key));
    if (issue === undefined || there.length === 0) break;
    for (const key of there) {
      delete kept[key];
      dropped.push(key);
    }
  }
  if (dropped.length === 0) return same;
  const others = overrides.filter((one) => !NAMES_METHOD.test(one));
  return {
    overrides: [`method=${JSON.stringify({ name, ...kept })}`, ...others],
    notes: [`method=${name}: left out of the recipe, which is for ${String(old)}: ${dropped.map((key) => `method.${key}`).join(', ')}.`],
  };
}
