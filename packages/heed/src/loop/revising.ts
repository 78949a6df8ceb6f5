import { existsSync } from 'node:fs';
import { createHash } from 'node:crypto';
import type { RowDefinition } from '../data/row.js';
import { type AnyRow, type RowKind, rowDefinition } from '../data/rows.js';
import { parseRows } from '../data/parse.js';
import { UserError } from '../errors.js';
import { openRespondent } from '../judge/open.js';
import type { JudgeOptions } from '../judge/options.js';
import { readPrinciples } from '../judge/principle-file.js';
import { reasonsOf } from '../judge/respondent.js';
import { cached } from '../label/cached.js';
import type { Labelled } from '../label/labelled.js';
import { type RevisionMeasures, type RevisionsOptions, labelRevisions } from '../label/revisions.js';
import { openStore } from '../label/store.js';
import type { UsageTotals } from '../label/usage.js';
import { withProgress } from '../label/with-progress.js';
import type { RewardTools } from '../reward/define.js';
import { atomicWrite } from '../run/files.js';
import type { Hooks } from '../run/job.js';
import { readKept } from '../run/json-file.js';
import { silentProgress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import { requireEnough } from './ratings.js';
import type { Answered, Taught, Teacher } from './sources/answered.js';

/** Which of the labeler's rows a method of each kind learns from. */
const ROWS_FOR = {
  preference: ({ more }: Made) => more!['preferences']!,
  conversation: ({ rows }: Made) => rows,
  refined: ({ more }: Made) => more!['refined'] ?? [],
} as const satisfies Partial<Record<RowKind, unknown>>;
type Made = Labelled<RevisionMeasures>;

export interface RevisingSetup {
  /** Who criticises and rewrites. */
  readonly judge: JudgeOptions;
  readonly options: RevisionsOptions;
  /** The kind of rows that the method learns from. */
  readonly kind: RowKind | RowDefinition;
  /** The share of a round's answers that may go without a revision because the judge failed. */
  readonly allowedFailures: number;
  readonly tools: RewardTools & { readonly store: string };
  readonly hooks: Hooks;
}

/** A teacher that holds a connection or a model. */
export type OpenTeacher = Teacher & {
  /** What the respondent was asked so far; absent where there is no respondent. */
  readonly asking?: Readonly<UsageTotals>;
  close(): Promise<void>;
};

/**
 * Constitutional AI (Bai et al. 2022, arXiv 2212.08073): a judge criticises each answer by a principle that is drawn for it, and rewrites
 * it. Rows: the revision preferred to the answer, a conversation that ends with the revision, or the answer with its critique and revision
 * (`refined`), as the method wants. Replies are kept in the store, so that a killed run asks only what is missing.
 *
 * @throws UserError where the method learns from other rows, or judge or principles cannot be opened
 */
export async function openRevising({ judge, options, kind, allowedFailures, tools, hooks }: RevisingSetup): Promise<OpenTeacher> {
  const { progress = silentProgress, interrupt = { requested: false } } = hooks;
  const wanted = Object.keys(ROWS_FOR).find((known) => rowDefinition(known as RowKind) === rowDefinition(kind)) as
    keyof typeof ROWS_FOR | undefined;
  if (wanted === undefined) {
    throw new UserError(
      `label: revisions makes pairs, conversations and refined rows, but the method learns from "${rowDefinition(kind).kind}" rows.`,
      ['Take a method of one of these: dpo, sft, ilf.'],
    );
  }
  if (wanted === 'refined' && options.critique === 'none') {
    throw new UserError('label.critique: none asks for no critiques, and the method learns from them.', ['Set label.critique to ask.']);
  }
  const principles = await readPrinciples(options.principles!, options.only);
  const respondent = await openRespondent(judge, tools);
  const store = await openStore(tools.store);
  const asked = withProgress(cached(respondent, store), progress, interrupt, 'revising');
  const how = createHash('sha256').update(JSON.stringify([options, principles])).digest('hex').slice(0, 12);
  const name = `revisions by ${respondent.name} ${how}`;

  return {
    name,
    asking: asked.usage,
    advice: 'Where the judge finds nothing to mend, or rewrites answers as they were, look at its critiques in the round\'s taught.json, '
      + 'or take another judge or other principles (docs/loops/constitutional.md).',
    async teach(answers, file) {
      const made = await kept(file, name, async () => {
        const singles = answers.map(({ prompt: { source, prompt }, text }, i) => ({ source, id: String(i), prompt, completion: text }));
        const labelled = await labelRevisions(singles, asked, options, principles);
        if (interrupt.requested) throw new Interrupted('Stopped while the judge revises; go on with --resume.');
        await requireEnough(labelled.failures, answers.length, allowedFailures, 'revision');
        return labelled;
      });
      return { rows: rowsOf(made, wanted, answers), report: reportOf(made), words: wordsOf(made, answers.length) };
    },
    async close() {
      store.close();
      await respondent.close();
    },
  };
}

/** The rows of a round: from its file, or made now and written to it. */
async function kept(file: string, name: string, make: () => Promise<Made>): Promise<Made> {
  if (existsSync(file)) {
    const { teacher, made } = await readKept<{ readonly teacher: string; readonly made: Made }>(file);
    if (teacher === name) return made;
    throw new UserError(`The teacher is ${name} now; ${file} is by ${teacher}.`, ['Restore it, or start again with --overwrite.']);
  }
  const made = await make();
  await atomicWrite(file, `${JSON.stringify({ teacher: name, made })}\n`);
  return made;
}

/** The labeler's rows as rows of the kind, each with the place and the name of the prompt that was answered. */
function rowsOf(made: Made, kind: keyof typeof ROWS_FOR, answers: readonly Answered[]): readonly AnyRow[] {
  const records = ROWS_FOR[kind](made).map(({ id, ...fields }) => {
    const { prompt, sample } = answers[Number(id)]!;
    return { source: prompt.source, fields: { ...fields, ...(prompt.id === undefined ? {} : { id: `${prompt.id}#${sample}` }) } };
  });
  return records.length === 0 ? [] : parseRows(kind, records, { junk: 'skip' }).rows;
}

/** `revised`, `unchanged`: answers that the judge rewrote, and those that it left or rewrote as they were. */
const reportOf = ({ measures: { revised, unchanged, words }, failures }: Made): Taught['report'] =>
  ({ revised, unchanged, unrevised: reasonsOf(failures), wordsBefore: words.before, wordsAfter: words.after });

const wordsOf = ({ measures: { revised, unchanged }, failures }: Made, answers: number): string => [
  `${revised} of ${answers} answers were revised`,
  ...(unchanged > 0 ? [`${unchanged} stay as they are`] : []),
  ...(failures.length > 0 ? [`${failures.length} got no revision`] : []),
].join(', ');
