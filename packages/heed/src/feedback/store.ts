/** Answers that were given and what people said of them, in one database. It may be the file of the label store. */
import { createHash, randomUUID } from 'node:crypto';
import type { Client, InStatement } from '@libsql/client';
import type { Message } from '../text/template.js';
import { UserError } from '../errors.js';
import { openDatabase, requireDatabase } from '../run/database.js';
import { type Feedback, FeedbackFault, type Said } from './feedback.js';

/** An answer that was given: one choice. */
export interface GivenAnswer {
  /** The reply's id. */
  readonly id: string;
  /** Which of the reply's choices. */
  readonly choice: number;
  /** What the answer is an answer to. */
  readonly prompt: readonly Message[];
  readonly completion: string;
  /** Who gave it. */
  readonly model: string;
  /** Why it ended: `stop` of itself, `length` cut off. After `aborted`, `error`, `content_filter` and `tool_calls` it is not whole. */
  readonly finish: string;
  /** The conversation that it belongs to. */
  readonly episode?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** An answer with everything that was said of it, the earliest first. */
export interface AnswerWithFeedback extends GivenAnswer {
  readonly at: string;
  readonly feedback: readonly (Pick<Feedback, 'metric' | 'said' | 'value' | 'tags'> & { readonly at: string })[];
}

/** Where answers and feedback are kept. What its functions return from is on disk: a kill of the process loses none of it. */
export interface FeedbackStore {
  /** The file, or the server's address. */
  readonly name: string;
  keep(answers: readonly GivenAnswer[]): Promise<void>;
  /**
   * Takes feedback on an answer, or on a conversation that has one answer.
   *
   * @param options `key`: the same key a second time changes nothing, and gives the same id (the header Idempotency-Key). `dryrun`: all
   * is checked and nothing kept.
   * @returns The feedback's id.
   * @throws FeedbackFault where the answer is not known, has several choices and none is named, the metric's values are of another type,
   * or the key came with something else
   */
  add(feedback: Feedback, options?: { readonly key?: string; readonly dryrun?: boolean }): Promise<string>;
  /** All answers with what was said of them, in the order in which they were given. */
  all(): Promise<AnswerWithFeedback[]>;
  /** Removes answers, with what was said of them. @returns how many of each */
  prune(which: { readonly olderThanDays: number } | { readonly inference: string } | { readonly episode: string }): Promise<Removed>;
  close(): void;
}

export interface Removed { readonly answers: number; readonly feedback: number }

const NOW = `strftime('%Y-%m-%dT%H:%M:%fZ')`;
const SCHEMA = [
  `create table if not exists answers (
    id text not null, choice integer not null, episode text, model text not null, prompt text not null, completion text not null,
    finish text not null, tags text not null, at text not null, primary key (id, choice))`,
  'create index if not exists answers_by_episode on answers (episode)',
  'create index if not exists answers_by_time on answers (at)',
  `create table if not exists feedback (
    id text primary key, answer text not null, choice integer not null, metric text not null, said text not null, value text not null,
    tags text not null, key text unique, digest text not null, at text not null)`,
  'create index if not exists feedback_by_answer on feedback (answer, choice)',
  'create index if not exists feedback_by_metric on feedback (metric)',
];

/** Opens what a server has kept. @throws UserError where there is no such file, and as `openFeedback` does */
export async function openKeptFeedback(where: string): Promise<FeedbackStore> {
  requireDatabase(where, 'heed serve --feedback FILE.db makes one, and so does an app with @heed/ai-sdk.');
  return openFeedback(where);
}

/** @throws UserError where the file is no such store or cannot be opened */
export async function openFeedback(where: string): Promise<FeedbackStore> {
  const { client, name, guarded } = await openDatabase(where, {
    what: 'feedback store', otherwise: 'Name another file.', kept: 'what was kept is there', schema: SCHEMA,
  });
  return {
    name,
    async keep(answers) {
      if (answers.length > 0) await guarded(client.batch(answers.map(keepStatement), 'write'));
    },
    async add(feedback, { key, dryrun = false } = {}) {
      const digest = createHash('sha256').update(JSON.stringify(feedback)).digest('hex');
      const known = key === undefined ? undefined : await guarded(byKey(client, key));
      if (known !== undefined) return sameAs(known, digest);
      const { id: answer, choice } = await guarded(answerOf(client, feedback));
      await guarded(requireType(client, feedback));
      const id = randomUUID();
      if (dryrun) return id;
      const { metric, said, value, tags } = feedback;
      // Of two posts with one key at the same moment the second inserts nothing, and reads what the first wrote.
      await guarded(client.execute({
        sql: `insert into feedback (id, answer, choice, metric, said, value, tags, key, digest, at)
          values (?, ?, ?, ?, ?, ?, ?, ?, ?, ${NOW}) on conflict (key) do nothing`,
        args: [id, answer, choice, metric, said, JSON.stringify(value), JSON.stringify(tags), key ?? null, digest],
      }));
      return key === undefined ? id : sameAs((await guarded(byKey(client, key)))!, digest);
    },
    async all() {
      const [answers, feedback] = await guarded(client.batch([
        // What came in one millisecond is told apart by the order of its rows.
        'select * from answers order by at, rowid', 'select * from feedback order by at, rowid',
      ], 'read'));
      const said = new Map<string, AnswerWithFeedback['feedback'][number][]>();
      for (const row of feedback!.rows) {
        const at = placeOf(text(row['answer']), Number(row['choice']));
        said.set(at, [...(said.get(at) ?? []), {
          metric: text(row['metric']), said: text(row['said']) as Said, value: JSON.parse(text(row['value'])) as Feedback['value'],
          tags: JSON.parse(text(row['tags'])) as Record<string, string>, at: text(row['at']),
        }]);
      }
      return answers!.rows.map((row) => {
        const { id, choice } = { id: text(row['id']), choice: Number(row['choice']) };
        return {
          id, choice, model: text(row['model']), completion: JSON.parse(text(row['completion'])) as string,
          finish: text(row['finish']), at: text(row['at']),
          prompt: JSON.parse(text(row['prompt'])) as Message[], tags: JSON.parse(text(row['tags'])) as Record<string, string>,
          ...(row['episode'] === null ? {} : { episode: text(row['episode']) }), feedback: said.get(placeOf(id, choice)) ?? [],
        };
      });
    },
    async prune(which) {
      const [where, arg] = conditionOf(which);
      const [feedback, answers] = await guarded(client.batch([
        { sql: `delete from feedback where answer in (select id from answers where ${where})`, args: [arg] },
        { sql: `delete from answers where ${where}`, args: [arg] },
      ], 'write'));
      return { answers: answers!.rowsAffected, feedback: feedback!.rowsAffected };
    },
    close: () => client.close(),
  };
}

const text = (cell: unknown): string => String(cell);
const placeOf = (id: string, choice: number): string => `${choice} ${id}`;

const keepStatement = ({ id, choice, episode, model, prompt, completion, finish, tags }: GivenAnswer): InStatement => ({
  sql: `insert into answers (id, choice, episode, model, prompt, completion, finish, tags, at) values (?, ?, ?, ?, ?, ?, ?, ?, ${NOW})`,
  // As JSON: SQLite's texts end at the first NUL, which a model may write.
  args: [id, choice, episode ?? null, model, JSON.stringify(prompt), JSON.stringify(completion), finish, JSON.stringify(tags)],
});

async function byKey(client: Client, key: string): Promise<{ readonly id: string; readonly digest: string } | undefined> {
  const { rows: [row] } = await client.execute({ sql: 'select id, digest from feedback where key = ?', args: [key] });
  return row && { id: text(row['id']), digest: text(row['digest']) };
}

function sameAs({ id, digest }: { readonly id: string; readonly digest: string }, wanted: string): string {
  if (digest === wanted) return id;
  const message = 'This Idempotency-Key came with other feedback before; give each piece of feedback a key of its own.';
  throw new FeedbackFault(message, 'Idempotency-Key');
}

/** The answer that feedback is about. */
async function answerOf(
  client: Client, { inference, choice, episode }: Feedback,
): Promise<{ readonly id: string; readonly choice: number }> {
  const [column, name] = inference === undefined ? ['episode', episode!] : ['id', inference];
  const { rows } = await client.execute({ sql: `select id, choice from answers where ${column} = ? limit 129`, args: [name] });
  if (rows.length === 0) {
    const param = inference === undefined ? 'episode_id' : 'inference_id';
    throw new FeedbackFault(`No answer is kept with the ${param} ${JSON.stringify(name)}.`, param, true);
  }
  const choices = rows.map((row) => ({ id: text(row['id']), choice: Number(row['choice']) }));
  if (inference === undefined && choices.length > 1)
    throw new FeedbackFault(`The episode has ${choices.length} answers; name the one that is meant with inference_id.`, 'episode_id');
  if (choice === undefined && choices.length > 1)
    throw new FeedbackFault(`The answer has ${choices.length} choices; name the one that is meant with choice.`, 'choice');
  const found = choices.find((one) => one.choice === (choice ?? choices[0]!.choice));
  if (found === undefined) throw new FeedbackFault(`The answer has no choice ${choice}: they are 0 to ${choices.length - 1}.`, 'choice');
  return found;
}

/** A metric is one of votes or one of scores: a mixture would be read wrong. */
async function requireType(client: Client, { metric, said, value }: Feedback): Promise<void> {
  const { rows: [row] } = await client.execute({ sql: 'select said from feedback where metric = ? limit 1', args: [metric] });
  if (row === undefined || row['said'] === said) return;
  const [has, got] = row['said'] === 'vote' ? ['true or false', 'a number'] : ['a number', 'true or false'];
  throw new FeedbackFault(`${metric} has been ${has} so far, and ${JSON.stringify(value)} is ${got}; use another metric_name.`, 'value');
}

function conditionOf(which: Parameters<FeedbackStore['prune']>[0]): readonly [string, string] {
  if ('inference' in which) return ['id = ?', which.inference];
  if ('episode' in which) return ['episode = ?', which.episode];
  if (!Number.isFinite(which.olderThanDays) || which.olderThanDays < 0)
    throw new UserError(`The age is ${which.olderThanDays} days; expected a number from 0.`);
  return ['at < ?', new Date(Date.now() - which.olderThanDays * 24 * 60 * 60 * 1000).toISOString()];
}
