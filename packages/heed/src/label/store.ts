/** The label store: every question that was ever asked and its reply, in one database, keyed by content. */
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { type Client, createClient } from '@libsql/client';

import { UserError } from '../errors.js';
import { fileError } from '../run/files.js';
import type { Usage } from '../judge/respondent.js';
import { type Claims, createClaims } from './claims.js';
import { type Reply, COLUMNS, fromRecord, textIn, toArguments, USAGE_COLUMNS } from './record.js';

/** A reply with the key and the words of its question. */
export interface Entry {
  readonly key: string;
  readonly respondent: string;
  /** The question as JSON, kept for whoever wants to look it up; never read back. */
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

/** How long a writer waits for another to finish. A transaction here takes milliseconds. */
const BUSY_MS = 60_000;
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
  const { client, name, local } = await connect(where);
  try {
    // Readers and writers of one file do not wait for each other; a commit survives the death of the process.
    if (local) await client.executeMultiple('pragma journal_mode = wal; pragma synchronous = normal;');
    await client.batch(SCHEMA, 'write');
    await addSamples(client);
  } catch (error) {
    client.close();
    throw storeError(error, name);
  }
  const guarded = async <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => { throw storeError(error, name); });
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

async function connect(where: string): Promise<{ client: Client; name: string; local: boolean }> {
  const remote = /^(libsql|https?|wss?):\/\//i.test(where);
  if (!remote) {
    const file = resolve(where.replace(/^file:(\/\/)?/, ''));
    await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => { throw fileError(error, file); });
    try {
      return { client: createClient({ url: pathToFileURL(file).href, timeout: BUSY_MS }), name: file, local: true };
    } catch (error) {
      throw storeError(error, file);
    }
  }
  const url = new URL(where);
  if (url.search !== '' || url.username !== '' || url.password !== '') {
    const shown = `${url.protocol}//${url.host}${url.pathname}?…`;
    throw new UserError(`The address of the label store carries more than a host and a path: ${shown}`, [TOKEN_HINT]);
  }
  const authToken = process.env['LIBSQL_AUTH_TOKEN'];
  return { client: createClient({ url: where, authToken }), name: where, local: false };
}

const TOKEN_HINT = 'Put its token into the environment: LIBSQL_AUTH_TOKEN.';
const OTHER_FILE = 'Name another file with store=FILE.';
const KEPT = 'and run the same command again: what was labelled is kept.';

/** What the messages of the database and its client mean for a user, and what to do about it. */
const FAULTS: readonly { readonly pattern: RegExp; say(name: string, message: string): string; readonly hint: string }[] = [
  { pattern: /not a database/i, say: (name, message) => `${name} is not a label store: ${message}`, hint: OTHER_FILE },
  {
    pattern: /no such column|has no column/i,
    say: (name, message) => `${name} is a database, but not a label store of this version: ${message}`, hint: OTHER_FILE,
  },
  { pattern: /disk is full|SQLITE_FULL/i, say: (name) => `Disk full while writing ${name}`, hint: `Free some space ${KEPT}` },
  {
    pattern: /readonly|unable to open|SQLITE_CANTOPEN/i,
    say: (name, message) => `${name} cannot be opened for writing: ${message}`, hint: OTHER_FILE,
  },
  {
    pattern: /malformed|SQLITE_CORRUPT/i,
    say: (name, message) => `${name} is damaged: ${message}`, hint: 'Restore it from a copy, or name another file with store=FILE.',
  },
  {
    pattern: /locked|SQLITE_BUSY/i,
    say: (name) => `${name} has been locked by another program for ${BUSY_MS / 1000} s`,
    hint: `Close the program that holds it open, ${KEPT}`,
  },
  {
    pattern: /HTTP status 40[13]\b/,
    say: (name, message) => `The label store ${name} does not accept the token: ${message}`, hint: TOKEN_HINT,
  },
  {
    pattern: /fetch failed|ECONNREFUSED|ENOTFOUND/i,
    say: (name, message) => `The label store ${name} cannot be reached: ${message}`, hint: 'Is the server running?',
  },
];

function storeError(error: unknown, name: string): unknown {
  if (!(error instanceof Error)) return error;
  const { message } = error;
  const { code } = error as { readonly code?: unknown };
  const matching = (text: string): typeof FAULTS[number] | undefined => FAULTS.find(({ pattern }) => pattern.test(text));
  const fault = matching(message) ?? matching(String(code));
  if (fault !== undefined) return new UserError(fault.say(name, message), [fault.hint]);
  return error;
}
