import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/data/read-csv.js';

const read = (text: string, kind: 'csv' | 'tsv' = 'csv') => readCsv('f', Buffer.from(text), kind);
const cells = (text: string, kind: 'csv' | 'tsv' = 'csv'): unknown[] => read(text, kind).rows.map(({ fields }) => fields);

describe('what stands between cells', () => {
  it('is what the header uses most, outside quotation marks', () => {
    const rows = [{ prompt: 'a, b', completion: 'c' }];
    expect(cells('prompt;completion\na, b;c\n')).toEqual(rows);
    expect(cells('\ufeff"prompt";"completion"\r\n"a, b";"c"\r\n')).toEqual(rows);
    expect(cells('prompt,completion\n"a, b",c\n')).toEqual(rows);
    expect(cells('prompt\tcompletion\na, b\tc\n')).toEqual(rows);
    expect(cells('"a;b;c",d\n1,2;3\n')).toEqual([{ 'a;b;c': '1', d: '2;3' }]);
  });
});

describe('a first column without a name', () => {
  it("has pandas' name for it, whatever it holds", () => {
    expect(cells(',prompt\n0,a\n1,b\n')).toEqual([{ 'Unnamed: 0': '0', prompt: 'a' }, { 'Unnamed: 0': '1', prompt: 'b' }]);
    expect(cells('"";"prompt"\n"x";"a"\n')).toEqual([{ 'Unnamed: 0': 'x', prompt: 'a' }]);
    expect(() => read(',Unnamed: 0,prompt\n0,0,a\n')).toThrow('f:1 column 1 has no name');
  });

  it('elsewhere is refused, unless nothing stands in it', () => {
    expect(() => read('a,,b\n1,2,3\n')).toThrow('f:1 column 2 has no name in the header');
    expect(cells('a,b,,\n1,2,,\n3,4,,\n')).toEqual([{ a: '1', b: '2' }, { a: '3', b: '4' }]);
  });
});

describe('quotation marks in TSV', () => {
  it('are text within a cell, and go where they enclose one', () => {
    const text = 'prompt\tcompletion\nsay "Hi" now\t"Hi"\n"So" she said\t"a ""b"" c"\n5" disk\t\n';
    expect(cells(text, 'tsv')).toEqual([
      { prompt: 'say "Hi" now', completion: 'Hi' }, { prompt: '"So" she said', completion: 'a "b" c' },
        { prompt: '5" disk', completion: null },
    ]);
    expect(cells(text.replaceAll('\n', '\r\n'), 'tsv')).toEqual(cells(text, 'tsv'));
    expect(read(text, 'tsv').rows.map(({ source: { line } }) => line)).toEqual([2, 3, 4]);
  });

  it('a quoted cell may hold tabs and line breaks, as spreadsheets write it', () => {
    const { rows } = read('a\tb\n"one\ttwo\nand\nthree"\t2\n4\t5\n', 'tsv');
    expect(rows).toMatchObject([
      { source: { line: 2 }, fields: { a: 'one\ttwo\nand\nthree', b: '2' } }, { source: { line: 5 }, fields: { a: '4', b: '5' } },
    ]);
  });

  it('that can be read in two ways are refused, and none swallows a row', () => {
    expect(() => read('a\tb\n"x\ty\nz"\tw\n', 'tsv')).toThrow('f:2 can be read in two ways');
    expect(cells('a\tb\n"x\ty\nz\tw\n', 'tsv')).toEqual([{ a: '"x', b: 'y' }, { a: 'z', b: 'w' }]);
    const { rows, broken } = read('a\tb\n1\t2\t3\n4\t5\n', 'tsv');
    expect([rows.length, broken.map(({ source: { line } }) => line)]).toEqual([1, [2]]);
  });
});
