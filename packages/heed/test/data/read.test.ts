import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { readRows } from '../../src/data/read.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();
const fixtures = join(import.meta.dirname, '../fixtures/data');

async function failure(path: string): Promise<UserError> {
  const error: unknown = await readRows(path).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('JSON lines', () => {
  it('numbers lines from 1 and counts blank ones', async () => {
    const path = write('blank.jsonl', '{"a":1}\r\n\r\n   \n{"a":2}\n');
    expect(await readRows(path)).toEqual([
      { source: { file: path, line: 1 }, fields: { a: 1 } },
      { source: { file: path, line: 4 }, fields: { a: 2 } },
    ]);
  });

  it('drops a byte order mark', async () => {
    expect((await readRows(write('bom.jsonl', '\ufeff{"a":"é"}\n')))[0]?.fields).toEqual({ a: 'é' });
  });

  it.each(['{"prompt":"a","prompt":"b"}', '{"a":[{"x":1},{"x":1,"\\u0078":2}]}', '{"a":{"b":1,"c":{"b":2},"b":3}}'])(
    'refuses %s, whose object has a key twice', async (line) => {
      const { message } = await failure(write('twice.jsonl', `{"prompt":"fine"}\n${line}\n`));
      expect(message).toMatch(/twice\.jsonl:2 {2}is not JSON \(one object has the key "(prompt|x|b)" twice\)/);
      await expect(readRows(write('twice.json', `[${line}]`))).rejects.toThrow(/has the key "(prompt|x|b)" twice/);
    });

  it('reads the same key in objects beside and inside one another, and in texts', async () => {
    const fields = { a: { b: 1, c: { b: 2 } }, d: [{ b: 1 }, { b: 2 }], e: '{"b":1,"b":2}', f: 'b' };
    expect((await readRows(write('once.jsonl', JSON.stringify(fields))))[0]!.fields).toEqual(fields);
  });

  it('reports every broken line together, the first 20, with the total', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => (i % 6 === 5 ? '{"a":1}' : '{"a": oops}'));
    const { message } = await failure(write('broken.jsonl', lines.join('\n')));
    expect(message).toContain('25 lines of 30 cannot be read');
    expect(message).toContain('broken.jsonl:1  is not JSON');
    expect(message).toContain('broken.jsonl:23  is not JSON (Unexpected token \'o\'): "{\\"a\\": oops}"');
    expect(message).not.toContain('broken.jsonl:25');
    expect(message).toContain('… and 5 more');
  });

  it('says what NaN is', async () => {
    expect((await failure(write('nan.jsonl', '{"a": NaN}'))).hints).toEqual(['NaN and Infinity are Python, not JSON; write null.']);
  });

  it('refuses lines that are no objects', async () => {
    expect((await failure(write('list.jsonl', '[1,2]\nnull\n{"a":1}'))).message).toMatch(
      /2 lines of 3 .*\n.*:1 {2}is a list, not an object: \[1,2\]\n.*:2 {2}is null/,
    );
  });

  it('names the lines that are not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"fine"}\n{"a":"caf'), Buffer.from([0xe9]), Buffer.from('"}\n')]);
    const { message, hints } = await failure(write('latin1.jsonl', bytes));
    expect(message).toContain('latin1.jsonl:2  is not UTF-8: "{\\"a\\":\\"caf\ufffd\\"}"');
    expect(hints[0]).toContain('iconv -f WINDOWS-1252 -t UTF-8');
  });

  it('recognises UTF-16', async () => {
    expect((await failure(write('utf16.jsonl', Buffer.from('\ufeff{"a":1}', 'utf16le')))).message).toContain('is UTF-16 text');
  });

  it('reads a line of 5 MB, and gzip', async () => {
    const long = 'x'.repeat(5_000_000);
    const rows = await readRows(write('long.jsonl.gz', gzipSync(`${JSON.stringify({ long })}\n{"b":1}`)));
    expect(rows.map(({ source }) => source.line)).toEqual([1, 2]);
    expect(rows[0]?.fields['long']).toHaveLength(5_000_000);
    // Both characters of each pair are escaped: four characters of JSON, none of which may cost a place on a stack.
    const escapes = await readRows(write('escapes.jsonl', `${JSON.stringify({ long: '\\n'.repeat(2_500_000) })}\n`));
    expect(escapes[0]?.fields['long']).toHaveLength(5_000_000);
    expect((await failure(write('not.jsonl.gz', 'plain'))).message).toContain('cannot be unpacked as gzip');
  });
});

