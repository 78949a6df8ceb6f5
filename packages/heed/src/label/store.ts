/** The label store: every question that was ever asked and its reply, in one database, keyed by content. */
import type { Client } from '@libsql/client';

import { openDatabase } from '../run/database.js';
import type { Usage } from '../judge/respondent.js';
import { type Claims, createClaims } from './claims.js';
import { type Reply, COLUMNS, fromRecord, textIn, toArguments, USAGE_COLUMNS } from './record.js';

/** A reply with the key and the words of its question. */
export interface Entry {
  readonly key: string;
  readonly respondent: string;
  /** The question as JSON, for people who look into the store; Heed never reads it back. */
  readonly question: string;
  readonly reply: Reply;
}

/** Every reply that a judge ever gave, by the content of its question. */
export interface LabelStore {
  /** The file, or the server's address. */
  readonly name: string;
  /** The replies there are, by key. */
  get(keys: readonly string[]): Promise<Map<string, Reply>>;
  /**
   * Keeps replies and gives back what now stands under each key. The first reply to a question stands; only a failure is replaced by a
   * later reply. The usage becomes that of all attempts together, this one included. What this returns is on disk: a kill of the process
   * loses none.
   */
  put(entries: readonly Entry[]): Promise<Map<string, Reply>>;
  readonly claims: Claims;
  /** Tokens that were spent on a respondent's replies and failures, all attempts together. */
  spent(respondent: string): Promise<Pick<Usage, 'promptTokens' | 'completionTokens'>>;
  /** How many questions have a reply, and how many of these are failures. */
  count(): Promise<{ readonly replies: number; readonly failures: number }>;
  close(): void;
}

const LOOKUP = 1000;

const SCHEMA = [
  `create table if not exists labels (
    key text primary key, kind text not null, respondent text not null,
    text text, finish text, logprobs text, mass text, source text, failure text, detail text, samples text,
    prompt_tokens integer, completion_tokens integer, milliseconds real, cost real, asked_at text not null, question text not null)`,
  'create table if not exists claims (key text primary key, owner text not null, until integer not null)',
];

const added = (name: string): string =>
  `${name} = iif(labels.${name} is null, excluded.${name}, labels.${name} + coalesce(excluded.${name}, 0))`;

/** A reply replaces only a failure; what the attempts took is added up. */
const INSERT = `insert into labels
  (key, respondent, question, ${[...COLUMNS, ...USAGE_COLUMNS].join(', ')}, asked_at)
  values (?, ?, ?, ${[...COLUMNS, ...USAGE_COLUMNS].map(() => '?').join(', ')}, strftime('%Y-%m-%dT%H:%M:%fZ'))
  on conflict (key) do update set
    ${[...COLUMNS, 'asked_at'].map((name) => `${name} = iif(labels.failure is null, labels.${name}, excluded.${name})`).join(', ')},
    ${USAGE_COLUMNS.map(added).join(', ')}`;

const SELECT = `select key, ${[...COLUMNS, ...USAGE_COLUMNS].join(', ')} from labels where key in (select value from json_each(?))`;

/**
 * Opens a label store, making it where there is none.
 *
 * @param where A file, or the address of a libSQL server: `libsql://…`, `https://…`. The server's token comes from `LIBSQL_AUTH_TOKEN`,
 * never from the address.
 * @param leaseMs How long a claim of a process that is no longer heard of holds (see `Claims`).
 * @throws UserError where the file is not a label store, cannot be opened, or the address carries a token.
 */
export async function openStore(where: string, { leaseMs = 60_000 }: { readonly leaseMs?: number } = {}): Promise<LabelStore> {
  const { client, name, guarded } = await openDatabase(where, {
    what: 'label store', otherwise: 'Name another file with store=FILE.', kept: 'what was labelled is kept', schema: SCHEMA,
  });
  try {
    await guarded(addSamples(client));
  } catch (error) {
    client.close();
    throw error;
  }
  return {
    name,
    async get(keys) {
      const found = new Map<string, Reply>();
      for (let at = 0; at < keys.length; at += LOOKUP) {
        const { rows } = await guarded(client.execute({ sql: SELECT, args: [JSON.stringify(keys.slice(at, at + LOOKUP))] }));
        for (const row of rows) found.set(textIn(row, 'key'), fromRecord(row));
      }
      return found;
    },
    async put(entries) {
      if (entries.length === 0) return new Map();
      const keys = JSON.stringify(entries.map(({ key }) => key));
      const statements = [
        ...entries.map(({ key, respondent, question, reply }) => (
          { sql: INSERT, args: [key, respondent, question, ...toArguments(reply)] }
        )),
        { sql: 'delete from claims where key in (select value from json_each(?))', args: [keys] },
        { sql: SELECT, args: [keys] },
      ];
      const standing = (await guarded(client.batch(statements, 'write'))).at(-1)!;
      return new Map(standing.rows.map((row) => [textIn(row, 'key'), fromRecord(row)]));
    },
    claims: createClaims(client, { leaseMs, guarded }),
    async spent(respondent) {
      const sql = 'select total(prompt_tokens) as prompt, total(completion_tokens) as completion from labels where respondent = ?';
      const { rows } = await guarded(client.execute({ sql, args: [respondent] }));
      return { promptTokens: Number(rows[0]?.['prompt']), completionTokens: Number(rows[0]?.['completion']) };
    },
    async count() {
      const { rows } = await guarded(client.execute('select count(*) as replies, count(failure) as failures from labels'));
      return { replies: Number(rows[0]?.['replies']), failures: Number(rows[0]?.['failures']) };
    },
    close: () => client.close(),
  };
}

/** Stores from before samples were kept as they were said have no column for them. */
async function addSamples(client: Client): Promise<void> {
  try {
    await client.execute('select samples from labels limit 0');
  } catch (error) {
    if (!/no such column/i.test((error as Error).message)) throw error;
    // Another process may be at the same.
    await client.execute('alter table labels add column samples text').catch((again: unknown) => {
      if (!/duplicate column/i.test((again as Error).message)) throw again;
    });
  }
}
