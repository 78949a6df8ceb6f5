/** The method that a recipe names: one of Heed's, or an export of a user's module. */
import { z } from 'zod';
import { UserError } from '../errors.js';
import { type AnyMethod, METHODS, METHOD_NAMES, type MethodOptions, type Methods, isMethod, methodOfRecipe } from '../method/index.js';
import type { BoundMethod } from '../method/method.js';
import type { RunFolder } from '../run/folder.js';
import { moduleDigest } from '../run/module-digest.js';
import { type LoadedRecipe, loadRecipe } from '../run/recipe.js';
import { sameAsBefore } from '../run/same-as-before.js';
import { loadExport, namesExport } from '../run/user-module.js';
import { withOtherMethod } from './other-method.js';

/**
 * Reads a recipe whose `method:` may be a user's own, `./my-method.ts#name`. The module is loaded first, so that the method's schema
 * checks its options together with the rest of the recipe, and fills in their defaults.
 *
 * @param schemaWith Makes the schema of the recipe for the methods that it may name.
 * @throws UserError as `loadRecipe` does, and where the module or its export cannot be used
 */
export async function loadRecipeWithMethod<T>(
  file: string, overrides: readonly string[], schemaWith: (methods: Methods) => z.ZodType<T>,
): Promise<LoadedRecipe<T>> {
  const { recipe: { method } } = await loadRecipe(file, overrides, z.looseObject({ method: z.unknown().optional() }));
  const { name } = (typeof method === 'object' && method !== null ? method : {}) as Partial<MethodOptions>;
  const methods = typeof name === 'string' ? await methodsWith(name) : METHODS;
  const other = typeof name === 'string' ? await withOtherMethod(file, overrides, name, methods) : undefined;
  return { ...(await loadRecipe(file, other?.overrides ?? overrides, schemaWith(methods))), notes: other?.notes ?? [] };
}

/**
 * The method of a recipe that has been read, with its options: those that the recipe's schema parsed.
 *
 * @param run Held to the file that defines a user's method, and to those that it imports (`moduleDigest`): a run goes on with the method
 * that it began with, or stops.
 * @throws UserError where the module or its export cannot be used, or the file has changed since the run began
 */
export async function openMethod(options: MethodOptions, run?: Pick<RunFolder, 'path'>): Promise<BoundMethod> {
  const { name } = options;
  const methods = await methodsWith(name);
  if (run !== undefined && namesExport(name)) {
    const file = name.slice(0, name.lastIndexOf('#'));
    await sameAsBefore(run.path('work', 'method.json'), [await moduleDigest(file)], `The method in ${file} is not the one`);
  }
  return methodOfRecipe(options, methods);
}

/** Heed's methods, and the one that a user's module exports where `name` is `./FILE.ts#NAME`. */
async function methodsWith(name: string): Promise<Methods> {
  return namesExport(name) ? { ...METHODS, [name]: await ownMethod(name) } : METHODS;
}

async function ownMethod(spec: string): Promise<AnyMethod> {
  const method = await loadExport(spec);
  if (!isMethod(method)) {
    throw new UserError(`${spec} is no method.`, [
      'Export what defineMethod({ name, row, options, names, columns, sequences, loss, … }) returns.',
    ]);
  }
  if (METHOD_NAMES.includes(method.name)) {
    throw new UserError(`${spec} has the name of one of Heed's methods, "${method.name}".`, [
      'Give it a name of its own: logs and reports show it.',
    ]);
  }
  return method;
}
