import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';
import { DataOptions } from '../src/data/load.js';
import { JudgeSection } from '../src/judge/options.js';
import { RuleSchema } from '../src/reward/rules/load.js';
import { JudgmentsOptions } from '../src/label/judgments.js';
import { LabelData } from '../src/label/material.js';
import { PreferencesOptions } from '../src/label/preferences.js';
import { PrinciplesOptions } from '../src/label/principles.js';
import { AnswersOptions, LabelRecipe } from '../src/label/recipe.js';
import { RevisionsOptions } from '../src/label/revisions.js';
import { ScoresOptions } from '../src/label/scores.js';
import { AlignRecipe } from '../src/loop/align-recipe.js';
import { MethodOptions } from '../src/method/index.js';
import { AdapterOptions, RunOptions, TrainOptions } from '../src/run/recipe-schemas.js';
import { TrainRecipe } from '../src/loop/train-recipe.js';
import { AlignRowsOptions } from '../src/loop/rows-recipe.js';

// The schema before its checks and defaults that depend on each other.
const ALIGN = AlignRecipe.in;
const page = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8');
const text = page('recipes.md');

interface Key {
  readonly default?: unknown;
  readonly required: boolean;
}

const asSchema = (schema: unknown): z.core.$ZodTypes => schema as z.core.$ZodTypes;

/** The objects that a value may be: wrappers taken off, unions spread. */
function objects(schema: z.core.$ZodTypes): z.core.$ZodObjectDef[] {
  const def = schema._zod.def;
  if (def.type === 'object') return [def];
  if (def.type === 'union') return def.options.flatMap((one) => objects(asSchema(one)));
  if (def.type === 'pipe') return objects(asSchema(asSchema(def.in)._zod.def.type === 'transform' ? def.out : def.in));
  return 'innerType' in def ? objects(asSchema(def.innerType)) : [];
}

/** Every key of a schema by its path; a key is required where each object of the union wants it. */
function keysOf(schema: unknown, prefix = ''): Map<string, Key> {
  const found = new Map<string, Key>();
  const all = objects(asSchema(schema));
  for (const { shape } of all) {
    for (const [name, field] of Object.entries(shape)) {
      const def = asSchema(field)._zod.def;
      const known = found.get(prefix + name);
      const required = all.every(
        (other) => name in other.shape && !['optional', 'default', 'prefault'].includes(asSchema(other.shape[name])._zod.def.type),
      );
      const value: unknown = def.type === 'default' ? def.defaultValue : known?.default;
      found.set(prefix + name, { required, ...(value === undefined ? {} : { default: value }) });
      for (const [path, key] of keysOf(field, `${prefix}${name}.`)) found.set(path, key);
    }
  }
  return found;
}

/** The rows of the table under a heading, by key: cells without marks around them. */
function tableUnder(heading: string): Map<string, string[]> {
  const part = text.split(/^#+ /m).find((one) => one.startsWith(`${heading}\n`));
  const rows = [...(part ?? '').matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)];
  return new Map(rows.map(([, key, rest]) => [key!, rest!.split(/(?<!\\) ?\| ?/).map((cell) => cell.trim())]));
}

/** What a default's cell says must be what the schema says. */
function holdDefault(path: string, cell: string, { default: value, required }: Key): void {
  if (value !== undefined && !(typeof value === 'string' && /\s/.test(value)))
    expect(parse(/^`([^`]+)`/.exec(cell)?.[1] ?? 'none'), path).toEqual(value);
  else expect(cell, path).not.toMatch(/^`[^`]+`$/);
  if (required) expect(cell, path).toMatch(/^required/);
}

// Sections that stand for others: a judge within a section is written as `judge` is, columns are in the index of methods.
const elsewhere = /^(columns|by|judge|reward)\./;

const sections: readonly [string, z.ZodType][] = [
  ['`run`', RunOptions],
  ['`data`', DataOptions],
  ['`rows`', AlignRowsOptions],
  ['`adapter`', AdapterOptions],
  ['`train`', TrainOptions],
  ['`generate`', ALIGN.shape.generate],
  ['`loop`', ALIGN.shape.loop],
  ['`watch`', ALIGN.shape.watch],
  ['`evaluate`', ALIGN.shape.evaluate],
  ['`judge`', JudgeSection],
  ['`answers`', AnswersOptions],
  ['`preferences`', PreferencesOptions],
  ['`scores`', ScoresOptions],
  ['`principles`', PrinciplesOptions],
  ['`judgments`', JudgmentsOptions],
  ['`revisions`', RevisionsOptions],
  ['Files of rules', RuleSchema],
];

describe('docs/recipes.md', () => {
  it.each(sections)('has every key of %s and none other, with its default', (heading, schema) => {
    const table = tableUnder(heading);
    const keys = new Map([...keysOf(schema)].filter(([path]) => !elsewhere.test(path)));
    expect([...table.keys()].sort()).toEqual([...keys.keys()].sort());
    for (const [path, key] of keys) holdDefault(`${heading} ${path}`, table.get(path)![0]!, key);
  });

  it('says which recipe has which section', () => {
    const table = tableUnder('The whole');
    const recipes = [TrainRecipe, ALIGN, LabelRecipe].map((recipe) => recipe.shape as Readonly<Record<string, unknown>>);
    expect([...table.keys()].sort()).toEqual([...new Set(recipes.flatMap((shape) => Object.keys(shape)))].sort());
    for (const [key, cells] of table) {
      expect(cells.slice(0, 3), key).toEqual(recipes.map((shape) => (key in shape ? 'yes' : '')));
      const [field] = recipes
        .flatMap((shape) => (key in shape ? [asSchema(shape[key])._zod.def] : []))
        .sort((a, b) => Number(b.type === 'default') - Number(a.type === 'default'));
      if (field!.type === 'default') expect(parse(/^`([^`]+)`/.exec(cells[3]!)?.[1] ?? 'none'), key).toEqual(field.defaultValue);
    }
    const more = [...keysOf(DataOptions).keys()].filter((key) => !keysOf(LabelData).has(key));
    expect(text).toContain(`A label recipe has no ${more.slice(0, -1).map((key) => `\`${key}\``).join(', ')} and \`${more.at(-1)}\`.`);
  });

  const methods = objects(asSchema(MethodOptions)).map(
    ({ shape: { name, ...options } }) => [[...asSchema(name)._zod.values!][0] as string, Object.keys(options)] as const,
  );
  it.each(methods)('leaves the options of %s to its page, which has them all', (name, options) => {
    const own = page(`methods/${name}.md`);
    const [, other] = /options: \[[\w-]+\]\(([\w-]+\.md)\)/.exec(own) ?? [];
    const said = other === undefined ? own : own + page(`methods/${other}`);
    for (const option of options) expect(said, option).toContain(`\`${option}`);
  });
});
