/** What a sweep varies, as the command line says it: `key=value,value`. Every combination of the values is a run. */
import { createHash } from 'node:crypto';

import { UserError } from '../errors.js';
import { applyOverrides } from '../run/recipe-overrides.js';
import { parseYamlValue } from '../run/recipe-yaml.js';

/** The key whose values repeat a setting with other random numbers: means and intervals are taken over them. */
export const SEED = 'train.seed';

/** One of the values of a key. */
export interface AxisValue {
  /** The value as it was written: the right side of an override. */
  readonly text: string;
  /** Its name in folders and tables, which depends on the value alone. */
  readonly name: string;
}

/** A key of the recipe with the values that it takes. */
export interface Axis {
  readonly key: string;
  readonly values: readonly AxisValue[];
}

/** The settings of a sweep, told apart. */
export interface Grid {
  /** What varies, in the order of the command line. */
  readonly axes: readonly Axis[];
  /** All settings in that order, since later ones win: an axis, or an override that holds in every run. */
  readonly settings: readonly (Axis | string)[];
  /** Where the runs go, if the settings say so (`run.dir`). */
  readonly dir?: string;
}

/** One combination of the values. */
export interface Point {
  /** Readable, such as `lambda=1.2,seed=0`: the name of the run's folder. */
  readonly name: string;
  /** The names of the values by key. */
  readonly values: Readonly<Record<string, string>>;
  /** All settings as overrides of the recipe. */
  readonly overrides: readonly string[];
}

/**
 * Reads the settings. A key with several values is varied; `train.seed` is, too, where it has one. Other keys with one value are set in
 * every run.
 *
 * @throws UserError where a setting has another form, a key or a value is given twice, or nothing varies
 */
export function readGrid(settings: readonly string[]): Grid {
  const read = settings.map((setting) => {
    const equals = setting.indexOf('=');
    const [key, texts] = [setting.slice(0, Math.max(0, equals)), splitValues(setting.slice(equals + 1))];
    // Refuses what no override could be.
    applyOverrides({}, [equals < 1 ? setting : `${key}=${texts[0]!}`], {});
    return { key, texts };
  });
  const twice = read.find(({ key }, i) => read.findIndex((other) => other.key === key) < i);
  if (twice !== undefined) throw new UserError(`${twice.key} is given twice.`, [`Give all its values at once: ${twice.key}=VALUE,VALUE.`]);
  const isVaried = ({ key, texts }: (typeof read)[number]): boolean => key === SEED || texts.length > 1;
  const dir = read.find(({ key }) => key === 'run.dir');
  if (dir !== undefined && dir.texts.length > 1)
    throw new UserError('run.dir has several values, and a sweep is in one folder.', ['Give one: each run gets a folder in it.']);
  const all = read.filter((one) => one !== dir).map((one) => (isVaried(one)
    ? { key: one.key, values: valuesOf(one.key, one.texts) } : `${one.key}=${one.texts[0]!}`));
  const axes = all.filter((one) => typeof one !== 'string');
  if (axes.length === 0) {
    throw new UserError('Nothing varies in this sweep.', [
      'Give a key of the recipe several values: train.learningRate=1e-4,3e-4 train.seed=0,1,2.',
    ]);
  }
  return { axes, settings: all, ...(dir === undefined ? {} : { dir: String(parseYamlValue(dir.texts[0]!, 'run.dir')) }) };
}

/** All combinations, the values of the last key changing fastest. */
export function pointsOf({ axes, settings }: Grid): Point[] {
  const combined = axes.reduce<readonly (readonly AxisValue[])[]>(
    (points, { values }) => points.flatMap((point) => values.map((value) => [...point, value])), [[]],
  );
  const titles = titlesOf(axes);
  return combined.map((values) => ({
    name: short(axes.map((_, i) => `${titles[i]!}=${values[i]!.name}`).join(','), 180),
    values: Object.fromEntries(axes.map(({ key }, i) => [key, values[i]!.name])),
    overrides: settings.map((one) => (typeof one === 'string' ? one : `${one.key}=${values[axes.indexOf(one)]!.text}`)),
  }));
}

/** Short names of the keys: their last parts, or where two have the same the whole keys. */
export function titlesOf(axes: readonly Pick<Axis, 'key'>[]): string[] {
  const last = axes.map(({ key }) => key.slice(key.lastIndexOf('.') + 1));
  return last.map((title, i) => (last.indexOf(title) === last.lastIndexOf(title) ? title : axes[i]!.key));
}

/** The texts between commas; a comma in brackets or quotes belongs to its value, as in YAML. */
function splitValues(text: string): string[] {
  const values = [''];
  let [depth, quote] = [0, ''];
  for (const char of text) {
    const sofar = values[values.length - 1]!;
    if (char === ',' && depth === 0 && quote === '') {
      values.push('');
      continue;
    }
    values[values.length - 1] = sofar + char;
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if ((char === '"' || char === "'") && /(?:^|[\s,:[{])$/.test(sofar)) quote = char;
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth = Math.max(0, depth - 1);
  }
  return values.map((value) => value.trim());
}

function valuesOf(key: string, texts: readonly string[]): AxisValue[] {
  if (texts.includes(''))
    throw new UserError(`${key}=${texts.join(',')}: a value is empty.`, ['Write "" for an empty text; leave out a comma too many.']);
  const seen = new Map<string, string>();
  return texts.map((text) => {
    const value = parseYamlValue(text, `${key}=${text}`);
    const same = JSON.stringify(value);
    if (seen.has(same)) throw new UserError(`${key} has the value ${text} twice${seen.get(same) === text ? '' : ` (${seen.get(same)!})`}.`);
    seen.set(same, text);
    return { text, name: nameOf(value) };
  });
}

/** A value as a part of a file name. One that cannot stand there as it is gets a few digits of its digest, so that no two are alike. */
function nameOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const plain = text.replaceAll(/[^\w.+-]+/g, '-');
  // The text "1" is another value than the number.
  const isPlain = plain === text && plain !== '' && (typeof value !== 'string' || parseYamlValue(text, text) === text);
  return isPlain ? short(text, 40) : short(`${plain}~${digest(JSON.stringify(value))}`, 40);
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6);
const short = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 7)}~${digest(text)}`);