describe('JSON', () => {
  it('reads an array by row, and one object per line by line', async () => {
    const array = await readRows(write('array.json', '[\n {"a":1},\n {"a":2}\n]'));
    expect(array.map(({ source }) => [source.line, source.unit])).toEqual([[1, 'row'], [2, 'row']]);
    const lines = await readRows(write('lines.json', '{"a":1}\n{"a":2}\n'));
    expect(lines.map(({ source }) => [source.line, source.unit])).toEqual([[1, undefined], [2, undefined]]);
  });
});

describe('CSV', () => {
  it('names the line a record starts on, across line breaks in quotes and blank lines', async () => {
    const path = write('table.csv', '\ufeffprompt,completion\n"two\nlines",a\n\nplain,""\nempty,\n');
    expect((await readRows(path)).map(({ source, fields }) => [source.line, fields])).toEqual([
      [2, { prompt: 'two\nlines', completion: 'a' }],
      [5, { prompt: 'plain', completion: '' }],
      [6, { prompt: 'empty', completion: null }],
    ]);
  });

  it('lists rows with the wrong number of cells, and refuses bad headers', async () => {
    expect((await failure(write('ragged.csv', 'a,b\n1\n1,2\n1,2,3\n'))).message).toMatch(
      /2 lines of 3 cannot be read\n.*:2 {2}has 1 cell where the header has 2.*\n.*:4 {2}has 3 cells/,
    );
    expect((await failure(write('twice.csv', 'a,a\n1,2\n'))).message).toContain('the header names a twice');
    expect((await failure(write('unnamed.csv', 'a,,c\n1,2,3\n'))).message).toContain('column 2 has no name');
    expect((await failure(write('quote.csv', 'a,b\n"1,2\n'))).message).toContain('is not CSV');
  });

  it('reads tabs', async () => {
    expect((await readRows(write('table.tsv', 'a\tb\n1,5\t2\n')))[0]?.fields).toEqual({ a: '1,5', b: '2' });
  });
});

describe('Parquet (written by pyarrow)', () => {
  it.each(['snappy', 'zstd', 'gzip'])('reads lists of structs, nulls and unicode, %s', async (compression) => {
    const path = join(fixtures, `preferences.${compression}.parquet`);
    const rows = await readRows(path);
    expect(rows).toHaveLength(3);
    expect(rows[1]).toEqual({
      source: { file: path, line: 2, unit: 'row' },
      fields: {
        id: 2,
        prompt: 'Wie heißt du?',
        chosen: [{ role: 'assistant', content: 'Heed.' }],
        rejected: [{ role: 'assistant', content: 'Nein.' }],
        margin: null,
      },
    });
    expect(rows[2]?.fields['prompt']).toBe('Say 日本語 🙂');
  });

  it('reads several row groups in order', async () => {
    const rows = await readRows(join(fixtures, 'labelled.parquet'));
    expect(rows.map(({ fields }) => fields['completion'])).toEqual(Array.from({ length: 10 }, (_, i) => `Answer ${i}`));
    expect(rows.filter(({ fields }) => fields['label'] === true)).toHaveLength(4);
  });

  it('says so when a file is something else', async () => {
    expect((await failure(write('fake.parquet', 'PAR1 but not really'))).message).toContain('is not readable as Parquet');
  });
});

describe('paths', () => {
  it('reads several files as one', async () => {
    const [a, b] = [write('one.jsonl', '{"a":1}'), write('two.jsonl', '{"a":2}')];
    expect((await readRows([a, b])).map(({ source }) => source.file)).toEqual([a, b]);
  });

  it('names what is near a file that does not exist', async () => {
    write('feedback.jsonl', '{"a":1}');
    expect((await failure(join(folder, 'feedbak.jsonl'))).hints).toEqual(['Did you mean feedback.jsonl?']);
    expect((await failure(join(folder, 'nowhere/x.jsonl'))).message).toContain('nor does its folder');
    const start = `Paths are relative to the folder where the command is run: ${process.cwd()}`;
    expect((await failure('nowhere/x.jsonl')).hints).toEqual([start]);
    expect((await failure('neither-here-nor-there.jsonl')).hints).toEqual([start]);
    expect((await failure(join(folder, 'neither-here-nor-there.jsonl'))).hints).toEqual([]);
  });

  it('refuses folders, unknown kinds and empty files', async () => {
    expect((await failure(folder)).message).toContain('is a folder');
    expect((await failure(write('notes.txt', 'a'))).hints[0]).toContain('.jsonl');
    for (const name of ['empty.jsonl', 'empty.json', 'empty.csv'])
      expect((await failure(write(name, '\n'))).message).toContain('holds no rows');
  });
});
