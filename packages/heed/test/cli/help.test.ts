import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { Output } from '../../src/cli/output.js';
import { VERBS } from '../../src/cli/verbs.js';
import { heed } from './support.js';

/** A program of all verbs that only parses. */
function parser(): { readonly program: Command; readonly called: string[] } {
  const program = new Command('heed').exitOverride().configureOutput({ writeErr: () => undefined });
  const called: string[] = [];
  for (const register of VERBS) register(program, {} as Output);
  for (const verb of program.commands) {
    verb.exitOverride().configureOutput({ writeErr: () => undefined }).action(() => void called.push(verb.name()));
  }
  return { program, called };
}

const verbs = parser().program.commands.map((verb) => verb.name());
const words = (line: string): string[] => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

describe('heed --help', () => {
  it('lists every verb with what it does, and the exit codes', async () => {
    const { code, out } = await heed(['--help']);
    expect(code).toBe(0);
    expect([...out.matchAll(/^ {2}([a-z-]+) +\S/gm)].map(([, verb]) => verb)).toEqual(expect.arrayContaining([...verbs, 'help']));
    expect(out).toContain('0 done, 1 failed, 2 usage, recipe or data at fault, 130 interrupted');
  });

  it.each(verbs)('of %s has an example that can be typed, and shows first what must be given', async (verb) => {
    const { code, out } = await heed([verb, '--help']);
    expect(code).toBe(0);
    const [, block] = /\nExamples?:\n((?: {2}heed .*\n)+)/.exec(`${out}\n`)!;
    const { program, called } = parser();
    for (const line of block!.trim().split('\n')) await program.parseAsync(words(line.trim()).slice(1), { from: 'user' });
    expect(called[0]).toBe(verb);
    expect(called).toHaveLength(block!.trim().split('\n').length);
    const own = parser().program.commands.find((one) => one.name() === verb)!;
    const required = own.options.filter(({ mandatory }) => mandatory).map(({ long, short }) => short ?? long!);
    const [usage] = out.split('\n');
    for (const flag of required) expect(usage).toContain(`${flag} <`);
    expect(out.match(/\(required\)/g)?.length ?? 0).toBe(required.length);
    expect(await heed(['help', verb])).toMatchObject({ code: 0, out });
  });
});

describe('a wrong command line', () => {
  it.each(verbs)('of %s names the nearest option and the help, and ends with 2', async (verb) => {
    const { code, out, err } = await heed([verb, '--jsno']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^error: (unknown option '--jsno'\n\(Did you mean --json\?\)|missing required argument|required option)/);
    expect(err).toContain(`(heed ${verb} --help shows what it takes)`);
  });

  it.each([
    [['train', 'r.yaml', '--train.steps=20'], 'no dashes: train.steps=20'],
    [['align', 'r.yaml', '--loop.iterations', '2'], 'no dashes: loop.iterations=VALUE'],
    [['label', 'r.yaml', '--judge=rules:a.yaml'], 'no dashes: judge=rules:a.yaml'],
    [['train', 'r.yaml', '--dryrun'], 'Did you mean --dry-run?'],
    [['report', 'a', 'b'], 'too many arguments'],
    [['generate'], "required option '--prompts <file>' not specified"],
    [['trian'], 'Did you mean train?'],
    [['help', 'trian'], 'Did you mean train?'],
    [['help', 'nonsense'], "unknown command 'nonsense'"],
    [['--nonsense'], 'heed --help shows the verbs'],
  ])('%j is refused with the way out', async (argv, says) => {
    const { code, out, err } = await heed(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(says);
  });

  it('where dashes are no mistake about a recipe says nothing of recipes', async () => {
    expect((await heed(['models', '--a.b=1'])).err).not.toContain('no dashes');
    expect((await heed(['train', 'r.yaml', '--fast'])).err).not.toContain('no dashes');
  });
});
