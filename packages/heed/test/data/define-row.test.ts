import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { cells, columnNeeds, DataOptions, defineRow, examine, loadData, rowDefinition, RowFault, rowShape } from '../../src/index.js';
import { parseRows } from '../../src/data/parse.js';
import { renderDoctor } from '../../src/data/render-doctor.js';
import { splitByPrompt } from '../../src/data/split.js';
import { scratchFolder } from '../support/scratch.js';

/** A kind of row as a user would define it: a text before and after an edit, and why it was edited. Nothing in the package knows it. */
const EditedRow = z.object({
  ...rowShape.base,
  prompt: rowShape.prompt,
  before: z.string(),
  after: z.string(),
  reason: z.string().optional(),
});
const edited = defineRow({
  kind: 'edited',
  columns: ['prompt', 'input', 'before', 'after', 'reason'],
  schema: EditedRow,
  needs: () => columnNeeds('prompt, before and after', ['prompt'], ['before'], ['after']),
  read(row) {
    const [before, after] = [cells.textOf(row, 'before'), cells.textOf(row, 'after')];
    if (before === after) throw new RowFault(cells.nameOf(row, 'after'), 'equals the text before', after, true);
    const reason = cells.value(row, 'reason');
    return { ...cells.common(row), prompt: cells.promptOf(row), before, after, ...(typeof reason === 'string' ? { reason } : {}) };
  },
  prompt: (row) => row.prompt,
  responses: (row) => [row.before, row.after],
  notes: ({ reason }) => (reason === undefined ? [] : [reason]),
  verdict: ({ before, after }) => ({ says: before < after, about: [before, after].sort(), word: 'edited' }),
  view: (rows) => ({
    tables: [{ title: 'edits', lines: [{ name: 'with a reason', rows: rows.filter(({ reason }) => reason !== undefined).length }] }],
    remarks: [
      { name: 'shorter', rows: rows.filter(({ before, after }) => after.length < before.length), advice: 'the edit made the text shorter' },
    ],
  }),
});

const { write } = scratchFolder();
const file = (records: readonly object[]): string => write('edits.jsonl', records.map((record) => JSON.stringify(record)).join('\n'));
const row = (prompt: string, before: string, after: string, rest: object = {}) => ({ prompt, before, after, ...rest });

describe('a kind of row that was defined outside of the package', () => {
  it('is its own definition, as a known kind is its name', () => {
    expect(rowDefinition(edited)).toBe(edited);
    expect(rowDefinition('judged').kind).toBe('judged');
  });

  it('is loaded, with its own columns mapped, its junk skipped and its prompts split', async () => {
    const records = [row('p', 'a', 'b', { id: 1 }), row('p', 'c', 'd'), row('q', 'e', 'e'), row('q', 'e', 'ff'), row('r', 'g', 'h')];
    const path = file(records.map(({ before, ...others }) => ({ ...others, old: before })));
    const data = await loadData(DataOptions.parse({ path, columns: { before: 'old' }, junk: 'skip', eval: 2 }), edited);
    expectTypeOf(data.train[0]!.after).toEqualTypeOf<string>();
    expect(data.skipped.map(({ source, column, reason }) => [source.line, column, reason])).toEqual([
      [3, 'after', 'equals the text before'],
    ]);
    const whole = [...data.train, ...data.eval].sort((a, b) => a.source.line - b.source.line);
    expect(whole[0]).toEqual({
      source: { file: path, line: 1 },
      id: '1',
      prompt: [{ role: 'user', content: 'p' }],
      before: 'a',
      after: 'b',
    });
    expect([whole.length, data.eval.length]).toEqual([4, 2]);
    const promptsOf = (rows: typeof data.train): string[] => rows.map(({ prompt }) => prompt[0]!.content);
    expect(promptsOf(data.train).filter((prompt) => promptsOf(data.eval).includes(prompt))).toEqual([]);
    for (const one of whole) EditedRow.parse(one);
    expect(splitByPrompt(edited, whole, 2, 0)).toEqual({ train: data.train, eval: data.eval });
  });

  it('is examined: duplicates, contradictions, lost characters and what its definition adds', async () => {
    const path = file([row('p', 'a', 'b'), row('p', 'b', 'a'), row('p', 'a', 'b'), row('q', 'long', 'c', { reason: 'lost \ufffd' })]);
    const report = examine(edited, await loadData(DataOptions.parse(path), edited));
    expect(report.counts).toEqual({ train: 4, eval: 0, 'distinct prompts': 2, edited: 4 });
    expect(Object.fromEntries(report.findings.map(({ name, sources }) => [name, sources.map(({ line }) => line)]))).toEqual({
      'duplicate rows': [3], 'contradictory rows': [1, 2, 3], shorter: [4], 'replacement characters': [4],
    });
    expect(renderDoctor(report)).toMatch(
      /^edited rows\n[^]*edits\n {2}with a reason █+ 1\n[^]*shorter: 1 row\n {2}the edit made the text shorter/,
    );
  });

  it('says which columns it needs, and refuses a mapping that it would ignore', () => {
    const raw = [{ source: { file: 'f', line: 1 }, fields: { prompt: 'p', befor: 'a', after: 'b' } }];
    expect(() => parseRows(edited, raw)).toThrow('f has no column before (needed: prompt, before and after)');
    expect(() => parseRows(edited, raw, { columns: { befor: 'befor' } })).toThrow('data.columns.befor: "edited" rows have no column befor');
    expect(() => parseRows(edited, raw, { columns: { chosen: 'after' } })).toThrow('"edited" rows have no column chosen');
  });
});
