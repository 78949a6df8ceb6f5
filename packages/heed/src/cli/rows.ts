/** `heed rows`: training rows out of kept chats and their feedback. */
import { type Command, Option } from 'commander';
import { FEEDBACK_KINDS as KINDS, type FeedbackKind } from '../feedback/kinds.js';
import { examples } from './help.js';
import type { Output } from './output.js';

interface Options {
  readonly kind?: FeedbackKind;
  readonly output?: string;
  readonly vote?: string;
  readonly score?: string;
}

/** The methods to try first on each kind. */
const METHODS: Readonly<Record<FeedbackKind, string>> = {
  judged: 'cut, hindsight', refined: 'ilf, ilf-dpo', preference: 'dpo, reward-model', labelled: 'kto, bco', scored: 'hindsight-reward', conversation: 'sft',
};

export function register(program: Command, out: Output): void {
  program
    .command('rows')
    .description('training rows out of the chats and the feedback that `heed serve --feedback` keeps')
    .argument('<file>', 'the database')
    .addOption(new Option('--kind <kind>', 'the rows to write (default: none; says how many there are of each kind)').choices(KINDS))
    .option('-o, --output <file>', 'where to write them, as JSON Lines')
    .option('--vote <metric>', 'the metric that says whether an answer was good, where several are votes')
    .option('--score <metric>', 'the metric that is the score, where several are scores')
    .addHelpText('after', examples('heed rows runs/feedback.db', 'heed rows runs/feedback.db --kind judged -o runs/judged.jsonl'))
    .action((file: string, options: Options) => rows(file, options, out));
}

async function rows(file: string, { kind, output, vote, score }: Options, out: Output): Promise<void> {
  const [{ UserError }, { existsSync }, { openFeedback }, { feedbackRows }, { atomicWrite }] = await Promise.all([
    import('../errors.js'), import('node:fs'), import('../feedback/store.js'), import('../feedback/rows.js'), import('../run/files.js'),
  ]);
  if ((kind === undefined) !== (output === undefined))
    throw new UserError(kind === undefined ? '--output needs --kind: what rows to write.' : '--kind needs --output: where to write the rows.');
  if (output !== undefined && existsSync(output)) throw new UserError(`${output} is there already.`, ['Name another file, or remove it.']);
  if (!/^\w+:\/\//.test(file) && !existsSync(file)) throw new UserError(`There is no file ${file}.`, ['heed serve --feedback FILE.db makes one.']);
  const store = await openFeedback(file);
  try {
    const answers = await store.all();
    const of = (one: FeedbackKind): ReturnType<typeof feedbackRows> => feedbackRows(answers, one, { vote, score });
    if (kind === undefined) {
      const counts = KINDS.map((one) => ({ kind: one, ...of(one) }));
      const lines = counts.map(({ kind: name, rows: made }) => `  ${name.padEnd(13)} ${String(made.length).padStart(6)}  ${METHODS[name]}`);
      out.result(
        { file: store.name, answers: answers.length, rows: Object.fromEntries(counts.map((one) => [one.kind, one.rows.length])) },
        [`${answers.length} answers in ${store.name}`, '', '  kind            rows  methods to try first', ...lines, '', ...leftOutLines(counts[0]!.leftOut, 'judged'),
          `Write some: heed rows ${file} --kind judged -o rows.jsonl`].join('\n'),
      );
      return;
    }
    const { rows: made, leftOut } = of(kind);
    if (made.length === 0) {
      const reasons = Object.entries(leftOut).map(([reason, n]) => `${n} ${reason}.`);
      throw new UserError(`${store.name} holds nothing that makes ${kind} rows.`, reasons.length > 0 ? reasons : ['No answers are kept yet.']);
    }
    await atomicWrite(output!, made.map((row) => `${JSON.stringify(row)}\n`).join(''));
    out.result({ output, kind, rows: made.length, leftOut }, [`${made.length} ${kind} rows are in ${output}`, ...leftOutLines(leftOut, kind)].join('\n'));
  } finally {
    store.close();
  }
}

const leftOutLines = (leftOut: Readonly<Record<string, number>>, kind: string): string[] =>
  Object.entries(leftOut).map(([reason, n]) => `  not in ${kind} rows: ${n} ${reason}`);
