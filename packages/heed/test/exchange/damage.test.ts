/** Damaged records of every format: none crashes an importer, and none vanishes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IMPORT_FORMATS } from '../../src/exchange/import/formats.js';
import { IMPORT_NAMES, type ImportName } from '../../src/exchange/import/names.js';
import type { Findings } from '../../src/exchange/import/found.js';
import { metricsThat } from '../../src/feedback/rows.js';
import { kindsOf, rowsOfKind } from '../../src/exchange/import/rows.js';
import { change, findings } from './support.js';
import { FIELDS, SAMPLES } from './samples.js';

/** Every place in a record, as a path of keys. */
function places(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...places(inner, [...path, key])]);
}

const GONE = Symbol('gone');
const rubbish = fc.oneof(
  fc.constant(GONE), fc.constant(null), fc.constant(''), fc.constant('\ud800'), fc.constant([]), fc.constant({}), fc.double(),
  fc.boolean(), fc.string(), fc.constant([[[]]]), fc.constant({ __proto__: null, constructor: 1 }), fc.constant('toString'), fc.jsonValue(),
);

/** The first metric of each sort, where there are several. */
const voteOf = ({ answers }: Findings): string | undefined => metricsThat(plain(answers), 'vote')[0];
const scoreOf = ({ answers }: Findings): string | undefined => metricsThat(plain(answers), 'score')[0];
const plain = (answers: Findings['answers']) =>
  answers.map(({ said, ...answer }) => ({ ...answer, choice: 0, finish: 'stop', feedback: said }));

const hints = (name: ImportName) => ({ fields: new Map(Object.entries(FIELDS[name] ?? {})) });

function damage(record: object, path: readonly string[], value: unknown): object {
  return change(record, (copy) => {
    const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], copy) as Record<string, unknown>;
    if (value === GONE) delete parent[path.at(-1)!];
    else parent[path.at(-1)!] = value;
  });
}

describe('damaged records', () => {
  it('belong to a format each: the names and the formats agree', () => {
    expect(IMPORT_FORMATS.map(({ name }) => name)).toEqual([...IMPORT_NAMES]);
  });

  it.each(IMPORT_NAMES)('%s: what is sound makes rows and refuses nothing', (name) => {
    const found = findings(name, SAMPLES[name], hints(name));
    expect(found.refused).toEqual([]);
    expect(kindsOf(found).length).toBeGreaterThan(0);
  });

  it.each(IMPORT_NAMES)('%s: one of the records is damaged: each record is a find or a refusal', (name) => {
    fc.assert(fc.property(fc.nat(), fc.nat(), rubbish, (which, where, value) => {
      const i = which % SAMPLES[name].length;
      const all = places(SAMPLES[name][i]);
      const damaged = SAMPLES[name].map((record, k) => (k === i ? damage(record, all[where % all.length]!, value) : record));
      const found = findings(name, damaged, hints(name));
      const parts = [...found.answers, ...found.rows, ...found.refused].map(({ source }) => source);
      const lines = new Set([...parts, ...found.joined].map(({ line }) => line));
      expect([...lines].sort((a, b) => a - b)).toEqual(damaged.map((_, k) => k + 1));
      // What is written can be trained: or it is refused, with its place.
      for (const kind of kindsOf(found)) {
        const { rows, refused } = rowsOfKind(found, kind, { vote: voteOf(found), score: scoreOf(found) });
        expect(rows.every(({ source }) => source.line > 0) && refused.every(({ source }) => source.line > 0)).toBe(true);
      }
    }), { numRuns: 150 });
  });

  it.each(IMPORT_NAMES)('%s: any object at all', (name) => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), (record) => {
      const found = findings(name, [record], hints(name));
      expect(found.answers.length + found.rows.length + found.refused.length).toBeGreaterThan(0);
    }), { numRuns: 40 });
  });
});
