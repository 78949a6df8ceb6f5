/** Rows as other trainers read them: OpenAI's fine-tuning files, and the columns of TRL. */
import { readRecords } from '../data/read.js';
import { problemsError } from '../data/problem.js';
import { sortRows } from '../data/parse.js';
import { isTie, type Message, type RowKinds } from '../data/rows.js';
import type { RawRow } from '../data/source.js';
import { UserError } from '../errors.js';

export type RowsForm = 'openai' | 'trl';
/** The kinds that these forms have a place for. */
type Kind = 'preference' | 'labelled' | 'judged' | 'conversation' | 'prompt';

/** Rows in another form, and what the form has no place for, by how often it was there. */
export interface ExportedRows {
  readonly kind: Kind;
  readonly rows: readonly object[];
  readonly left: Readonly<Record<string, number>>;
}

/**
 * Reads a file of rows and writes each as the other tool reads it. Prompts and answers are turns, so that no white space between them can
 * be lost.
 *
 * @throws UserError for rows that cannot be read, and for a kind that the form has no place for
 */
export async function exportRows(file: string, form: RowsForm): Promise<ExportedRows> {
  const { rows: records, broken } = await readRecords(file);
  if (broken.length > 0) throw problemsError(`${file}: ${broken.length} lines cannot be read`, broken);
  const kind = kindOf(records[0]!);
  const left: Record<string, number> = {};
  const leave = (what: string): void => { left[what] = (left[what] ?? 0) + 1; };
  const made = WRITE[form][kind];
  if (made === undefined) {
    throw new UserError(`${form} has no form for ${kind} rows.`, ['--to trl writes them, as prompt, completion and label.']);
  }
  const rows = made.rows(records, file).flatMap((row) => made.write(row, leave));
  return { kind, rows, left };
}

/** The kind of a file's rows, by its columns. */
function kindOf({ fields }: RawRow): Kind {
  if ('chosen' in fields && 'rejected' in fields) return 'preference';
  if ('judgment' in fields || 'satisfied' in fields) return 'judged';
  if (typeof fields['label'] === 'boolean') return 'labelled';
  return 'messages' in fields || 'completion' in fields ? 'conversation' : 'prompt';
}

/** How rows of one kind are read and written. */
interface Writer {
  rows(records: readonly RawRow[], file: string): readonly unknown[];
  write(row: unknown, leave: (what: string) => void): object[];
}

/** Ties a writer to its kind: what it reads is what it writes. */
const of = <K extends Kind>(kind: K, write: (row: RowKinds[K], leave: (what: string) => void) => object[]): Writer => ({
  rows(records, file) {
    const { rows, problems } = sortRows(kind, records);
    if (problems.length === 0) return rows;
    throw problemsError(`${file}: ${problems.length} of ${records.length} rows cannot be used as ${kind} rows`, problems);
  },
  write: (row, leave) => write(row as RowKinds[K], leave),
});

const answer = (content: string): Message[] => [{ role: 'assistant', content }];
/** Functions stand at the first turn in our rows, and beside the turns in other files. */
function apart(turns: readonly Message[]): { turns: object[]; tools?: readonly unknown[] } {
  const tools = turns[0]?.tools;
  return { turns: turns.map(({ tools: _, ...turn }) => turn), ...(tools !== undefined && { tools }) };
}

const SOFT = 'soft labels: the preferred answer counts as certain';
const TIES = 'ties, which prefer neither answer';

/** The better and the worse answer of a pair; undefined where neither is. */
function ranked(row: RowKinds['preference'], leave: (what: string) => void): readonly [better: string, worse: string] | undefined {
  const { chosen, rejected, soft_label: soft } = row;
  if (isTie(row)) return leave(TIES), undefined;
  if (soft !== undefined && soft !== 1) leave(SOFT);
  return (soft ?? 1) < 0.5 ? [rejected, chosen] : [chosen, rejected];
}

/** Both forms write conversations alike. */
const conversation = of('conversation', ({ messages, satisfied }, leave) => {
  if (satisfied === false) return leave('conversations that are called bad'), [];
  const { turns, tools } = apart(messages);
  return [{ messages: turns, ...(tools && { tools }) }];
});

const WRITE: Readonly<Record<RowsForm, Readonly<Partial<Record<Kind, Writer>>>>> = {
  openai: {
    preference: of('preference', (row, leave) => {
      const pair = ranked(row, leave);
      if (pair === undefined) return [];
      if (row.margin !== undefined) leave('margins');
      const { turns, tools } = apart(row.prompt);
      const [better, worse] = pair;
      const input = { messages: turns, ...(tools && { tools }) };
      return [{ input, preferred_output: answer(better), non_preferred_output: answer(worse) }];
    }),
    conversation,
    prompt: of('prompt', ({ prompt, extra }) => {
      const { turns, tools } = apart(prompt);
      return [{ ...extra, messages: turns, ...(tools && { tools }) }];
    }),
  },
  trl: {
    preference: of('preference', (row, leave) => {
      const pair = ranked(row, leave);
      if (pair === undefined) return [];
      const { prompt, margin } = row;
      const { turns, tools } = apart(prompt);
      const [better, worse] = pair;
      const sides = { prompt: turns, chosen: answer(better), rejected: answer(worse) };
      return [{ ...sides, ...(margin !== undefined && { margin }), ...(tools && { tools }) }];
    }),
    labelled: of('labelled', ({ prompt, completion, label }) => {
      const { turns, tools } = apart(prompt);
      return [{ prompt: turns, completion: answer(completion), label, ...(tools && { tools }) }];
    }),
    judged: of('judged', ({ prompt, completion, judgment, satisfied }, leave) => {
      if (judgment !== null) leave('judgments in words');
      const { turns, tools } = apart(prompt);
      return [{ prompt: turns, completion: answer(completion), label: satisfied, ...(tools && { tools }) }];
    }),
    conversation,
    prompt: of('prompt', ({ prompt, extra }) => {
      const { turns, tools } = apart(prompt);
      return [{ ...extra, prompt: turns, ...(tools && { tools }) }];
    }),
  },
};
