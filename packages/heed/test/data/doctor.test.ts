import { describe, expect, it } from 'vitest';
import { examine, type DoctorReport, type Finding } from '../../src/data/doctor.js';
import { measureLengths } from '../../src/data/lengths.js';
import { DataOptions, loadData } from '../../src/data/load.js';
import { parseRows } from '../../src/data/parse.js';
import { renderDoctor } from '../../src/data/render-doctor.js';
import type { RowKind } from '../../src/data/rows.js';
import { sharedData } from '../support/shared-data.js';

/** Lines found, by finding. */
function lines(report: DoctorReport): Partial<Record<Finding['name'], number[]>> {
  return Object.fromEntries(report.findings.map(({ name, sources }) => [name, sources.map(({ line }) => line)]));
}

function diagnose(kind: RowKind, records: readonly Record<string, unknown>[], held: readonly Record<string, unknown>[] = []): DoctorReport {
  const read = (all: readonly Record<string, unknown>[], file: string) =>
    all.length === 0 ? { rows: [], skipped: [] } : parseRows(kind, all.map((fields, i) => ({ source: { file, line: i + 1 }, fields })), { junk: 'skip' });
  const train = read(records, 'train.jsonl');
  return examine(kind, { train: train.rows, eval: read(held, 'eval.jsonl').rows, skipped: train.skipped });
}

describe('the data doctor', () => {
  it('counts praise among negatives, criticism of satisfied rows, contradictions, duplicates and junk', () => {
    const report = diagnose('judged', [
      { prompt: 'p', completion: 'a', judgment: 'The response is perfect. It could be shorter.' },
      { prompt: 'p', completion: 'a', judgment: null },
      { prompt: 'q', completion: 'b', judgment: 'Perfect!' },
      { prompt: 'q', completion: 'c', judgment: 'The sum is wrong.', satisfied: true },
      { prompt: 'q', completion: 'd', judgment: '$ERROR$' },
      { prompt: 'r', completion: 'e', judgment: 'Imperfect grammar; a perfect score is far.' },
      { prompt: 'q', completion: ' b ', judgment: 'Hm.' },
    ]);
    expect(report.counts).toEqual({ train: 6, eval: 0, 'distinct prompts': 3, satisfied: 2, unsatisfied: 4 });
    expect(lines(report)).toEqual({
      'skipped junk': [5],
      'duplicate rows': [2, 7],
      'praise among negatives': [1, 3],
      'criticism of satisfied rows': [4],
      'contradictory rows': [1, 2],
    });
  });

  it('counts ties, pairs ranked both ways and reversed soft labels', () => {
    const report = diagnose('preference', [
      { prompt: 'p', chosen: 'a', rejected: 'b' },
      { prompt: 'p', chosen: 'b', rejected: 'a' },
      { prompt: 'p', chosen: 'x', rejected: ' x' },
      { prompt: 'q', chosen: 'a', rejected: 'b', soft_label: 0.3 },
      { prompt: 'q', chosen: 'c', rejected: 'd', soft_label: 0.5 },
    ]);
    expect(lines(report)).toEqual({ 'skipped junk': [3], 'contradictory rows': [1, 2], 'soft label favours rejected': [4], 'soft label prefers neither': [5] });
  });

  it('counts broken encodings', () => {
    const report = diagnose('completion', [
      { prompt: 'p', completion: 'itâ€™s' },
      { prompt: 'cafÃ©', completion: 'b' },
      { prompt: 'Â£1', completion: 'c' },
      { prompt: 'lost \ufffd', completion: 'd' },
      { prompt: 'nul', completion: 'a\u0000b' },
      { prompt: 'São Paulo, Âme, naïve, it’s £1 €2 日本', completion: 'fine' },
    ]);
    expect(lines(report)).toEqual({ mojibake: [1, 2, 3], 'replacement characters': [4, 5] });
  });

  it('sees prompts of eval that are trained on, but for case and white space', () => {
    const train = [{ prompt: 'What is  2+2?', completion: '4' }];
    const report = diagnose('completion', train, [{ prompt: 'what is 2+2?\n', completion: '5' }, { prompt: 'What is 3+3?', completion: '6' }]);
    expect(lines(report)).toEqual({ leakage: [1] });
    expect(report.findings[0]?.sources[0]?.file).toBe('eval.jsonl');
  });

  it('recognises transcripts that were read as plain text', () => {
    expect(lines(diagnose('prompt', [{ prompt: '\n\nHuman: Hi\n\nAssistant:' }, { prompt: 'Who is Human: or Assistant:?' }]))).toEqual({ 'transcript prompts': [1] });
  });

  it('prints plain text, the first five places of each finding', () => {
    const records = Array.from({ length: 8 }, () => ({ prompt: 'p', completion: 'c' }));
    const report = diagnose('completion', records);
    const tokens = [3, 5, 6, 9, 9, 12, 31, 40].map((response) => ({ prompt: 1, response }));
    const withLengths = examine('completion', { train: parseRows('completion', records.map((fields, i) => ({ source: { file: 'train.jsonl', line: i + 1 }, fields }))).rows, eval: [], skipped: [] }, { tokens, maxTokens: 32 });
    expect(renderDoctor(report)).toBe(
      [
        'completion rows',
        '  train             8',
        '  eval              0',
        '  distinct prompts  1',
        '',
        'duplicate rows: 7 rows',
        '  prompt and response occur before; repeated rows weigh more than once',
        '  train.jsonl:2, train.jsonl:3, train.jsonl:4, train.jsonl:5, train.jsonl:6, … and 2 more',
      ].join('\n'),
    );
    const text = renderDoctor(withLengths);
    // numpy.quantile([4, 6, 7, 10, 10, 13, 32, 41], 0.95) = 37.85
    expect(text).toContain('tokens per row: min 4, median 10, 95 % 38, max 41; 123 in all');
    expect(text).toContain(`  8–15 ${'█'.repeat(40)} 3`);
    expect(text).toContain('over maxTokens: 1 row\n');
    expect(text).toContain('response over maxTokens: 1 row\n');
    expect(renderDoctor(diagnose('prompt', [{ prompt: 'p' }]))).toContain('Nothing found that would spoil training.');
  });
});

