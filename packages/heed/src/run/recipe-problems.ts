/** Problems of a recipe in words: the place, the value, what was expected, and the nearest known name. */
import type { z } from 'zod';

import { nearest } from '../errors.js';
import { hideKeys } from './keys.js';
import { keysOf, pathsOf, schemaAt, valuesOf } from './recipe-keys.js';
import type { KeyPath } from './recipe-yaml.js';

type Issue = z.core.$ZodIssue;

/** Our options under the names that other libraries give them. */
const FOREIGN: Readonly<Record<string, string>> = {
  r: 'rank', lora_r: 'rank', lora_alpha: 'alpha', target_modules: 'targets', lora_dropout: 'dropout', use_rslora: 'rslora',
  lr: 'learningRate', learning_rate: 'learningRate', max_steps: 'steps', num_train_epochs: 'epochs',
  batch_size: 'batch', train_batch_size: 'batch', per_device_train_batch_size: 'microBatch', micro_batch_size: 'microBatch',
  lr_scheduler_type: 'schedule', warmup_steps: 'warmup', warmup_ratio: 'warmup', adam_epsilon: 'epsilon', eps: 'epsilon',
  max_grad_norm: 'clip', save_steps: 'checkpointEvery', save_total_limit: 'keep', gradient_checkpointing: 'checkpointing',
  output_dir: 'dir', max_length: 'maxTokens', max_seq_length: 'maxTokens', model_name_or_path: 'model', model_name: 'model',
};

const dotted = (path: KeyPath): string => path.map(String).join('.');

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  // A service's key in the wrong place stays hidden: replaced before the text is cut, so that no half of it remains.
  const written = typeof value === 'number' ? String(value) : JSON.stringify(value);
  const text = hideKeys(written ?? typeof value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** The known key that the writer of `key` most likely meant; a full path when it belongs to another section. */
export function nearestKey(key: string, here: readonly string[], everywhere: readonly string[]): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '');
  const foreign = Object.hasOwn(FOREIGN, key) ? FOREIGN[key] : undefined;
  const same = (name: string): boolean => plain(name) === plain(key) || name === foreign;
  const exact = here.find(same) ?? everywhere.find((path) => same(path.split('.').at(-1) ?? ''));
  if (exact !== undefined) return exact;
  const byPlain = new Map(here.map((name) => [plain(name), name]));
  return byPlain.get(nearest(plain(key), byPlain.keys()) ?? '');
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${article(issue.expected)}`;
    case 'invalid_value':
      return issue.values.length === 1 ? `expected ${shown(issue.values[0])}` : `expected one of ${issue.values.map(shown).join(', ')}`;
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
        : `expected at least ${issue.minimum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    case 'too_big':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`
        : `expected at most ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    default:
      return issue.message;
  }
}

function article(type: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a section', record: 'a section', array: 'a list', tuple: 'a list',
    int: 'a whole number', number: 'a number', string: 'text', boolean: 'true or false',
  };
  return names[type] ?? type;
}

/** The branch of a union with the fewest problems; undefined when the value fits the outer type of no branch. */
function nearestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const outer = ({ path, code }: Issue): boolean => path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
  const inside = branches.filter((issues) => issues.length > 0 && !issues.some(outer));
  return inside.sort((x, y) => x.length - y.length)[0];
}

/** One line per problem. `where` names the file and line, or the override, of a path. */
export function describeIssues(issues: readonly Issue[], schema: z.ZodType, value: unknown, where: (path: KeyPath) => string): string[] {
  const everywhere = pathsOf(schema);
  const lines: string[] = [];
  const visit = (issue: Issue, base: KeyPath): void => {
    const path = [...base, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      const here = keysOf(schemaAt(schema, path, value), valueAt(value, path));
      for (const key of issue.keys) {
        const name = dotted([...path, key]);
        const near = nearestKey(key, here, everywhere.filter((other) => other !== name));
        lines.push(`${where([...path, key])}: unknown key "${name}"${wayOut(path, near, here)}`);
      }
      return;
    }
    if (issue.code === 'invalid_union') {
      const branch = nearestBranch(issue.errors);
      if (branch) return branch.forEach((inner) => visit(inner, path));
      const values = valuesOf(schemaAt(schema, path, undefined));
      if (issue.errors.length === 0 && values.length > 0) {
        const given = valueAt(value, path);
        const allowed = values.map(shown).join(', ');
        lines.push(`${where(path)}: ${label(path)} is ${shown(given)}; expected one of ${allowed}${meant(given, values)}`);
        return;
      }
      const outer = issue.errors.flat().filter((inner) => inner.path.length === 0);
      const wanted = new Set(outer.map((inner) => expected(inner).replace(/^expected /, '')));
      const text = wanted.size > 0 ? `expected ${[...wanted].join(', or ')}` : issue.message;
      const given = valueAt(value, path);
      lines.push(`${where(path)}: ${label(path)} is ${given === undefined ? 'missing' : shown(given)}; ${text}`);
      return;
    }
    const actual = valueAt(value, path);
    if (actual === undefined && path.length > 0 && issue.code !== 'custom') {
      lines.push(`${where(path)}: "${dotted(path)}" is missing; ${expected(issue)}`);
    } else if (issue.code === 'custom') {
      lines.push(`${where(path)}: ${path.length > 0 ? `${label(path)}: ` : ''}${issue.message}`);
    } else {
      const values = issue.code === 'invalid_value' ? issue.values : [];
      lines.push(`${where(path)}: ${label(path)} is ${shown(actual)}; ${expected(issue)}${meant(actual, values)}`);
    }
  };
  for (const issue of issues) visit(issue, []);
  return [...new Set(lines)];
}

/** What to write in the place of an unknown key: the nearest one, else those that are known at `path`. */
function wayOut(path: KeyPath, near: string | undefined, here: readonly string[]): string {
  if (near !== undefined) return `; did you mean "${here.includes(near) ? dotted([...path, near]) : near}"?`;
  if (here.length === 0) return '';
  return `; known ${path.length > 0 ? `in "${dotted(path)}"` : 'here'}: ${here.join(', ')}`;
}

/** "; did you mean …?" where a word is near one of the allowed. */
function meant(actual: unknown, values: readonly unknown[]): string {
  if (typeof actual !== 'string' || values.length < 2) return '';
  const near = nearest(actual, values.filter((value) => typeof value === 'string'));
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

const label = (path: KeyPath): string => (path.length > 0 ? `"${dotted(path)}"` : 'the recipe');

function valueAt(value: unknown, path: KeyPath): unknown {
  const inside = (at: unknown, key: PropertyKey): unknown =>
    (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined);
  return path.reduce(inside, value);
}

