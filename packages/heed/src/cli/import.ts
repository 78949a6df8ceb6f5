/** `heed import`: training rows out of the files of other tools. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Problem } from '../data/problem.js';
import type { RowKind } from '../data/rows.js';
import type { Imported } from '../exchange/import/import.js';
import { IMPORT_NAMES, type ImportName } from '../exchange/import/names.js';
import type { KindRows, Weighing } from '../exchange/import/rows.js';
import { examples } from './help.js';
import { kindsOverview } from './kinds-overview.js';
import type { Output } from './output.js';

interface Options extends Weighing {
  readonly from?: ImportName;
  readonly kind?: RowKind;
  readonly output?: string;
  readonly map?: string;
  readonly fields?: string;
  readonly redact?: boolean;
}

/** What a kind of row has of it; a text where several metrics could be meant. */
interface Counted {
  readonly kind: RowKind;
  readonly rows: number | string;
}

const KINDS: readonly RowKind[] = ['judged', 'refined', 'preference', 'labelled', 'scored', 'conversation', 'prompt', 'choice'];

export function register(program: Command, out: Output): void {
  program
    .command('import')
    .description('training rows out of the files of other tools: ratings, comments, preferences, chats')
    .argument('<files...>', 'the files; those that belong together (scores, and what they are of) in one command')
    .addOption(new Option('--from <format>', 'the tool that wrote them (default: asked of the files)').choices(IMPORT_NAMES))
    .addOption(new Option('--kind <kind>', 'the rows to write (default: the only kind; says how many there are of each)').choices(KINDS))
    .option('-o, --output <file>', 'where to write them, as JSON Lines')
    .option('--vote <metric>', 'the metric that says whether an answer was good, where several are votes')
    .option('--score <metric>', 'the metric that is the score, where several are scores')
    .option('--good-from <number>', 'a score of so much or more is a vote in favour, one below it a vote against', numberOf)
    .option('--map <labels>', 'what labels mean: LABEL=good,LABEL=bad,LABEL=NUMBER')
    .option('--fields <fields>', 'what fields mean, where the format does not say: prompt=NAME,vote=NAME')
    .option('--redact', 'put marks in the place of e-mail addresses, phone, card and IP numbers, and street addresses')
    .option('--human-only', 'count what people said, and not what programs did')
    .addHelpText('after', examples(
      'heed import feedback-history-export.json --from open-webui', 'heed import results.json --from promptfoo --kind judged -o rows.jsonl',
    ))
    .action((files: string[], options: Options) => importing(files, options, out));
}

function numberOf(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('A number is needed.');
  return number;
}

async function importing(
  files: string[], { from, kind, output, map, fields, redact = false, ...weighing }: Options, out: Output,
): Promise<void> {
  const [{ UserError }, { existsSync }, { importFiles }, { kindsOf, rowsOfKind }, { readFieldMap, readLabelMap }] = await Promise.all([
    import('../errors.js'), import('node:fs'), import('../exchange/import/import.js'), import('../exchange/import/rows.js'),
    import('../exchange/import/labels.js'),
  ]);
  if (kind !== undefined && output === undefined) throw new UserError('--kind needs --output: where to write the rows.');
  if (output !== undefined && existsSync(output)) throw new UserError(`${output} is there already.`, ['Name another file, or remove it.']);
  const imported = await importFiles(files, from, { labels: readLabelMap(map), fields: readFieldMap(fields) });
  const rowsOf = (one: RowKind): KindRows => rowsOfKind(imported, one, weighing);
  const counts = kindsOf(imported).map((one): Counted => {
    try {
      return { kind: one, rows: rowsOf(one).rows.length };
    } catch (error) {
      if (error instanceof UserError) return { kind: one, rows: error.message };
      throw error;
    }
  });
  if (output === undefined) return overview(files, imported, counts, out);
  const filled = counts.filter(({ rows }) => rows !== 0).map((one) => one.kind);
  if (kind === undefined && filled.length > 1) {
    throw new UserError(`There are rows of several kinds: ${filled.join(', ')}.`, ['Say which ones to write: --kind KIND.']);
  }
  const chosen = kind ?? filled[0];
  const made = chosen === undefined ? undefined : rowsOf(chosen);
  if (chosen === undefined || made === undefined || made.rows.length === 0) {
    const { leftOut = {}, refused = [] } = made ?? {};
    throw new UserError(`Nothing in ${files.join(', ')} makes ${chosen === undefined ? 'rows' : `${chosen} rows`}.`, [
      ...Object.entries(leftOut).map(([reason, n]) => `${n} ${reason}.`), ...await refusedLines([...imported.refused, ...refused]),
    ]);
  }
  const others = counts.filter((one) => one.kind !== chosen && one.rows !== 0);
  await write({ ...made, kind: chosen, others }, { output, redact }, imported, out);
}

