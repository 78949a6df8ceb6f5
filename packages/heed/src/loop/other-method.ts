/** `method=hindsight` over a recipe of another method: that one's options are left out, with a note. */
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
 * Leaves out the options of a recipe's method that an override replaces by another one. Options of one name mean different things in
 * different methods: beta is 0.1 in DPO and 2 in SimPO. Options that overrides give are left alone, so that a mistake in them is an error.
 *
 * @param name Of the method after the overrides.
 */
export async function withOtherMethod(file: string, overrides: readonly string[], name: string, methods: Methods): Promise<OtherMethod> {
  const same = { overrides, notes: [] };
  const naming = overrides.findLastIndex((one) => NAMES_METHOD.test(one));
  if (naming === -1 || methods[name] === undefined || /^method=\s*\{/.test(overrides[naming]!)) return same;
  const { recipe } = await loadRecipe(file, [], z.looseObject({ method: z.unknown().optional() }));
  const { name: old, ...given } = (typeof recipe.method === 'object' && recipe.method !== null ? recipe.method : {}) as Section;
  if (old === name || Object.keys(given).length === 0) return same;

  const left = Object.keys(given).map((key) => `method.${key}`).join(', ');
  const others = overrides.filter((one) => !NAMES_METHOD.test(one));
  return {
    overrides: [`method=${JSON.stringify({ name })}`, ...others],
    notes: [`method=${name}: left out of the recipe, which is for ${String(old)}: ${left}.`],
  };
}
