import { describe, expect, it } from 'vitest';
import type { AnyRow } from '../../src/data/rows.js';
import type { UserError } from '../../src/errors.js';
import { type Limits, prepare } from '../../src/loop/items.js';
import { methodOf } from '../../src/method/index.js';
import { createRespond } from '../../src/text/respond.js';
import { chatTemplate } from '../../src/text/template.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { toyFiles } from '../text/support.js';

// A template that cuts what stands before </think> and trims: rows of every kind are held to what it leaves of them.
const tokenizer = createTokenizer(...toyFiles(['</s>'], { eos_token: '</s>' }));
const template = chatTemplate(
  tokenizer,
  '{% for m in messages %}{{ m.role[:1] }} {{ m.content.split("</think>")[-1] | trim if m.role == "assistant" else m.content }}</s>'
  + '{% endfor %}{% if add_generation_prompt %}a {% endif %}',
);
const CUT = '<think>so</think>fine', PLAIN = 'good';
const prompt = [{ role: 'user', content: 'q' }] as const;
/** A row that is fine, and one whose response the template cuts. */
const rowsOf = (row: (response: string) => object): AnyRow[] =>
  [PLAIN, CUT].map((response, i) => ({ source: { file: 'rows.jsonl', line: i + 1 }, prompt, ...row(response) }) as unknown as AnyRow);
const prepared = (name: string, rows: readonly AnyRow[], limits: Partial<Limits> = {}) =>
  prepare(rows, methodOf({ name }), createRespond(template), { maxTokens: 512, onLong: 'error', ...limits });

describe('a response that the template changes', () => {
  it.each([
    ['sft', rowsOf((completion) => ({ completion, messages: [...prompt, { role: 'assistant', content: completion }] }))],
    ['dpo', rowsOf((chosen) => ({ chosen, rejected: 'bad' }))],
    ['dpo', rowsOf((rejected) => ({ chosen: 'better', rejected }))],
    ['kto', rowsOf((completion) => ({ completion, label: true }))],
    ['cut', rowsOf((completion) => ({ completion, satisfied: true, judgment: null }))],
    ['hindsight', rowsOf((completion) => ({ completion, satisfied: false, judgment: 'It is wrong.' }))],
    ['npo', rowsOf((rejected) => ({ rejected }))],
    ['ilf', rowsOf((refinement) => ({ completion: 'old', satisfied: false, judgment: 'Mend it.', refinement }))],
  ])('%s refuses the row by its line, with the way out, or leaves it out as junk', (name, rows) => {
    let error: UserError | undefined;
    try {
      prepared(name, rows);
    } catch (thrown) {
      error = thrown as UserError;
    }
    expect(error?.message).toMatch(/1 of 2 rows are not for .*\n.*rows\.jsonl:2  The chat template changes this response: "<think>so<\/think>/);
    expect(error?.hints.join()).toContain('chat_template.jinja');
    const { items, skipped } = prepared(name, rows, { junk: 'skip' });
    expect([items.length, skipped.map(({ source }) => source.line)]).toEqual([1, [2]]);
  });

  it('two responses that become the same tokens are junk, by the line of their pair', () => {
    const [files, config] = toyFiles(['</s>'], { eos_token: '</s>' }) as [{ model: { vocab: Record<string, number> } }, object];
    delete files.model.vocab['~'];
    const lacking = createRespond(chatTemplate(createTokenizer(files, config), '{% for m in messages %}{{ m.content }}</s>{% endfor %}'));
    const rows = rowsOf((response) => ({ chosen: response === PLAIN ? 'a' : 'b~', rejected: 'b' }));
    const limits = { maxTokens: 512, onLong: 'error' } as const;
    expect(() => prepare(rows, methodOf({ name: 'simpo' }), lacking, limits)).toThrow(
      /rows\.jsonl:2  in tokens chosen equals rejected: nothing is preferred/,
    );
    expect(prepare(rows, methodOf({ name: 'orpo' }), lacking, { ...limits, junk: 'skip' }).items).toHaveLength(1);
    // Also a bad answer and a good one beside it.
    const negatives = rowsOf((response) => ({ rejected: 'b', positives: [response === PLAIN ? 'a' : 'b~'] }));
    expect(() => prepare(negatives, methodOf({ name: 'd2o', k: 1 }), lacking, limits)).toThrow(
      /rows\.jsonl:2  in tokens negative equals positives: nothing is preferred/,
    );
  });

  it('two choices that become the same tokens are junk too', () => {
    const rows = rowsOf((response) => ({ choices: [response === PLAIN ? 'x' : ' yes', 'yes'], targets: [1, 0] }));
    expect(() => prepared('choice', rows)).toThrow(/rows\.jsonl:2  the choice "yes" has the same tokens as another/);
    expect(prepared('choice', rows, { junk: 'skip' }).items).toHaveLength(1);
  });

  it('a conversation that the template refuses is named by its line', () => {
    const begun = [{ role: 'assistant', content: 'x' }];
    const rows = rowsOf((response) => ({ completion: 'x', label: true, prompt: response === PLAIN ? prompt : begun }));
    const picky = chatTemplate(
      tokenizer,
      '{% for m in messages %}{% if loop.first and m.role == "assistant" %}{{ raise_exception("who asked?") }}{% endif %}'
      + '{{ m.content }}</s>{% endfor %}',
    );
    const run = (): unknown => prepare(rows, methodOf({ name: 'kto' }), createRespond(picky), { maxTokens: 512, onLong: 'error' });
    expect(run).toThrow(/1 of 2 rows cannot be written in the model's template\n.*rows\.jsonl:2  .*who asked\?/);
  });
});
