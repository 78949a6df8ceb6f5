/** What --help shows beside the options, and what is said of a wrong command line: the same for every verb. */
import type { Argument, Command, Option } from 'commander';

import { EXIT } from './errors.js';

/** The text of a verb's examples, for `addHelpText('after', …)`. Each is a whole command line. */
export const examples = (first: string, ...more: readonly string[]): string =>
  [`\nExample${more.length === 0 ? '' : 's'}:`, ...[first, ...more].map((line) => `  ${line}`)].join('\n');

const AFTER = `
heed VERB --help shows what a verb takes, with an example.
Exit codes: ${EXIT.ok} done, ${EXIT.failure} failed, ${EXIT.usage} usage, recipe or data at fault, 130 interrupted, 143 by SIGTERM.`;

/** Gives the program and each verb their help. Called when all verbs are there. */
export function plainHelp(program: Command): void {
  program.helpCommand('help [verb]', 'show the help of a verb').addHelpText('after', AFTER);
  program.configureHelp({ subcommandTerm: (verb) => verb.name() });
  for (const verb of program.commands) {
    verb
      .helpOption('-h, --help', 'show this help')
      .showHelpAfterError(`(heed ${verb.name()} --help shows what it takes)`)
      .configureHelp({
        commandUsage: usage,
        optionDescription: (option) => (option.mandatory ? `${described(option)} (required)` : described(option)),
      });
  }
  program.helpOption('-h, --help', 'show this help').showHelpAfterError('(heed --help shows the verbs)');
}

/** `heed generate --prompts <file> -o <file> [options]`: what must be given stands in the first line. */
function usage(verb: Command): string {
  const required = verb.options.filter(({ mandatory }) => mandatory).map(({ short, long, flags }) => `${short ?? long} ${valueOf(flags)}`);
  const args = verb.registeredArguments.map(named);
  return ['heed', verb.name(), ...args, ...required, '[options]'].join(' ');
}

const valueOf = (flags: string): string => /<[^>]+>/.exec(flags)?.[0] ?? '';

const named = (argument: Argument): string => {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

/** An option's description with its choices and default, as commander writes them. */
function described({ description, argChoices, defaultValue, defaultValueDescription, negate }: Option): string {
  const notes: string[] = [];
  if (argChoices !== undefined) notes.push(`one of ${argChoices.join(', ')}`);
  const plain = defaultValue !== undefined && defaultValue !== false && !(Array.isArray(defaultValue) && defaultValue.length === 0);
  if (plain && !negate) notes.push(`default: ${defaultValueDescription ?? String(defaultValue)}`);
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

/** A recipe's value that was written as an option, `--train.steps=20`: how it is meant. Undefined for anything else. */
export function overrideHint(message: string, verb: Command | undefined): string | undefined {
  const takesValues = verb?.registeredArguments.some((argument) => argument.name() === 'overrides') ?? false;
  const [, key, value] = /unknown option '--([\w.]+)(=[^']*)?'/.exec(message) ?? [];
  if (!takesValues || key === undefined || (value === undefined && !key.includes('.'))) return undefined;
  return `(Values of the recipe have no dashes: ${key}${value ?? '=VALUE'})`;
}
