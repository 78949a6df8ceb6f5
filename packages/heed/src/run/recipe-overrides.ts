/** `a.b=value` on the command line, laid over a recipe. */
import { UserError } from '../errors.js';
import { hideKeys, hideSettings } from './keys.js';
import { parseYamlValue } from './recipe-yaml.js';
import type { KeyPath } from './recipe-yaml.js';

type Section = Record<string, unknown>;

const isSection = (value: unknown): value is Section => typeof value === 'object' && value !== null && !Array.isArray(value);

function split(override: string): { keys: string[]; value: unknown } {
  const equals = override.indexOf('=');
  const keys = override.slice(0, Math.max(0, equals)).split('.');
  if (equals < 1 || keys.some((key) => !/^\w[\w-]*$/.test(key))) {
    throw new UserError(`"${hideSettings(override)}" is not an override`, ['Write key=value, such as train.steps=20 or data.junk=skip.']);
  }
  if (keys.includes('__proto__')) throw new UserError(`"${override}": __proto__ is not a recipe key`);
  const text = override.slice(equals + 1);
  // An empty right side is the empty string; `null` says null.
  return { keys, value: text === '' ? '' : parseYamlValue(text, `override "${hideSettings(override)}"`) };
}

/** A short form written out: `data: x` → `data: { path: x }`. */
function expand(section: Section, shortForms: Readonly<Record<string, string>>): void {
  for (const [key, name] of Object.entries(shortForms)) {
    const value = Object.hasOwn(section, key) ? section[key] : undefined;
    if (typeof value === 'string' || Array.isArray(value)) section[key] = { [name]: value };
  }
}

/**
 * Lays overrides over a recipe; later ones win.
 *
 * @returns the new value (the given one is left alone); for a key that an override set, the words that name the override; and the keys of
 * the recipe that an override set to null.
 */
export function applyOverrides(
  recipe: Record<string, unknown>,
  overrides: readonly string[],
  shortForms: Readonly<Record<string, string>>,
): { value: Section; readonly origin: (path: KeyPath) => string | undefined; readonly emptied: readonly KeyPath[] } {
  const value = structuredClone(recipe);
  expand(value, shortForms);
  const set: { keys: string[]; text: string }[] = [];
  const emptied: KeyPath[] = [];

  for (const override of overrides) {
    const { keys, value: right } = split(override);
    const [first] = keys;
    const mayBeShort = keys.length === 1 && first !== undefined && (typeof right === 'string' || Array.isArray(right));
    const short = mayBeShort ? shortForms[first] : undefined;
    if (short !== undefined) keys.push(short);
    const last = keys[keys.length - 1] as string;

    let at: unknown = value;
    for (const [depth, key] of keys.slice(0, -1).entries()) {
      const holder = at as Section;
      if (!Object.hasOwn(holder, key) || holder[key] === undefined || holder[key] === null) holder[key] = {};
      at = holder[key];
      const short = shortForms[key];
      if (short !== undefined && typeof at === 'string') holder[key] = at = { [short]: at };
      if (typeof at !== 'object') {
        const path = keys.slice(0, depth + 1).join('.');
        const given = hideKeys(JSON.stringify(at));
        throw new UserError(`override "${hideSettings(override)}": ${path} is ${given}, which has no parts to set`, [
          `Give all of it: ${path}={…}.`,
        ]);
      }
    }
    if (Array.isArray(at) && (!/^\d+$/.test(last) || Number(last) > at.length)) {
      const path = keys.slice(0, -1).join('.');
      throw new UserError(`override "${hideSettings(override)}": ${path} is a list of ${at.length}; name an entry from 0 to ${at.length}`);
    }
    if (right === null && !isMade(recipe, keys)) emptied.push(keys);
    (at as Section)[last] = right;
    set.push({ keys, text: override });
  }
  expand(value, shortForms);

  return {
    value, emptied,
    origin(path) {
      // The last override that set this key or something around or inside it.
      const hit = set.findLast(({ keys }) => keys.every((key, i) => i >= path.length || String(path[i]) === key));
      return hit && (path.length >= hit.keys.length || isMade(recipe, path)) ? `override "${hideSettings(hit.text)}"` : undefined;
    },
  };
}

/** Whether nothing is at `path` in the recipe itself, so that only an override can have made it. */
function isMade(recipe: Section, path: KeyPath): boolean {
  let at: unknown = recipe;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return true;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return !isSection(at) && at === undefined;
}
