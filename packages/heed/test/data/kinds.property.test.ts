import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { examine } from '../../src/data/doctor.js';
import { parseRows } from '../../src/data/parse.js';
import { readCsv } from '../../src/data/read-csv.js';
import { readJsonLines } from '../../src/data/read-json.js';
import { renderDoctor } from '../../src/data/render-doctor.js';
import { rowDefinition, type RowKind, rowSchemas } from '../../src/data/rows.js';
import { groupKey, splitByPrompt } from '../../src/data/split.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((t) => t.trim() !== '');
const name = text.map((t) => t.trim());
const score = fc.double({ noNaN: true, min: -1e300, max: 1e300 }).map((x) => (x === 0 ? 0 : x));
const turn = (role: string) => fc.record({ role: fc.constant(role), content: text });
const prompt = fc.oneof(fc.tuple(turn('user')), fc.tuple(turn('system'), turn('user'), turn('assistant'), turn('user')));
const pair = fc.tuple(text, text).filter(([a, b]) => a.trim() !== b.trim());

/** Probabilities with a sum of 1, from weights. */
const targets = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 100 }), { minLength: length, maxLength: length })
    .filter((w) => w.some((x) => x > 0))
    .map((w) => w.map((x) => x / w.reduce((a, b) => a + b, 0)));
const principle = fc
  .record(
    { name, text: name, negation: name, score, scores: fc.tuple(score, score) },
    { requiredKeys: ['name', 'text', 'negation', 'score'] },
  )
  .filter(({ text: t, negation }) => t !== negation);

/** Rows as a run would store them: what is written must be what is read. */
const rows: Partial<Record<RowKind, fc.Arbitrary<object>>> = {
  preference: fc
    .record(
      { prompt, pair, soft_label: fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x + 0), margin: score },
      { requiredKeys: ['prompt', 'pair'] },
    )
    .map(({ pair: [chosen, rejected], ...rest }) => ({ ...rest, chosen, rejected })),
  negative: fc
    .record({ prompt, rejected: text, positives: fc.array(text, { minLength: 1, maxLength: 3 }) }, { requiredKeys: ['prompt', 'rejected'] })
    .filter(({ rejected, positives = [] }) => positives.every((p) => p.trim() !== rejected.trim())),
  choice: fc
    .uniqueArray(text, { minLength: 2, maxLength: 5 })
    .chain((choices) => fc.record({ prompt, choices: fc.constant(choices), targets: targets(choices.length) })),
  classified: fc.record({ prompt, text, label: name }, { requiredKeys: ['text', 'label'] }),
  scored: fc.record({ prompt, completion: text, score }),
  refined: fc.record(
    { prompt, completion: text, judgment: text.map((t) => `It lacks ${t}`), satisfied: fc.boolean(), refinement: text },
    { requiredKeys: ['prompt', 'completion', 'judgment', 'satisfied'] },
  ),
  principled: fc.record({
    prompt,
    responses: pair,
    principles: fc.uniqueArray(principle, { selector: (p) => p.name, minLength: 1, maxLength: 3 }),
  }),
};
const kinds = Object.keys(rows) as RowKind[];
const alike = (kind: RowKind, prompts: boolean) =>
  fc.array(
    rows[kind]!.filter((row) => 'prompt' in row === prompts),
    { minLength: 1, maxLength: 4 },
  );
const stored = (kind: RowKind): fc.Arbitrary<object[]> =>
  kind === 'classified' ? fc.oneof(alike(kind, true), alike(kind, false)) : alike(kind, true);

describe.each(kinds)('%s rows', (kind) => {
  it('come back from JSON lines as they were written, and satisfy their schema', () => {
    fc.assert(
      fc.property(stored(kind), (written) => {
        const { rows: read } = parseRows(kind, readJsonLines('f', utf8(written.map((row) => JSON.stringify(row)).join('\n'))).rows);
        expect(read).toEqual(written.map((row, i) => ({ source: { file: 'f', line: i + 1 }, ...row })));
        for (const row of read) rowSchemas[kind].parse(row);
      }),
      { numRuns: 40 },
    );
  });

  it('come back from CSV whose cells are JSON', () => {
    fc.assert(
      fc.property(stored(kind), (written) => {
        const names = [...new Set(written.flatMap((row) => Object.keys(row)))];
        const cell = (value: unknown) =>
          value === undefined ? '' : `"${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '""')}"`;
        const lines = [
          names.join(','),
          ...written.map((row) => names.map((column) => cell((row as Record<string, unknown>)[column])).join(',')),
        ];
        const { rows: read } = parseRows(kind, readCsv('f', utf8(lines.join('\n')), 'csv').rows);
        expect(read.map(({ source: _, ...row }) => row)).toEqual(written);
      }),
      { numRuns: 40 },
    );
  });

  it('pass the doctor and the split without a fault, and every row is counted', () => {
    fc.assert(
      fc.property(stored(kind), fc.nat(), (written, seed) => {
        const { rows: read } = parseRows(
          kind,
          written.map((fields, i) => ({ source: { file: 'f', line: i + 1 }, fields: fields as Record<string, unknown> })),
        );
        const whole = examine(kind, { train: read, eval: [], skipped: [] });
        expect(renderDoctor(whole)).not.toMatch(/NaN|undefined|Infinity/);
        if (whole.counts['distinct prompts'] === 1 || whole.counts['distinct texts'] === 1) return;
        let split;
        try {
          split = splitByPrompt(rowDefinition(kind), read, read.length - 1, seed);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          return;
        }
        const found = examine(kind, { train: split.train, eval: split.eval, skipped: [] });
        expect((found.counts['train'] ?? 0) + (found.counts['eval'] ?? 0)).toBe(written.length);
        expect(found.tables).toEqual(whole.tables);
        // What a split may leave on both sides differs by case or white space alone.
        const keys = new Set(split.train.map((row) => groupKey(rowDefinition(kind), row)));
        expect(split.eval.filter((row) => keys.has(groupKey(rowDefinition(kind), row)))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
