/** `heed rows`: training rows out of kept chats and their feedback, and out of what people said in the studio. */
import { type Command, Option } from 'commander';
import { count } from '../data/text-lines.js';
import { FEEDBACK_KINDS as KINDS, type FeedbackKind } from '../feedback/kinds.js';
import type { FeedbackRows, Metrics } from '../feedback/rows.js';
import { examples } from './help.js';
import { kindsOverview } from './kinds-overview.js';
import type { Output } from './output.js';

interface Options extends Metrics {
  readonly kind?: FeedbackKind;
  readonly output?: string;
}

export function register(program: Command, out: Output): void {
  program
    .command('rows')
    .description('training rows out of what `heed serve --feedback`, an app with @heed/ai-sdk or the page Label of `heed studio` keeps')
    .argument('<file>', 'the database')
    .addOption(new Option('--kind <kind>', 'the rows to write (default: none; says how many there are of each kind)').choices(KINDS))
    .option('-o, --output <file>', 'where to write them, as JSON Lines')
    .option('--vote <metric>', 'the metric that says whether an answer was good, where several are votes')
    .option('--score <metric>', 'the metric that is the score, where several are scores')
    .addHelpText('after', examples('heed rows runs/feedback.db', 'heed rows runs/feedback.db --kind judged -o runs/judged.jsonl'))
    .action((file: string, options: Options) => rows(file, options, out));
}

async function rows(file: string, { kind, output, ...metrics }: Options, out: Output): Promise<void> {
  const [{ UserError }, { existsSync }, { openKeptFeedback }, { feedbackRows }, { atomicWrite }] = await Promise.all([
    import('../errors.js'), import('node:fs'), import('../feedback/store.js'), import('../feedback/rows.js'), import('../run/files.js'),
  ]);
  const [{ openAnnotations }, { annotatedItems, annotationRows }] = await Promise.all([
    import('../feedback/annotations.js'), import('../feedback/annotation-rows.js'),
  ]);
  if (kind === undefined && output !== undefined) throw new UserError('--output needs --kind: what rows to write.');
  if (kind !== undefined && output === undefined) throw new UserError('--kind needs --output: where to write the rows.');
  if (output !== undefined && existsSync(output)) throw new UserError(`${output} is there already.`, ['Name another file, or remove it.']);
  const store = await openKeptFeedback(file);
  const people = await openAnnotations(file);
  try {
    const [answers, said] = [await store.all(), await annotatedItems(people)];
    const rowsOf = (one: FeedbackKind): FeedbackRows => together(feedbackRows(answers, one, metrics), annotationRows(said, one));
    if (kind === undefined || output === undefined) return overview(file, answers.length + said.length, rowsOf, out);
    const { rows: made, leftOut } = rowsOf(kind);
    if (made.length === 0) {
      const reasons = Object.entries(leftOut).map(([reason, n]) => `${n} ${reason}.`);
      const hints = reasons.length > 0 ? reasons : ['No answers are kept yet.'];
      throw new UserError(`${store.name} holds no feedback that makes ${kind} rows.`, hints);
    }
    await atomicWrite(output, made.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const lines = [`${made.length} ${kind} rows are in ${output}`, ...leftOutLines(leftOut, kind)];
    out.result({ output, kind, rows: made.length, leftOut }, lines.join('\n'));
  } finally {
    store.close();
    people.close();
  }
}

function together(a: FeedbackRows, b: FeedbackRows): FeedbackRows {
  const leftOut: Record<string, number> = { ...a.leftOut };
  for (const [reason, n] of Object.entries(b.leftOut)) leftOut[reason] = (leftOut[reason] ?? 0) + n;
  return { rows: [...a.rows, ...b.rows], leftOut };
}

/** How many rows there are of each kind. */
function overview(
  file: string, answers: number, rowsOf: (kind: FeedbackKind) => FeedbackRows, out: Output,
): void {
  const counts = KINDS.map((kind) => ({ kind, made: rowsOf(kind) }));
  out.result(
    { file, answers, rows: Object.fromEntries(counts.map(({ kind, made }) => [kind, made.rows.length])) },
    [
      `${count(answers, 'answer')} in ${file}`, '',
      ...kindsOverview(counts.map(({ kind, made }) => ({ kind, rows: made.rows.length }))), '',
      ...leftOutLines(counts[0]!.made.leftOut, 'judged'), `Write some: heed rows ${file} --kind judged -o rows.jsonl`,
    ].join('\n'),
  );
}

const leftOutLines = (leftOut: Readonly<Record<string, number>>, kind: string): string[] =>
  Object.entries(leftOut).map(([reason, n]) => `  not in ${kind} rows: ${n} ${reason}`);
