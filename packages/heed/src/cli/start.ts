/** `heed start`: from any log of answers and feedback to rows and a recipe that trains. */
import { type Command, Option } from 'commander';

import type { Inspection, LogOptions } from '../start/inspect.js';
import type { Group } from '../start/parts.js';
import { UserError } from '../errors.js';
import { examples } from './help.js';
import { number } from './model-flags.js';
import type { Output } from './output.js';

interface Options {
  readonly output?: string;
  readonly run?: string;
  readonly columns?: string;
  readonly values?: string;
  readonly ignore?: string;
  readonly comments?: 'judgments' | 'faults';
  readonly turns?: 'join' | 'apart';
  readonly method?: string;
  readonly group?: Group;
  readonly eval?: number;
  readonly model?: string;
  readonly yes?: boolean;
  readonly overwrite?: boolean;
}

export function register(program: Command, out: Output): void {
  program
    .command('start')
    .description('make training rows, held-out rows and a recipe of any log of answers and what people said of them')
    .argument('<file>', 'the log: JSONL, JSON, CSV (commas, semicolons or tabs), TSV or Parquet')
    .option('-o, --output <folder>', 'where train.jsonl, heldout.jsonl and recipe.yaml go (default: start/NAME, by the name of the log)')
    .option('--run <folder>', 'where the run will go (default: runs/NAME)')
    .option('--columns <list>', 'what columns are, where that is not recognised: prompt=question,completion=answer,vote=thumb,comment=note')
    .option('--values <list>', 'what values of the vote or the score say: up=good,meh=none,down=bad')
    .option('--ignore <list>', 'columns to pass over: team,model')
    .addOption(new Option('--comments <what>', 'where nobody voted: judgments (an answer without a comment was good) or '
      + 'faults (nothing is known of an answer without a comment)').choices(['judgments', 'faults']))
    .addOption(new Option('--turns <how>', 'whether rows of one conversation are its turns (default: join)').choices(['join', 'apart']))
    .option('--method <name>', 'the method (default: the first that fits)')
    .addOption(new Option('--group <what>', 'what the split keeps together; date: the newest rows are held out')
      .choices(['conversation', 'user', 'date', 'prompt']))
    .option('--eval <share>', 'share of the rows that is held out', number, 0.2)
    .option('--model <model>', 'a folder, a .gguf file, a hub id or a name (default: that of the recipes)')
    .option('-y, --yes', 'ask nothing and take the guesses')
    .option('--overwrite', 'replace files that are there')
    .addHelpText('after', examples(
      'heed start log.jsonl', 'heed start votes.csv --columns prompt=frage,completion=antwort --method kto -o start/votes',
    ))
    .action((file: string, options: Options) => start(file, options, out));
}

async function start(file: string, options: Options, out: Output): Promise<void> {
  const [{ basename, join }, { existsSync }, { planStart, writeStart }, { renderStart, resultOf }, { foresee }] = await Promise.all([
    import('node:path'), import('node:fs'), import('../start/plan.js'), import('./render-start.js'), import('../loop/foresee.js'),
  ]);
  const share = options.eval ?? 0;
  if (!(share >= 0 && share < 1)) throw new UserError(`--eval ${share}: expected a share from 0 to below 1, such as 0.2.`);
  const log = await settled(file, options, out);
  const name = basename(file).replace(/(\.(jsonl|ndjson|json|csv|tsv|parquet|gz))+$/i, '');
  const folder = options.output ?? join('start', name);
  const plan = await planStart(log, {
    folder, runDir: options.run ?? join('runs', name), method: options.method, group: options.group, eval: share, model: options.model,
  });
  const there = Object.values(plan.files).find((one) => existsSync(one));
  if (there !== undefined && options.overwrite !== true) {
    throw new UserError(`${there} is already there.`, ['Name another folder with -o, or replace it with --overwrite.']);
  }
  await writeStart(plan);
  const foresight = await foresee(plan.files.recipe, (line) => out.note(line));
  out.result(resultOf(log, plan, foresight), renderStart(log, plan, foresight));
}

/** Looks at the log; asks what only its owner knows, where there is a terminal to ask in. */
async function settled(file: string, options: Options, out: Output): Promise<Inspection> {
  const [{ inspectLog }, { askAll, refuseToGuess }] = await Promise.all([import('../start/inspect.js'), import('./ask.js')]);
  const given = logOptions(options);
  const log = await inspectLog(file, given);
  if (log.questions.length === 0 || options.yes === true) return log;
  if (out.terminal === undefined || process.stdin.isTTY !== true) throw refuseToGuess(log.questions);
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await askAll(file, given, log, { ask: (text) => terminal.question(text), say: (line) => out.note(line) });
  } finally {
    terminal.close();
  }
}

function logOptions({ columns, values, ignore, comments, turns }: Options): LogOptions {
  const pairs = (option: string, text = ''): [string, string][] => text.split(',').filter((part) => part.trim() !== '').map((part) => {
    const at = part.lastIndexOf('=');
    if (at < 1) throw new UserError(`${option}: ${JSON.stringify(part)} is no NAME=VALUE`, ['Write several with commas: a=b,c=d.']);
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
  const meanings: Readonly<Record<string, boolean | null>> = { good: true, bad: false, none: null };
  return {
    columns: Object.fromEntries(pairs('--columns', columns)),
    values: Object.fromEntries(pairs('--values', values).map(([value, word]) => {
      const meaning = meanings[word];
      if (meaning === undefined) throw new UserError(`--values ${value}=${word}: expected good, bad or none`);
      return [value, meaning];
    })),
    ignore: (ignore ?? '').split(',').map((name) => name.trim()).filter((name) => name !== ''),
    comments, turns,
  };
}