/** How many rows there are of each kind. */
async function overview(files: readonly string[], imported: Imported, counts: readonly Counted[], out: Output): Promise<void> {
  const { format, records } = imported;
  const some = counts.find(({ rows }) => rows !== 0)?.kind;
  const next = some === undefined ? [] : [`Write some: heed import ${files.join(' ')} --from ${format} --kind ${some} -o rows.jsonl`];
  const lines = [
    `${records} records of ${format} in ${files.join(', ')}`, '', ...kindsOverview(counts), '', ...await aboutLines(imported), KEPT,
    ...next,
  ];
  const rows = Object.fromEntries(counts.map((one) => [one.kind, one.rows]));
  out.result({ files, format, records, rows, ...reported(imported) }, lines.join('\n'));
}

async function write(
  { kind, rows, leftOut, refused, others }: KindRows & { readonly kind: RowKind; readonly others: readonly Counted[] },
  { output, redact }: { output: string; redact: boolean }, imported: Imported, out: Output,
): Promise<void> {
  const [{ atomicWrite }, { redactRows }] = await Promise.all([import('../run/files.js'), import('../exchange/redact.js')]);
  const plain = rows.map(({ fields }) => fields);
  const { rows: written, counts } = redact ? redactRows(plain) : { rows: plain, counts: {} };
  await atomicWrite(output, written.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const left = Object.entries(leftOut).map(([reason, n]) => `  not in ${kind} rows: ${n} ${reason}`);
  const counted = others.map((one) => `${typeof one.rows === 'number' ? one.rows : 'some'} ${one.kind}`).join(', ');
  const more = others.length === 0 ? [] : [`  of other kinds, by --kind: ${counted}`];
  const { format, records } = imported;
  const about = { output, format, kind, records, rows: rows.length, leftOut, unusable: refused.length, ...reported(imported) };
  const found = Object.entries(counts).map(([what, n]) => `${n} × ${what}`).join(', ');
  const taken = `Taken out: ${found === '' ? 'nothing was found' : found}. Names and what else tells who somebody is remain.`;
  out.result({ ...about, ...(redact && { redacted: counts }) }, [
    `${rows.length} ${kind} rows are in ${output}`, ...left, ...more, ...await refusedLines(refused), ...await aboutLines(imported),
    redact ? taken : KEPT,
  ].join('\n'));
}

const KEPT = 'Personal data in the texts is kept as it stands; --redact takes out addresses and numbers.';

const reported = ({ refused, unused, notes }: Imported): object =>
  ({ refused: refused.length, notes: Object.fromEntries(notes), unused: [...unused].sort() });

/** What was refused, what nothing uses, and what is kept. */
async function aboutLines({ refused, unused, notes }: Imported): Promise<string[]> {
  const { describeUnused } = await import('../data/unused.js');
  const noted = [...notes].map(([what, times]) => `  ${times} × ${what}`);
  return [...await refusedLines(refused), ...noted, ...describeUnused([...unused].sort())];
}

async function refusedLines(refused: readonly Problem[]): Promise<string[]> {
  const [{ byReason }, { at }, { excerpt }] = await Promise.all([
    import('../exchange/import/import.js'), import('../data/source.js'), import('../data/problem.js'),
  ]);
  return byReason(refused).map(({ reason, times, first }) => {
    const value = first.value === undefined ? '' : `: ${excerpt(first.value)}`;
    return `  refused: ${times} × ${reason} (the first: ${at(first.source)}${value})`;
  });
}
