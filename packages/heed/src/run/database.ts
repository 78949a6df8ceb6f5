/** One database file of Heed's own, or a libSQL server: how it is opened, and what its failures mean. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, createClient } from '@libsql/client';
import { UserError } from '../errors.js';
import { fileError } from './files.js';

/** What a database holds, in words for its user. */
export interface DatabaseWords {
  /** `label store` */
  readonly what: string;
  /** How to name another file. */
  readonly otherwise: string;
  /** What is not lost when the command is run again. */
  readonly kept: string;
}

/** An open database. */
export interface Database {
  readonly client: Client;
  /** The file, or the server's address. */
  readonly name: string;
  /** The result of work on the database, its errors as a user understands them. */
  guarded<T>(work: Promise<T>): Promise<T>;
}

/** How long a writer waits for another to finish. A transaction here takes milliseconds. */
const BUSY_MS = 60_000;

/**
 * Opens a database, making it and its tables where there are none.
 *
 * @param where A file, or the address of a libSQL server: `libsql://…`, `https://…`. The server's token comes from `LIBSQL_AUTH_TOKEN`,
 * never from the address.
 * @throws UserError where it is no such database, cannot be opened, or the address carries a token
 */
export async function openDatabase(
  where: string, { schema, ...words }: DatabaseWords & { readonly schema: readonly string[] },
): Promise<Database> {
  const { client, name, local } = await connect(where, words);
  const guarded = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => { throw databaseError(error, name, words); });
  try {
    // Readers and writers of one file do not wait for each other; a commit survives the death of the process.
    if (local) await guarded(client.executeMultiple('pragma journal_mode = wal; pragma synchronous = normal;'));
    await guarded(client.batch([...schema], 'write'));
  } catch (error) {
    client.close();
    throw error;
  }
  return { client, name, guarded };
}

/** Whether the address is a server's, and not a file's. */
const isRemote = (where: string): boolean => /^(libsql|https?|wss?):\/\//i.test(where);

/** @throws UserError where it is a file, and there is none yet. `hint`: what makes one. */
export function requireDatabase(where: string, hint: string): void {
  if (!isRemote(where) && !existsSync(where)) throw new UserError(`There is no file ${where}.`, [hint]);
}

async function connect(where: string, words: DatabaseWords): Promise<{ client: Client; name: string; local: boolean }> {
  if (!isRemote(where)) {
    const file = resolve(where.replace(/^file:(\/\/)?/, ''));
    await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => { throw fileError(error, file); });
    try {
      return { client: createClient({ url: pathToFileURL(file).href, timeout: BUSY_MS }), name: file, local: true };
    } catch (error) {
      throw databaseError(error, file, words);
    }
  }
  const url = new URL(where);
  if (url.search !== '' || url.username !== '' || url.password !== '') {
    const shown = `${url.protocol}//${url.host}${url.pathname}?…`;
    throw new UserError(`The address of the ${words.what} carries more than a host and a path: ${shown}`, [TOKEN_HINT]);
  }
  const authToken = process.env['LIBSQL_AUTH_TOKEN'];
  return { client: createClient({ url: where, authToken }), name: where, local: false };
}

const TOKEN_HINT = 'Put its token into the environment: LIBSQL_AUTH_TOKEN.';

interface Fault {
  readonly pattern: RegExp;
  say(name: string, message: string): string;
  readonly hint: string;
}

/** What the messages of the database and its client mean for a user, and what to do about it. */
const faultsOf = ({ what, otherwise, kept }: DatabaseWords): readonly Fault[] => [
  { pattern: /not a database/i, say: (name, message) => `${name} is not a ${what}: ${message}`, hint: otherwise },
  {
    pattern: /no such column|has no column/i,
    say: (name, message) => `${name} is a database, but not a ${what} of this version: ${message}`, hint: otherwise,
  },
  {
    pattern: /disk is full|SQLITE_FULL/i,
    say: (name) => `Disk full while writing ${name}`, hint: `Free some space and run the same command again: ${kept}.`,
  },
  {
    pattern: /readonly|unable to open|SQLITE_CANTOPEN/i,
    say: (name, message) => `${name} cannot be opened for writing: ${message}`, hint: otherwise,
  },
  {
    pattern: /malformed|SQLITE_CORRUPT/i,
    say: (name, message) => `${name} is damaged: ${message}`, hint: `Restore it from a copy. Or: ${otherwise}`,
  },
  {
    pattern: /locked|SQLITE_BUSY/i,
    say: (name) => `${name} has been locked by another program for ${BUSY_MS / 1000} s`,
    hint: `Close the program that holds it open, and run the same command again: ${kept}.`,
  },
  {
    pattern: /HTTP status 40[13]\b/,
    say: (name, message) => `The ${what} ${name} does not accept the token: ${message}`, hint: TOKEN_HINT,
  },
  {
    pattern: /fetch failed|ECONNREFUSED|ENOTFOUND/i,
    say: (name, message) => `The ${what} ${name} cannot be reached: ${message}`, hint: 'Is the server running?',
  },
];

function databaseError(error: unknown, name: string, words: DatabaseWords): unknown {
  if (!(error instanceof Error)) return error;
  const { message } = error;
  const { code } = error as { readonly code?: unknown };
  const faults = faultsOf(words);
  const matching = (text: string): Fault | undefined => faults.find(({ pattern }) => pattern.test(text));
  const fault = matching(message) ?? matching(String(code));
  if (fault !== undefined) return new UserError(fault.say(name, message), [fault.hint]);
  return error;
}
