/** Formats in which what was said stands apart from what was answered. */
import { describe, expect, it } from 'vitest';
import { findings, refusals, rows } from './support.js';
import { otelEvaluation, otelSpan } from './samples.js';

const generation = (id: string, output: unknown, more: object = {}) => ({
  id, traceId: 't1', type: 'GENERATION', input: [{ role: 'user', content: 'Fruit?' }], output, startTime: '2026-01-01T00:00:00Z', ...more,
});
const score = (name: string, dataType: string, more: object = {}) =>
  ({ id: `s-${name}`, traceId: 't1', observationId: 'o1', name, dataType, source: 'ANNOTATION', ...more });
const row = { id: 'o1', prompt: 'Fruit?', completion: 'Carrot.' };

describe("Langfuse's exports", () => {
  it('a vote, a number, words and a correction of one generation', () => {
    const found = findings('langfuse', [
      score('helpful', 'BOOLEAN', { value: 0, stringValue: 'False', comment: 'A vegetable.' }), score('stars', 'NUMERIC', { value: 2 }),
      score('output', 'CORRECTION', { value: 0, stringValue: 'Pear.' }), generation('o1', 'Carrot.'),
    ]);
    expect(found.refused).toEqual([]);
    expect(rows(found, 'judged')).toEqual([{ ...row, judgment: 'A vegetable.', satisfied: false }]);
    expect(rows(found, 'scored')).toEqual([{ ...row, score: 2 }]);
    expect(rows(found, 'preference')).toEqual([{ id: 'o1', prompt: 'Fruit?', chosen: 'Pear.', rejected: 'Carrot.' }]);
    expect(rows(found, 'refined')).toEqual([{ ...row, judgment: 'A vegetable.', satisfied: false, refinement: 'Pear.' }]);
  });

  it('a comment counts for the vote that it stands with, and no other', () => {
    const found = findings('langfuse', [
      generation('o1', 'Carrot.'), score('helpful', 'BOOLEAN', { value: 0, comment: 'A vegetable.' }),
      score('polite', 'BOOLEAN', { value: 1, comment: 'Friendly.' }),
    ]);
    expect(rows(found, 'judged', { vote: 'helpful' })).toEqual([{ ...row, judgment: 'A vegetable.', satisfied: false }]);
    expect(rows(found, 'judged', { vote: 'polite' })).toEqual([{ ...row, judgment: 'Friendly.', satisfied: true }]);
    expect(() => rows(found, 'judged')).toThrow('There are 2 metrics that are votes: helpful, polite.');
  });

  it('what is scored: the observation, else the last generation of the trace, else the trace; v3 names it as subject', () => {
    const trace = { id: 't1', name: 'chat', input: 'Fruit?', output: 'Leek.' };
    const early = generation('o0', 'Beet.'), late = generation('o1', 'Carrot.', { startTime: '2026-01-02T00:00:00Z' });
    const of = (records: object[]) => rows(findings('langfuse', records), 'labelled').map((one) => (one as { id: string }).id);
    expect(of([late, early, trace, score('ok', 'BOOLEAN', { value: 1, observationId: null })])).toEqual(['o1']);
    expect(of([trace, score('ok', 'BOOLEAN', { value: true, observationId: null })])).toEqual(['t1']);
    const v3 = { id: 's', name: 'ok', dataType: 'BOOLEAN', value: true, subject: { kind: 'observation', id: 'o0', traceId: 't1' } };
    expect(of([early, late, v3])).toEqual(['o0']);
    const download = { ...trace, observations: [early], scores: [score('ok', 'BOOLEAN', { value: 1, observationId: 'o0' })] };
    expect(of([download])).toEqual(['o0']);
  });

  it('inputs and outputs in their usual forms', () => {
    const forms: [unknown, unknown][] = [
      [[[{ role: 'user', content: 'Fruit?' }]], { role: 'assistant', content: 'Carrot.' }],
      [{ messages: [{ role: 'user', content: [{ type: 'text', text: 'Fruit?' }] }] }, [{ role: 'assistant', content: 'Carrot.' }]],
      ['Fruit?', { completion: 'Carrot.' }], [JSON.stringify([{ role: 'user', content: 'Fruit?' }]), '"Carrot."'.slice(1, -1)],
      ['Fruit?', { choices: [{ message: { role: 'assistant', content: 'Carrot.' } }] }],
    ];
    for (const [input, output] of forms) {
      const found = findings('langfuse', [generation('o1', output, { input }), score('ok', 'BOOLEAN', { value: 1 })]);
      expect(rows(found, 'labelled')).toEqual([{ ...row, label: true }]);
    }
  });

  it('labels mean what --map says; scores of programs can be left out; attachments and strays are refused', () => {
    const said = [score('tone', 'CATEGORICAL', { value: 'rude' }), score('eval', 'BOOLEAN', { value: 1, source: 'EVAL' })];
    const mapped = findings('langfuse', [generation('o1', 'Carrot.'), ...said], { labels: new Map([['rude', false]]) });
    expect(rows(mapped, 'labelled', { vote: 'tone' })).toEqual([{ ...row, label: false }]);
    expect(rows(mapped, 'labelled', { humanOnly: true })).toEqual([{ ...row, label: false }]);
    const found = findings('langfuse', [
      generation('o1', 'Carrot.'), ...said, score('ok', 'BOOLEAN', { value: 1, observationId: 'zz' }),
      generation('o2', '@@@langfuseMedia:type=image/png|id=x@@@'), score('ok', 'BOOLEAN', { id: 'x', value: 1, observationId: 'o2' }),
    ]);
    const stray = 'ok the observation that the score is of is not in the files. Scores need what they are of: give the files of scores '
      + 'and of observations in one command.';
    expect(refusals(found)).toEqual({
      'tone the label has no meaning that is known: say --map LABEL=good,LABEL=bad': 1,
      [stray]: 1, 'the answer that the score is of was refused': 1,
      'holds an attachment; only text is learned': 1,
    });
  });
});

