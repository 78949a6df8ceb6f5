import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { visible } from '../../src/cli/render-tokens.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

const { folder, write } = scratchFolder();
let recipe = '';
beforeAll(async () => {
  const { model } = await tinyChat(folder);
  const data = write(
    'rows.jsonl',
    [
      { id: 'first', prompt: 'Hi', completion: 'I am\nhere.', judgment: 'No.' },
      { prompt: 'x', completion: 'y', judgment: null },
      { prompt: 'x', completion: '', judgment: null },
      { prompt: 'x', completion: 'z', judgment: null },
    ]
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  );
  recipe = write(
    'cut.yaml',
    `model: ${model}\ndata: ${data}\nmethod: { name: cut, judgment: "{instruction} But: {judgment}" }\nrun: { dir: ${folder}/run }\n`,
  );
});

afterEach(() => void vi.unstubAllEnvs());

describe('heed inspect', () => {
  it("shows the doctor's report, junk, and each sequence with what is learned in brackets", async () => {
    const { code, out } = await heed(['inspect', recipe, '--rows', '2']);
    expect(code).toBe(0);
    expect(out).toMatch(/judged rows\n {2}train +3\n/);
    expect(out).toContain('skipped junk: 1 row');
    expect(out).toMatch(/rows\.jsonl:3 {2}completion is empty/);
    expect(out).toMatch(/tokens per row: min 10/);
    const shown = out.slice(out.indexOf('\nrow 1 '));
    expect(shown.replaceAll(folder, '')).toBe([
      '', 'row 1  /rows.jsonl:1  id first  unsatisfied 1',
      'plain  9 prompt + 10 response tokens, 10 learned',
      '<s>u Hi</s><s>a [I][ ][a][m][⏎', '][he][r][e][.][</s>]',
      'judged  18 prompt + 10 response tokens, 10 learned',
      '<s>u Hi But: No.</s><s>a [I][ ][a][m][⏎', '][he][r][e][.][</s>]',
      '', 'row 2  /rows.jsonl:2  unsatisfied 0',
      'plain  8 prompt + 2 response tokens, 2 learned',
      '<s>u x</s><s>a [y][</s>]', '',
    ].join('\n'));
  });

  it('lists responses that the template cuts, with the way out, and finds fault with nothing else then', async () => {
    const cutting = "{% for m in messages %}<s>{{ m.content.split('</think>')[-1] }}</s>{% endfor %}"
      + '{% if add_generation_prompt %}<s>{% endif %}';
    const { model } = await tinyChat(folder, { context: 300 });
    writeFileSync(join(model, 'chat_template.jinja'), cutting);
    const data = write('thoughts.jsonl', '{"prompt": "x", "completion": "<think>a</think>b"}\n{"prompt": "x", "completion": "c"}\n');
    const { out } = await heed(['inspect', recipe, `model=${model}`, `data=${data}`, 'method={name: sft}']);
    expect(out).toMatch(/thoughts\.jsonl:1 {2}The chat template changes this response: "<think>a<\/think>b" becomes "b"/);
    expect(out).toContain('as chat_template.jinja, or use template: alpaca.');
    expect(out).not.toContain('Nothing found');
    expect((await heed(['inspect', recipe, `model=${model}`, `data=${data}`, 'method={name: sft}', 'template=alpaca'])).out)
      .toContain('Nothing found that would spoil training.');
  });

  it('shows the same in colour in a terminal, and the plain form with NO_COLOR', async () => {
    const strip = (text: string): string => text.replace(/\u001b\[\d+m/g, '');
    vi.stubEnv('NO_COLOR', undefined);
    const { out } = await heed(['inspect', recipe, '--rows', '1'], { columns: 80 });
    expect(out).toContain('\u001b[2m<s>\u001b[22m');
    expect(out).toContain('\u001b[1m\u001b[4m');
    expect(strip(out)).toContain('<s>u Hi</s><s>a I am⏎\nhere.</s>');
    // Every style ends on its line: what follows is not coloured by it.
    const count = (line: string, codes: RegExp): number => line.match(codes)?.length ?? 0;
    for (const line of out.split('\n')) {
      for (const [opened, closed] of [
        [/\u001b\[[12]m/g, /\u001b\[22m/g],
        [/\u001b\[4m/g, /\u001b\[24m/g],
        [/\u001b\[3[26]m/g, /\u001b\[39m/g],
      ] as const)
        expect(count(line, opened)).toBe(count(line, closed));
    }
    vi.stubEnv('NO_COLOR', '1');
    expect((await heed(['inspect', recipe], { columns: 80 })).out).not.toContain('\u001b');
  });

  it('gives tokens and masks as JSON, cut as a run would cut them', async () => {
    interface Seen {
      ids: number[];
      texts: string[];
      supervised: boolean[];
      promptTokens: number;
    }
    interface Found {
      doctor: { counts: Record<string, number>; lengths: { over: number[] } };
      rows: { sequences: Record<string, Seen>; notes: Record<string, string> }[];
    }
    const { out, json } = await heed(['inspect', recipe, '--json', 'data.maxTokens=25', 'data.onLong=truncate-prompt-left']);
    expect(out.trim().split('\n')).toHaveLength(1);
    const { doctor, rows } = json<Found>();
    expect(doctor.counts).toMatchObject({ train: 3, satisfied: 2, unsatisfied: 1 });
    expect(doctor.lengths.over).toEqual([0]);
    const { plain, judged } = rows[0]!.sequences as { plain: Seen; judged: Seen };
    for (const { ids, texts, supervised, promptTokens } of [plain, judged]) {
      expect([texts.length, supervised.length]).toEqual([ids.length, ids.length]);
      expect(supervised).toEqual(ids.map((_, i) => i >= promptTokens));
      expect(texts.at(-1)).toBe('</s>');
    }
    expect([plain.ids.length, judged.ids.length, judged.promptTokens]).toEqual([19, 25, 15]);
    expect(rows[0]!.notes).toEqual({ judged: 'the first 3 tokens of the prompt are cut to fit data.maxTokens 25' });
    const strict = await heed(['inspect', recipe, 'data.maxTokens=25', '--rows', '1']);
    expect(strict.out).toContain(
      '! has 18 prompt + 10 response tokens, over maxTokens 25: a run would stop with an error (data.onLong: error)',
    );
  });

  it('counts rows that a method has no use for, and calls them no failures', async () => {
    const rows = [true, false, true, false].map((satisfied, i) => ({ prompt: `p${i}`, completion: `c${i}`, satisfied }));
    const data = write('bad.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const argv = ['inspect', recipe, 'method={name: sft}', `data=${data}`];
    const { out } = await heed(argv);
    expect(out).toMatch(/^2 rows left out: not satisfactory \(by satisfied, label or judgment\)$/m);
    expect(out).not.toContain('cannot learn from these rows');
    const found = (await heed([...argv, '--json'])).json<{ leftOut: { rows: { line: number }[] }; unfit: unknown[]; rows: unknown[] }>();
    expect([found.leftOut.rows.map(({ line }) => line), found.unfit, found.rows.length]).toEqual([[2, 4], [], 2]);
  });

  it('masks only the assistant turns of a conversation', async () => {
    const messages = ['user', 'assistant', 'user', 'assistant'].map((role, i) => ({ role, content: `${i}` }));
    const data = write('talk.jsonl', `${JSON.stringify({ messages })}\n`);
    const { out } = await heed(['inspect', recipe, 'method={name: sft}', `data=${data}`]);
    expect(out).toContain('<s>u 0</s><s>a [1][</s>]<s>u 2</s><s>a [3][</s>]\n');
  });

  it('shows the prompts of an online recipe, and says what is wrong with another', async () => {
    const prompts = write('prompts.jsonl', '{"prompt":"Hi"}\n');
    const online = await heed(['inspect', recipe, 'judge=rules:r.yaml', `evaluate.prompts=${prompts}`, `data=${prompts}`]);
    expect(online.out).toContain('prompt  9 prompt + 0 response tokens, 0 learned\n<s>u Hi</s><s>a ');
    const typo = await heed(['inspect', recipe, 'method.lamda=1']);
    expect(typo.code).toBe(2);
    expect(typo.err).toContain('lambda');
    expect((await heed(['inspect', recipe, '--rows', '-1'])).err).toContain('--rows is -1');
    const messages = ['user', 'assistant', 'user', 'assistant'].map((role) => ({ role, content: 'x' }));
    const long = write('long.jsonl', `${JSON.stringify({ messages })}\n`);
    const refused = await heed(['inspect', recipe, 'template=alpaca', 'method={name: sft}', `data=${long}`]);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(
      /1 of 1 rows cannot be written in the alpaca template\n.*long\.jsonl:1 {2}The alpaca template takes one user turn/,
    );
  });

  it('shows what there is to label by a label recipe, without a model', async () => {
    const pairs = write(
      'pairs.jsonl',
      [
        { prompt: 'p', responses: ['a', 'b'], soft_label: 1 },
        { prompt: 'p', responses: ['a', 'a'] },
        { prompt: 'q', responses: ['Better answer=A', 'b'] },
        { prompt: '', responses: ['a', 'b'] },
      ]
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
    const labels = write(
      'label.yaml',
      `data: ${pairs}\njudge: { local: { model: ${folder}/none } }\nlabel: preferences\nrun: { dir: ${folder}/labels }\n`,
    );
    const { code, out, err } = await heed(['inspect', labels]);
    expect(code, err).toBe(0);
    expect(out).toMatch(/^preferences by local: .*none\n\nprompt rows\n {2}train +3\n/);
    expect(out).toMatch(/left out as junk:\n.*pairs\.jsonl:4 {2}prompt is empty/);
    expect(out).toContain(
      'To label: 2 pairs of responses; 2 more have nothing to label. People have labelled 1 of them: the report compares',
    );
    expect(out).toContain(`\nNothing was asked so far: heed label ${labels} asks `);
    const rated = await heed([
      'inspect',
      labels,
      'label={ name: scores }',
      `data=${write('votes.jsonl', '{"prompt":"p","completion":"a","label":true}\n{"prompt":"p","completion":"b","label":false}\n')}`,
      '--json',
    ]);
    expect(rated.json()).toMatchObject({
      labeler: 'scores',
      doctor: { kind: 'labelled' },
      toLabel: { what: 'singles', rows: 2, withHuman: 2, leftOut: 0 },
    });
    expect((await heed(['inspect', labels, 'label.critereon=helpful'])).err).toMatch(/critereon[^]*criterion/);
  });

  it('lets no data steer the terminal', () => {
    expect(visible('a\u001b[31m\tb\r\n\u0000')).toBe('a\\x1b[31m⇥b␍⏎\n\\x00');
  });
});