describe('measureLengths', () => {
  it('bins by doubling, and separates long rows from long responses', () => {
    const lengths = measureLengths([{ prompt: 2, response: 3 }, { prompt: 10, response: 6 }, { prompt: 1, response: 19 }], 15);
    expect(lengths).toMatchObject({ rows: 3, total: 41, min: 5, median: 16, max: 20, over: [1, 2], responseOver: [2] });
    expect(lengths.histogram).toEqual([{ from: 4, to: 8, rows: 1 }, { from: 8, to: 16, rows: 0 }, { from: 16, to: 32, rows: 2 }]);
  });
});

describe('published data', () => {
  const found = async (name: string, kind: RowKind, options: object) => {
    const data = await loadData(DataOptions.parse({ path: sharedData(name), junk: 'skip', ...options }), kind);
    const report = examine(kind, data as never);
    return { counts: report.counts, findings: Object.fromEntries(report.findings.map(({ name, rows }) => [name, rows])) };
  };

  it.skipIf(sharedData('cut_iter1.jsonl') === undefined)('CUT, iteration 1: 34 failed calls, 11 judgments of praise, no leak', async () => {
    expect(await found('cut_iter1.jsonl', 'judged', { eval: 0.1 })).toEqual({
      counts: { train: 654, eval: 73, 'distinct prompts': 727, satisfied: 543, unsatisfied: 184 },
      findings: { 'skipped junk': 34, 'praise among negatives': 11 },
    });
  });

  it.skipIf(sharedData('hh_harmless_base.jsonl') === undefined)('HH harmless: transcripts become turns, 3 empty replies', async () => {
    expect(await found('hh_harmless_base.jsonl', 'preference', { transcript: 'human-assistant' })).toEqual({
      counts: { train: 1688, eval: 0, 'distinct prompts': 1686 },
      findings: { 'skipped junk': 3 },
    });
    expect((await found('hh_harmless_base.jsonl', 'preference', {})).findings['transcript prompts']).toBe(1688);
  });

  it.skipIf(sharedData('truthfulqa_judge.jsonl') === undefined)('TruthfulQA judge: mapped columns, duplicates, contradictions', async () => {
    const columns = { prompt: 'question', completion: 'answer', label: 'truthful' };
    expect(await found('truthfulqa_judge.jsonl', 'labelled', { columns })).toEqual({
      counts: { train: 4526, eval: 0, 'distinct prompts': 619, good: 1946, bad: 2580 },
      findings: { 'skipped junk': 16, 'duplicate rows': 350, 'contradictory rows': 8 },
    });
  });
});