describe("OpenTelemetry's GenAI spans and evaluations", () => {
  const otel = { id: 'r1', prompt: 'Name a fruit.', completion: 'A carrot, I think.' };
  const brief = { 'gen_ai.evaluation.name': 'brief', 'gen_ai.evaluation.score.value': 0.2, 'gen_ai.evaluation.explanation': 'Too long.' };

  it('join in any order and in any case of hexadecimal ids; a score makes a judgment where it is said what is good', () => {
    const found = findings('opentelemetry', [otelEvaluation(brief), otelSpan({})]);
    expect(found.refused).toEqual([]);
    expect(rows(found, 'scored')).toEqual([{ ...otel, score: 0.2 }]);
    expect(rows(found, 'judged')).toEqual([]);
    expect(rows(found, 'judged', { goodFrom: 0.5 })).toEqual([{ ...otel, judgment: 'Too long.', satisfied: false }]);
  });

  it('labels are votes; the response id joins where the span id is missing', () => {
    const label = { 'gen_ai.evaluation.name': 'brief', 'gen_ai.evaluation.score.label': 'pass', 'gen_ai.response.id': 'r1' };
    const found = findings('opentelemetry', [otelSpan({}), otelEvaluation(label, { spanId: '', traceId: '' })]);
    expect(rows(found, 'labelled')).toEqual([{ ...otel, label: true }]);
  });

  it('system instructions are a system turn; thoughts are left out', () => {
    const found = findings('opentelemetry', [
      otelSpan({
        'gen_ai.system_instructions': JSON.stringify([{ type: 'text', content: 'Be brief.' }]),
        'gen_ai.output.messages': JSON.stringify([
          { role: 'assistant', parts: [{ type: 'reasoning', content: 'hm' }, { type: 'text', content: 'Pear.' }] },
        ]),
      }),
      otelEvaluation(brief),
    ]);
    const prompt = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Name a fruit.' }];
    expect(rows(found, 'scored')).toEqual([{ id: 'r1', prompt, completion: 'Pear.', score: 0.2 }]);
  });

  it('says that content was not recorded; refuses several answers, strays and other files', () => {
    const bare = { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 'a', spanId: 'b', attributes: [] }] }] }] };
    const two = JSON.stringify([1, 2].map(() => ({ role: 'assistant', parts: [{ type: 'text', content: 'x' }] })));
    expect(refusals(findings('opentelemetry', [
      otelSpan({ 'gen_ai.input.messages': '' }), otelEvaluation(brief), otelEvaluation(brief, { spanId: 'zz' }), bare, { a: 1 },
    ]))).toEqual({
      'the span has no messages: recording of content is off by default (gen_ai.input.messages, gen_ai.output.messages)': 1,
      'the answer that the evaluation rates was refused': 1,
      'the files lack the span that the evaluation rates': 1, 'holds no GenAI call and no evaluation': 1,
      'has neither resourceSpans nor resourceLogs: a file of the format proto or of compression zstd cannot be read': 1,
    });
    expect(refusals(findings('opentelemetry', [otelSpan({ 'gen_ai.output.messages': two }), otelEvaluation(brief)]))).toMatchObject({
      'the call has 2 answers, and the evaluation does not say which one it rates': 1,
    });
  });
});
