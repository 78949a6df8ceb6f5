/** The `heed` command. Verbs import what they need when they run, so that --help is instant. */
import { createRequire } from 'node:module';

import { Command } from 'commander';

import { EXIT, reportError } from './errors.js';
import { overrideHint, plainHelp } from './help.js';
import { createOutput } from './output.js';
import type { Sink } from './output.js';
import { VERBS } from './verbs.js';

/** Where the command prints; tests give their own. */
export interface Streams {
  readonly stdout?: Sink;
  readonly stderr?: Sink;
}

/**
 * Runs the command line.
 *
 * @param argv the arguments after `heed`.
 * @returns the exit code: 0 done, 1 failed, 2 mistake in usage, recipe or data, 130 interrupted, 143 by SIGTERM.
 */
export async function main(argv: readonly string[], { stdout = process.stdout, stderr = process.stderr }: Streams = {}): Promise<number> {
  const out = createOutput({ json: argv.includes('--json'), stdout, stderr });
  const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
  const program = new Command('heed')
    .description('Align language models from feedback: judgments, principles, preferences, votes, or only bad answers.')
    .version(version, '-V, --version', 'print the version');
  for (const register of VERBS) register(program, out);
  for (const command of program.commands) command.option('--json', 'print one machine-readable result object as the last line');
  plainHelp(program);
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureOutput({
        writeOut: (text) => void stdout.write(text),
        writeErr: (text) => void stderr.write(text),
        outputError: (text, write) => {
          const hint = overrideHint(text, command);
          write(hint === undefined ? text : `${text.trimEnd()}\n${hint}\n`);
        },
      });
  }
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(helped(program, argv), { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return reportError(error, out);
  }
}

/** `help VERB` where there is no such verb is refused like the verb itself; commander shows the program's help and fails without a word. */
const helped = (program: Command, argv: readonly string[]): readonly string[] => {
  const [first, verb] = argv;
  const known = verb === undefined || verb.startsWith('-') || program.commands.some((one) => one.name() === verb);
  return first !== 'help' || known ? argv : argv.slice(1);
};
