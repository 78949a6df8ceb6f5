/** The options of rewards that a user's module defines, with the defaults that the module gives them. */
import { type LoadedRecipe, loaded } from '../run/recipe.js';
import { loadExport, namesExport } from '../run/user-module.js';
import { isRewardDefinition } from './define.js';

type Section = Readonly<Record<string, unknown>>;
const isSection = (value: unknown): value is Section => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A recipe whose rewards and costs say every option that their modules have, so that `recipe.yaml` of a run says what it was run with.
 * What is wrong with a module or its options is left to those that open the reward.
 */
export async function withModuleOptions<T>(read: LoadedRecipe<T>): Promise<LoadedRecipe<T>> {
  const recipe = (await filled(read.recipe)) as T;
  return recipe === read.recipe ? read : { ...read, ...loaded(recipe) };
}

/** A part of a recipe with its rewards filled in: the part itself where there is nothing to add. */
async function filled(part: unknown, key?: string): Promise<unknown> {
  if (key === 'reward' || key === 'cost') return ofReward(part);
  if (Array.isArray(part)) return ofEntries(part, (entry) => filled(entry));
  if (!isSection(part)) return part;
  const names = Object.keys(part);
  const given = Object.values(part);
  const values = await ofEntries(given, (value, i) => (key === 'rewards' ? ofReward(value) : filled(value, names[i])));
  return values === given ? part : Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** What becomes of each entry: the list itself where none changes. */
async function ofEntries(list: readonly unknown[], of: (value: unknown, i: number) => Promise<unknown>): Promise<readonly unknown[]> {
  const values = await Promise.all(list.map(of));
  return values.every((value, i) => value === list[i]) ? list : values;
}

/** One reward: `./FILE.ts#NAME`, or a section with `fn`. */
async function ofReward(reward: unknown): Promise<unknown> {
  const fn = isSection(reward) ? reward['fn'] : reward;
  const { module, options = {} } = (isSection(fn) ? fn : { module: fn }) as { readonly module?: unknown; readonly options?: Section };
  if (typeof module !== 'string' || !namesExport(module)) return reward;
  const definition = await loadExport(module).catch(() => undefined);
  if (!isRewardDefinition(definition)) return reward;
  const parsed = definition.options.safeParse(options);
  if (!parsed.success || !isSection(parsed.data)) return reward;
  // Only what a recipe can say, and none of what it says already.
  const more = Object.entries(parsed.data).filter(([name, value]) => !Object.hasOwn(options, name) && isPlain(value));
  const all = { ...options, ...Object.fromEntries(more) };
  if (more.length === 0 || !definition.options.safeParse(all).success) return reward;
  return { ...(isSection(reward) ? reward : {}), fn: { ...(isSection(fn) ? fn : {}), module, options: all } };
}

/** Whether YAML gives a value back as it is. */
const isPlain = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.every(isPlain);
  if (isSection(value)) return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
  return value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
};
