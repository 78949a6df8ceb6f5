import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { columnNames } from '../../src/data/rows.js';
import { parseRows } from '../../src/data/parse.js';
import { readCsv } from '../../src/data/read-csv.js';
import { readJson, readJsonLines } from '../../src/data/read-json.js';
import { type RowKind, rowSchemas } from '../../src/data/rows.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = fc.string({ unit: 'binary' });
const record = fc.dictionary(text, fc.jsonValue({ stringUnit: 'grapheme' }));

function onlyUserErrors(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
  }
}

describe('readers, on anything', () => {
  it('JSON lines come back as written', () => {
    fc.assert(
      fc.property(fc.array(record), fc.constantFrom('\n', '\r\n'), (records, newline) => {
        const { rows } = readJsonLines('f', utf8(records.map((r) => JSON.stringify(r)).join(newline)));
        const through = records.map((r) => JSON.parse(JSON.stringify(r)) as unknown);
        expect(rows.map(({ fields }) => fields)).toEqual(through);
        expect(rows.map(({ source }) => source.line)).toEqual(records.map((_, i) => i + 1));
      }),
    );
  });

  it('JSON arrays come back as written, however indented', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), fc.constantFrom(undefined, 2), (records, indent) => {
        const { rows } = readJson('f', utf8(JSON.stringify(records, null, indent)));
        expect(rows.map(({ fields }) => fields)).toEqual(JSON.parse(JSON.stringify(records)));
      }),
    );
  });

  it('CSV cells come back as written', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r\n', ' ', '🙂', "'", ';') });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }));
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), (records, newline) => {
        const names = records[0]!.map((_, i) => `c${i}`);
        const lines = [names, ...records].map((cells) => cells.map((c) => `"${c.replaceAll('"', '""')}"`).join(','));
        const { rows } = readCsv('f', utf8(lines.join(newline) + newline), 'csv');
        expect(rows.map(({ fields }) => Object.values(fields))).toEqual(records);
        // A record starts after all line breaks of the ones before it.
        const starts = records.map((_, i) => 2 + lines.slice(1, i + 1).reduce((n, line) => n + line.split('\n').length, 0));
        expect(rows.map(({ source }) => source.line)).toEqual(starts);
      }),
    );
  });

  it('bytes that are no data end in a UserError, never in another', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\n', '\r', 'a', '1', '\0') }).map(utf8),
    );
    fc.assert(
      fc.property(bytes, (content) => {
        onlyUserErrors(() => readJsonLines('f', content));
        onlyUserErrors(() => readJson('f', content));
        onlyUserErrors(() => readCsv('f', content, 'csv'));
        onlyUserErrors(() => readCsv('f', content, 'tsv'));
      }),
      { numRuns: 500 },
    );
  });

  it('records of any shape become rows that satisfy their schema, or a UserError', () => {
    const turn = fc.record({
      role: fc.constantFrom('user', 'assistant', 'system', 'narrator'),
      content: fc.oneof(text, fc.constant(null)),
    });
    const cell = fc.oneof(
      text,
      fc.jsonValue(),
      fc.array(turn),
      fc.array(text, { maxLength: 3 }),
      fc.array(fc.double({ min: 0, max: 1 }), { maxLength: 3 }),
      fc.boolean(),
      fc.double(),
      fc.bigInt(),
      fc.uint8Array(),
      fc.constant(undefined),
    );
    const fields = fc.dictionary(fc.constantFrom(...columnNames), cell);
    const options = fc.record({
      junk: fc.constantFrom('error' as const, 'skip' as const),
      transcript: fc.constantFrom('plain' as const, 'human-assistant' as const),
    });
    const kinds = fc.constantFrom(...(Object.keys(rowSchemas) as RowKind[]));
    fc.assert(
      fc.property(kinds, fc.array(fields, { minLength: 1, maxLength: 3 }), options, fc.boolean(), (kind, records, how, untyped) => {
        const raw = records.map((f, i) => ({ source: { file: 'f', line: i + 1 }, fields: f, untyped }));
        onlyUserErrors(() => {
          for (const row of parseRows(kind, raw, how).rows) rowSchemas[kind].parse(row);
        });
      }),
      { numRuns: 1000 },
    );
  });
});
