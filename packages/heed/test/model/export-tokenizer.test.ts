import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportTokenizer } from '../../src/model/export-tokenizer.js';
import { loadTokenizer } from '../../src/text/tokenizer.js';
import { toyFiles } from '../text/support.js';
import { json, scratch } from './support.js';

const folder = scratch();
const BOS = { SpecialToken: { id: '<s>', type_id: 0 } }, TEXT = { Sequence: { id: 'A', type_id: 0 } };
const POST = {
  type: 'TemplateProcessing', single: [BOS, TEXT], pair: [BOS, TEXT, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { '<s>': { id: '<s>', ids: [256], tokens: ['<s>'] } },
};
const DIGITS = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Digits', individual_digits: true },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  ],
};

/** A byte-level tokenizer whose merges make "  1" of two blanks and a digit, unless the digits are split off first. */
function base(name: string, tokenizer: object, config: object): string {
  const [files, more] = toyFiles(['<s>', '</s>'], { bos_token: '<s>', eos_token: '</s>', ...config }) as [
    { model: { vocab: Record<string, number>; merges: string[] }; added_tokens: object[] }, object,
  ];
  // The Rust library wants every field.
  const unsaid = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  files.added_tokens = files.added_tokens.map((token) => ({ ...token, ...unsaid }));
  const plain = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  for (const [i, merge] of ['Ġ Ġ', 'ĠĠ 1', 'Ġ 1'].entries()) {
    files.model.merges.push(merge);
    files.model.vocab[merge.replace(' ', '')] = 258 + i;
  }
  const home = path.join(folder, name);
  fs.mkdirSync(home);
  const write = (file: string, value: object): void => fs.writeFileSync(path.join(home, file), JSON.stringify(value));
  write('tokenizer.json', { version: '1.0', ...files, pre_tokenizer: plain, decoder: plain, ...tokenizer });
  write('tokenizer_config.json', more);
  write('config.json', { model_type: 'llama' });
  return home;
}

async function exported(home: string): Promise<{ readonly to: string; readonly config: Record<string, unknown>; readonly post: unknown }> {
  const to = `${home}-exported`;
  fs.cpSync(home, to, { recursive: true });
  await exportTokenizer(home, to);
  const tokenizer = json<Record<string, unknown>>(path.join(to, 'tokenizer.json'));
  return { to, config: json(path.join(to, 'tokenizer_config.json')), post: tokenizer['post_processor'] };
}

describe('the tokenizer of an exported model', () => {
  it('is of the class that takes tokenizer.json as it is; what else the configuration says is kept', async () => {
    const { config } = await exported(base('plain', { pre_tokenizer: DIGITS }, {
      tokenizer_class: 'GPT2Tokenizer', model_max_length: 77, chat_template: 'x', auto_map: { AutoTokenizer: ['a', 'b'] }, legacy: true,
    }));
    expect(config).toEqual({
      bos_token: '<s>', eos_token: '</s>', tokenizer_class: 'PreTrainedTokenizerFast', model_max_length: 77, chat_template: 'x',
    });
  });

  it('has the space before a text that tokenizer.json has, whatever the configuration says', async () => {
    const rule = (add_prefix_space: boolean): object => ({ pre_tokenizer: { ...DIGITS.pretokenizers[1], add_prefix_space } });
    expect((await exported(base('space', rule(true), { add_prefix_space: false }))).config['add_prefix_space']).toBe(true);
    expect((await exported(base('none', rule(false), { add_prefix_space: true }))).config['add_prefix_space']).toBe(false);
  });

  it.each([
    ['asked for and not there', { post_processor: null }, { add_bos_token: true }, [256, 97]],
    ['there and not wanted', { post_processor: POST }, { add_bos_token: false }, [97]],
    ['there', { post_processor: POST }, {}, [256, 97]],
    ['not there', { post_processor: null }, {}, [97]],
  ])('BOS, %s', async (name, tokenizer, config, ids) => {
    const home = base(name, tokenizer, config);
    const { to, post } = await exported(home);
    const { addsBos } = await loadTokenizer(home);
    expect((await loadTokenizer(to)).addsBos).toBe(addsBos);
    expect(addsBos).toBe(ids.length === 2);
    expect(JSON.stringify(post).includes('"SpecialToken":{"id":"<s>"')).toBe(addsBos);
  });
});

const python = process.env['HEED_TEST_PYTHON'] ?? 'python3';
const there = process.env['HEED_TEST_PYTHON'] !== undefined && spawnSync(python, ['-c', 'import transformers']).status === 0;

describe.skipIf(!there)(`transformers (${there ? python : 'set HEED_TEST_PYTHON to an interpreter that has transformers'})`, () => {
  it("makes the ids of Heed's tokenizer, BOS included, and of the base's own class others", async () => {
    const texts = ['  1', 'a  11 1', ' 1', 'x'];
    const written = (post_processor: object | null): object => ({ pre_tokenizer: DIGITS, post_processor });
    const homes = [
      base('py-digits', written(null), { tokenizer_class: 'GPT2Tokenizer' }),
      base('py-bos', written(null), { add_bos_token: true, tokenizer_class: 'PreTrainedTokenizerFast' }),
      base('py-no-bos', written(POST), { add_bos_token: false, tokenizer_class: 'PreTrainedTokenizerFast' }),
    ];
    const script = 'import json,sys\nfrom transformers import AutoTokenizer\n'
      + 'print(json.dumps([[AutoTokenizer.from_pretrained(f).encode(t) for t in json.loads(sys.argv[1])] for f in sys.argv[2:]]))';
    const ask = (folders: readonly string[]): number[][][] =>
      JSON.parse(execFileSync(python, ['-c', script, JSON.stringify(texts), ...folders], { encoding: 'utf8' })) as number[][][];
    const ours = await Promise.all(homes.map(async (home) => {
      const { encode, addsBos, bosId } = await loadTokenizer(home).then((t) => ({ ...t, encode: t.encode.bind(t) }));
      return texts.map((text) => [...(addsBos ? [bosId!] : []), ...encode(text)]);
    }));
    const theirs = ask(await Promise.all(homes.map(async (home) => (await exported(home)).to)));
    expect(theirs).toEqual(ours);
    expect(ask(homes)[0]).not.toEqual(ours[0]);
  }, 60_000);
});
