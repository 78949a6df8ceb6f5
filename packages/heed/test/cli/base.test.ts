import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { shellWord } from '../../src/cli/output.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

// Verbs that are given an adapter find its base, and the template that it was trained with.
const { folder, write } = scratchFolder();
let model: string, adapter: string, prompts: string, run: string;
beforeAll(async () => {
  ({ model, adapter } = await tinyChat(folder));
  prompts = write('prompts.jsonl', '{"prompt": "Why?"}\n');
  run = join(folder, 'some run');
  mkdirSync(run);
  cpSync(adapter, join(run, 'adapter'), { recursive: true });
  writeFileSync(join(run, 'recipe.yaml'), `model: ${model}\ntemplate: alpaca\n`);
});

const generate = async (...flags: readonly string[]): Promise<string> => {
  const { code, out, err } = await heed(['generate', '--prompts', prompts, '--max-tokens', '6', '-o', '-', ...flags]);
  expect(code, err).toBe(0);
  return out;
};
/** A copy of the adapter that says this of its base. */
function saying(name: string, base: unknown): string {
  const to = join(folder, name), config = join(to, 'adapter_config.json');
  cpSync(adapter, to, { recursive: true });
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')) as object, base_model_name_or_path: base }));
  return to;
}

describe('the base of an adapter', () => {
  it('is the one that its configuration names', async () => {
    expect(await generate('--adapter', adapter)).toBe(await generate('--model', model, '--adapter', adapter));
  });

  it("of a run's folder is its recipe's, with the template that it was trained with", async () => {
    const wanted = await generate('--model', model, '--adapter', adapter, '--template', 'alpaca');
    expect(await generate('--adapter', run)).toBe(wanted);
    expect(await generate('--adapter', join(run, 'adapter'))).toBe(wanted);
    expect(await generate('--adapter', run, '--template', 'chat')).toBe(await generate('--model', model, '--adapter', adapter));
  });

  it('is found by chat, evaluate and export too', async () => {
    const chat = await heed(['chat', '--adapter', run, '--compare', '--max-tokens', '4', '--json'], { input: 'Why?\n' });
    expect(chat.json()).toMatchObject({ model, adapter: run });
    const rules = write('r.rules.yaml', "name: r\nrules:\n"
      + "  - {id: a, kind: forbidden-pattern, pattern: 'zzz', message: 'It says {quotes}.'}\n");
    const flags = ['--prompts', prompts, '--reward', `rules:${rules}`, '--max-tokens', '4'];
    const evaluated = await heed(['evaluate', '--adapter', run, ...flags, '--json']);
    expect(evaluated.json(), evaluated.err).toMatchObject({ adapter: run, rows: 1 });
    const exported = await heed(['export', '--adapter', run, '--to', 'peft', '-o', join(folder, 'peft'), '--json']);
    expect(exported.json(), exported.err).toMatchObject({ model });
  });

  it('that was rounded otherwise when the adapter was trained is told of', async () => {
    const trained = (precision: string): string => {
      const to = join(folder, `in ${precision}`);
      cpSync(run, to, { recursive: true });
      writeFileSync(join(to, 'recipe.yaml'), `model: ${model}\ntemplate: alpaca\nprecision: ${precision}\n`);
      return to;
    };
    const said = async (verb: string, given: string, ...flags: string[]): Promise<string> => {
      const { code, err } = await heed([verb, '--adapter', given, '--prompts', prompts, '--max-tokens', '2', ...flags]);
      expect(code, err).toBe(0);
      return err;
    };
    const four = trained('int4');
    expect(await said('generate', four, '-o', '-'))
      .toContain(`${four} was trained on its base in int4, and here the base is in f32; --precision int4 takes it as it was.\n`);
    const rules = write('p.rules.yaml', "name: r\nrules:\n"
      + "  - {id: a, kind: forbidden-pattern, pattern: 'zzz', message: 'It is {quotes}.'}\n");
    expect(await said('evaluate', four, '--reward', `rules:${rules}`)).toContain('in int4, and here the base is in f32.\n');
    expect(await said('generate', trained('gguf'), '-o', '-')).not.toContain('was trained on');
  });

  it('that is not there is told with the file that names it, and the way out', async () => {
    const lost = saying('lost', join(folder, 'gone'));
    const { code, err } = await heed(['generate', '--prompts', prompts, '-o', '-', '--adapter', lost]);
    expect(code).toBe(2);
    expect(err).toContain(`${join(lost, 'adapter_config.json')} names that base. Name the one that you have: --model MODEL.`);
    expect(await generate('--adapter', lost, '--model', model)).toBe(await generate('--adapter', adapter));
  });

  it('of adapters of two bases is asked for', async () => {
    const other = saying('other', 'someone/else');
    const { code, err } = await heed(['serve', '--adapter', adapter, other, '--port', '0']);
    expect(code).toBe(2);
    expect(err).toContain(`These adapters are of two bases: ${model} and someone/else.`);
  });
});

describe('a word of a command', () => {
  const words = [['runs/cut-1', 'runs/cut-1'], ['my run', "'my run'"], ["it's", `'it'\\''s'`], ['$(x)', "'$(x)'"], ['', "''"]] as const;
  it.each(words)('%s', (text, word) => {
    expect(shellWord(text)).toBe(word);
  });
});
