/** Which process asks which question, so that processes that label into one store share the work. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import type { Client } from '@libsql/client';

import { FINAL_FAILURES, textIn } from './record.js';

/**
 * Claims of questions. A process renews its claims while it lives. A claim lapses when its process is known to be dead (same machine), or
 * was not heard of for the length of a lease. A claim only saves work: if two processes asked the same question, the store would still
 * keep one reply.
 */
export interface Claims {
  readonly leaseMs: number;
  /** Claims the questions that have no final reply and that no other process has claimed. Returns the ones that are now ours. */
  take(keys: readonly string[]): Promise<Set<string>>;
  renew(): Promise<void>;
  /** Gives back ours. */
  release(keys: readonly string[]): Promise<void>;
  /** Drops the claims of dead processes of this machine. */
  bury(): Promise<void>;
}

// The database's clock, since several machines may share it.
const NOW = "cast(unixepoch('subsec') * 1000 as integer)";

/** @param guarded Turns the database's errors into the store's. */
export function createClaims(
  client: Client, { leaseMs, guarded }: { readonly leaseMs: number; guarded<T>(work: Promise<T>): Promise<T> },
): Claims {
  const owner = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const final = FINAL_FAILURES.map((failure) => `'${failure}'`).join(', ');
  return {
    leaseMs,
    async take(keys) {
      const list = JSON.stringify(keys);
      const [, mine] = await guarded(client.batch([
        {
          sql: `insert into claims (key, owner, until) select value, ?, ${NOW} + ? from json_each(?)
            where not exists (select 1 from labels where labels.key = value and (failure is null or failure in (${final})))
            on conflict (key) do update set owner = excluded.owner, until = excluded.until where claims.until < ${NOW}`,
          args: [owner, leaseMs, list],
        },
        { sql: 'select key from claims where owner = ? and key in (select value from json_each(?))', args: [owner, list] },
      ], 'write'));
      return new Set(mine!.rows.map((row) => textIn(row, 'key')));
    },
    async renew() {
      await guarded(client.execute({ sql: `update claims set until = ${NOW} + ? where owner = ?`, args: [leaseMs, owner] }));
    },
    async release(keys) {
      const sql = 'delete from claims where owner = ? and key in (select value from json_each(?))';
      await guarded(client.execute({ sql, args: [owner, JSON.stringify(keys)] }));
    },
    async bury() {
      const { rows } = await guarded(client.execute('select distinct owner from claims'));
      const dead = rows.map((row) => textIn(row, 'owner')).filter((one) => one !== owner && isDead(one));
      if (dead.length === 0) return;
      const sql = 'delete from claims where owner in (select value from json_each(?))';
      await guarded(client.execute({ sql, args: [JSON.stringify(dead)] }));
    },
  };
}

/** Whether a claim's process is known to be dead: only processes of this machine can be looked up. */
function isDead(owner: string): boolean {
  const [host, pid] = owner.split('/');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
