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
    all.length === 0
      ? { rows: [], skipped: [] }
      : parseRows(
          kind,
          all.map((fields, i) => ({ source: { file, line: i + 1 }, fields })),
          { junk: 'skip' },
        );
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

  it('finds thanks, thoughts and refusals of judges where words on what is wrong belong', () => {
    const report = diagnose('judged', [
      'thanks!', 'LGTM', '<think>It asks for a sum.</think>The sum is wrong.', 'The sum is right.</think>Too long.',
      "I'm sorry, but I can't judge this.",
      'It says <b> in place of bold.', 'It cannot be sorry.',
    ].map((judgment, i) => ({ prompt: `p${i}`, completion: 'a', judgment })));
    expect(lines(report)).toEqual({
      'praise among negatives': [1, 2], 'thoughts in judgments': [3, 4], 'refusals as judgments': [5],
    });
  });

  it('takes a dash for no judgment', () => {
    expect(lines(diagnose('judged', [
      { prompt: 'p', completion: 'a', judgment: '-', satisfied: false },
      { prompt: 'q', completion: 'a', judgment: ' – ', satisfied: true },
      { prompt: 'r', completion: 'a', judgment: 'Wrong.' },
    ]))).toEqual({ 'skipped junk': [1] });
  });

  it('does not take thanks for criticism', () => {
    const thanks = ['thanks!', 'Great, exactly what I needed.', ''].map((judgment, i) => ({
      prompt: 'p',
      completion: `c${i}`,
      judgment,
      satisfied: true,
    }));
    expect(lines(diagnose('judged', thanks))).toEqual({});
  });

  it('counts responses that somebody called bad, where good ones are to be imitated', () => {
    const report = diagnose(
      'conversation',
      [true, false, null].map((satisfied, i) => ({ prompt: 'p', completion: `c${i}`, satisfied })),
    );
    expect(report.counts).toEqual({ train: 3, eval: 0, 'distinct prompts': 1, satisfied: 1, unsatisfied: 1 });
    expect(lines(report)).toEqual({ 'bad responses': [2] });
    expect(
      lines(
        diagnose('completion', [
          { prompt: 'p', completion: 'c', label: true },
          { prompt: 'p', completion: 'c', label: false },
        ]),
      ),
    ).toEqual({
      'duplicate rows': [2],
      'contradictory rows': [1, 2],
      'bad responses': [2],
    });
  });

  it('counts responses that somebody called good, where bad ones are to be learnt from', () => {
    const votes = [true, false, null].map((label, i) => ({ prompt: 'p', completion: `c${i}`, label }));
    const report = diagnose('negative', votes);
    expect(report.counts).toEqual({ train: 3, eval: 0, 'distinct prompts': 1, satisfied: 1, unsatisfied: 1 });
    expect(lines(report)).toEqual({ 'good responses': [1] });
    // What stands under `rejected` is bad, whatever was said of something else.
    expect(lines(diagnose('negative', votes.map(({ completion, ...row }) => ({ ...row, rejected: completion }))))).toEqual({});
  });

  it('counts ties, pairs ranked both ways and reversed soft labels', () => {
    const report = diagnose('preference', [
      { prompt: 'p', chosen: 'a', rejected: 'b' },
      { prompt: 'p', chosen: 'b', rejected: 'a' },
      { prompt: 'p', chosen: 'x', rejected: ' x' },
      { prompt: 'q', chosen: 'a', rejected: 'b', soft_label: 0.3 },
      { prompt: 'q', chosen: 'c', rejected: 'd', soft_label: 0.5 },
    ]);
    expect(lines(report)).toEqual({
      'skipped junk': [3],
      'contradictory rows': [1, 2],
      'soft label favours rejected': [4],
      'soft label prefers neither': [5],
    });
  });

  const tables = (report: DoctorReport) =>
    Object.fromEntries(report.tables.map(({ title, lines }) => [title, Object.fromEntries(lines.map(({ name, rows }) => [name, rows]))]));

  it('shows how sure soft labels are, and by how much margins differ', () => {
    const pairs = Array.from({ length: 11 }, (_, i) => ({
      prompt: `p${i}`,
      chosen: 'a',
      rejected: 'b',
      soft_label: i / 10,
      margin: i % 2,
    }));
    expect(tables(diagnose('preference', [...pairs, { prompt: 'p', chosen: 'a', rejected: 'b' }]))).toEqual({
      'soft_label: min 0, median 0.5, max 1; 1 of 12 rows have none and count as certain': {
        '0 … 0.1': 1,
        '0.1 … 0.2': 1,
        '0.2 … 0.3': 1,
        '0.3 … 0.4': 1,
        '0.4 … 0.5': 1,
        '0.5 … 0.6': 1,
        '0.6 … 0.7': 1,
        '0.7 … 0.8': 1,
        '0.8 … 0.9': 1,
        '0.9 … 1': 2,
      },
      'margin: min 0, median 0, max 1': { 0: 6, 1: 5 },
    });
    expect(diagnose('preference', [{ prompt: 'p', chosen: 'a', rejected: 'b' }]).tables).toEqual([]);
  });

  it('counts labels, those that look alike and texts with two', () => {
    const rows = [
      ['a', 'Generic'],
      ['b', 'generic'],
      ['c', 'Other'],
      ['d', 'Generic'],
      ['a ', 'Other'],
    ];
    const report = diagnose(
      'classified',
      rows.map(([text, label]) => ({ text, label })),
      [{ text: 'C', label: 'Other' }],
    );
    expect(report.counts).toEqual({ train: 5, eval: 1, 'distinct texts': 5 });
    expect(tables(report)).toEqual({ label: { '"Other"': 3, '"Generic"': 2, '"generic"': 1 } });
    expect(lines(report)).toEqual({
      'duplicate rows': [5],
      'contradictory rows': [1, 5],
      'labels that look alike': [1, 2, 4],
      leakage: [1],
    });
    expect(
      lines(
        diagnose('labelled', [
          { prompt: 'p', completion: 'a', label: 1 },
          { prompt: 'p', completion: 'b', label: true },
        ]),
      ),
    ).toEqual({ 'one class only': [1, 2] });
  });

  it('counts positives', () => {
    const report = diagnose(
      'negative',
      [[], ['a'], ['a', 'b'], ['a', ' a']].map((positives, i) => ({ prompt: `p${i}`, rejected: 'r', ...(i === 0 ? {} : { positives }) })),
    );
    expect(tables(report)).toEqual({ 'positives per row': { 0: 1, 1: 1, 2: 2 } });
    expect(lines(report)).toEqual({ 'no positives': [1], 'repeated positives': [4] });
    expect(lines(diagnose('negative', [{ prompt: 'p', rejected: 'r' }]))).toEqual({});
  });

  it('sees choices whose place gives the answer away, and how sure targets are', () => {
    const quiz = ['p', 'q', 'r'].map((prompt) => ({ prompt, choices: [`right ${prompt}`, 'x', 'y'], label: 0 }));
    expect(lines(diagnose('choice', quiz))).toEqual({ 'answer always in one place': [1, 2, 3] });
    const judged = diagnose(
      'choice',
      [
        [0.2, 0.8],
        [0.7, 0.3],
        [0.5, 0.5],
      ].map((targets, i) => ({ prompt: `p${i}`, choices: ['A', 'B'], targets })),
    );
    expect(lines(judged)).toEqual({ 'targets prefer nothing': [3] });
    expect(tables(judged)).toEqual({
      'choices per row': { 2: 3 },
      'most probable choice, by place': { 1: 2, 2: 1 },
      'most probable choice': { '"A"': 2, '"B"': 1 },
      'probability of the most probable choice: min 0.5, median 0.7, max 0.8': { 0.5: 1, 0.7: 1, 0.8: 1 },
    });
  });

  it('shows the range of scores, whatever it is', () => {
    const scored = (scores: readonly number[]) =>
      diagnose(
        'scored',
        scores.map((score, i) => ({ prompt: `p${i}`, completion: 'c', score })),
      );
    const wide = scored(Array.from({ length: 21 }, (_, i) => i - 10));
    expect(wide.tables[0]?.title).toBe('score: min -10, median 0, max 10');
    expect(wide.tables[0]?.lines.map(({ name, rows }) => [name, rows]).slice(0, 2)).toEqual([
      ['-10 … -8', 2],
      ['-8 … -6', 2],
    ]);
    expect(wide.tables[0]?.lines.at(-1)).toEqual({ name: '8 … 10', rows: 3 });
    expect(lines(scored([3, 3]))).toEqual({ 'one score only': [1, 2] });
    const huge = scored([...Array.from({ length: 10 }, (_, i) => i), Number.MAX_VALUE, -Number.MAX_VALUE]);
    expect(huge.tables[0]?.lines.map(({ rows }) => rows)).toEqual([1, 0, 0, 0, 0, 10, 0, 0, 0, 1]);
  });

  it('counts refinements and those that changed nothing', () => {
    const report = diagnose('refined', [
      { prompt: 'p', completion: 'a', judgment: 'Wrong.', refinement: 'b' },
      { prompt: 'q', completion: 'a', judgment: 'Wrong.', refinement: 'a ' },
      { prompt: 'r', completion: 'a', judgment: 'Wrong.' },
      { prompt: 's', completion: 'a', judgment: null },
    ]);
    expect(tables(report)).toEqual({
      refinements: { 'unsatisfied, refined': 2, 'satisfied, no refinement': 1, 'unsatisfied, no refinement': 1 },
    });
    expect(lines(report)).toEqual({ 'unsatisfied without refinement': [3], 'refinement equals completion': [2] });
  });

  it('shows what principles prefer, and where the orders disagree', () => {
    const by = (name: string, score: number, scores?: [number, number]) => ({ name, text: 't', negation: 'n', score, scores });
    const principles = [[by('Kind', 1), by('Brief', -2)], [by('Kind', 0, [1, -1]), by('Brief', 0)], [by('Kind', 3, [2, 4])]];
    const report = diagnose('principled', principles.map((principles, i) => ({ prompt: `p${i}`, responses: ['a', 'b'], principles })));
    expect(lines(report)).toEqual({ 'no principle decides': [2], 'orders disagree': [2] });
    expect(tables(report)).toMatchObject({
      'principles per row': { 1: 1, 2: 2 },
      'which response a principle prefers': { '"Kind" first': 2, '"Kind" neither': 1, '"Brief" second': 1, '"Brief" neither': 1 },
    });
  });

  it('says why junk was left out', () => {
    const pair = { prompt: 'p', chosen: 'a', rejected: 'b' };
    const report = diagnose('preference', [pair, { ...pair, chosen: '' }, { ...pair, chosen: ' ' }, { ...pair, rejected: 'a' }]);
    expect(report.findings[0]?.advice).toBe(
      'left out: chosen is empty (2), chosen equals rejected: nothing is preferred (1); mend them in the source where they matter',
    );
    expect(renderDoctor(diagnose('negative', [{ prompt: 'p', rejected: 'r' }]))).toContain(
      `\n\npositives per row\n  0 ${'█'.repeat(40)} 1\n\nNothing found`,
    );
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
    const report = diagnose('completion', train, [
      { prompt: 'what is 2+2?\n', completion: '5' },
      { prompt: 'What is 3+3?', completion: '6' },
    ]);
    expect(lines(report)).toEqual({ leakage: [1] });
    expect(report.findings[0]?.sources[0]?.file).toBe('eval.jsonl');
  });

  it('recognises transcripts that were read as plain text', () => {
    expect(lines(diagnose('prompt', [{ prompt: '\n\nHuman: Hi\n\nAssistant:' }, { prompt: 'Who is Human: or Assistant:?' }]))).toEqual({
      'transcript prompts': [1],
    });
  });

  it('prints plain text, the first five places of each finding', () => {
    const records = Array.from({ length: 8 }, () => ({ prompt: 'p', completion: 'c' }));
    const report = diagnose('completion', records);
    const tokens = [3, 5, 6, 9, 9, 12, 31, 40].map((response) => ({ prompt: 1, response }));
    const withLengths = examine(
      'completion',
      {
        train: parseRows(
          'completion',
          records.map((fields, i) => ({ source: { file: 'train.jsonl', line: i + 1 }, fields })),
        ).rows,
        eval: [],
        skipped: [],
      },
      { tokens, maxTokens: 32 },
    );
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

  it.skipIf(sharedData('cut_iter1.jsonl') === undefined)('CUT, iteration 1: 34 failed calls, 9 judgments of praise, no leak', async () => {
    expect(await found('cut_iter1.jsonl', 'judged', { eval: 0.1 })).toEqual({
      counts: { train: 653, eval: 74, 'distinct prompts': 727, satisfied: 543, unsatisfied: 184 },
      findings: { 'called good by silence': 543, 'skipped junk': 34, 'praise among negatives': 9 },
    });
  });

  it.skipIf(sharedData('hh_harmless_base.jsonl') === undefined)('HH harmless: transcripts become turns, 3 empty replies', async () => {
    expect(await found('hh_harmless_base.jsonl', 'preference', { transcript: 'human-assistant' })).toEqual({
      counts: { train: 1688, eval: 0, 'distinct prompts': 1686 },
      findings: { 'skipped junk': 3, 'cut off': 151 },
    });
    expect((await found('hh_harmless_base.jsonl', 'preference', {})).findings['transcript prompts']).toBe(1688);
  });

  it.skipIf(sharedData('surge_toxicity.jsonl') === undefined)('Surge toxicity: texts by class, from a column of booleans', async () => {
    expect(await found('surge_toxicity.jsonl', 'classified', { columns: { label: 'is_toxic' }, eval: 200 })).toEqual({
      counts: { train: 552, eval: 200, 'distinct texts': 751 },
      findings: { 'duplicate rows': 1 },
    });
  });

  it.skipIf(sharedData('do_not_answer_responses.jsonl') === undefined)(
    'Do-Not-Answer: responses as negatives, split by prompt',
    async () => {
      expect(
        await found('do_not_answer_responses.jsonl', 'negative', { columns: { prompt: 'question', rejected: 'response' }, eval: 200 }),
      ).toEqual({
        counts: { train: 1246, eval: 200, 'distinct prompts': 702 },
        findings: { 'cut off': 10 },
      });
    },
  );

  it.skipIf(sharedData('alpacaeval_soft_preferences.jsonl') === undefined)("AlpacaEval: a judge's soft labels", async () => {
    expect(
      await found('alpacaeval_soft_preferences.jsonl', 'preference', {
        columns: { chosen: 'output_2', rejected: 'output_1', soft_label: 'p_output_2' },
      }),
    ).toEqual({
      counts: { train: 430, eval: 0, 'distinct prompts': 430 },
      findings: { 'cut off': 5, 'soft label favours rejected': 149 },
    });
  });

  it.skipIf(sharedData('mmlu.jsonl') === undefined)('MMLU: answers by place, also where choices are numbers', async () => {
    expect((await found('mmlu.jsonl', 'choice', { columns: { prompt: 'question', label: 'answer' } })).counts).toEqual({
      train: 2169,
      eval: 0,
      'distinct prompts': 2159,
    });
  });

  it.skipIf(sharedData('truthfulqa_judge.jsonl') === undefined)(
    'TruthfulQA judge: mapped columns, duplicates, contradictions',
    async () => {
      const columns = { prompt: 'question', completion: 'answer', label: 'truthful' };
      expect(await found('truthfulqa_judge.jsonl', 'labelled', { columns })).toEqual({
        counts: { train: 4526, eval: 0, 'distinct prompts': 619, good: 1946, bad: 2580 },
        findings: { 'skipped junk': 16, 'cut off': 146, 'duplicate rows': 350, 'contradictory rows': 8 },
      });
    },
  );
});
