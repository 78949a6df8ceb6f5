/** What people say of answers that they are shown, in tables beside those of feedback. The file may be that of the label store too. */
import { setImmediate } from 'node:timers/promises';
import type { Client, InStatement, Row } from '@libsql/client';
import { openDatabase } from '../run/database.js';
import { createRandom } from '../run/random.js';
import type { Message } from '../text/template.js';
import { type LabelItem, type LabelSet, type Said, type Task, verdictOf } from './annotation.js';

/** An item with its place in the set and the order in which its answers are shown. */
export interface PlacedItem extends LabelItem {
  readonly place: number;
  /** Whether the second answer is shown first. */
  readonly turned: boolean;
}

/** What one person said of one item, and counts. */
export interface Annotation {
  readonly place: number;
  readonly who: string;
  readonly said: Said;
  readonly at: string;
}

/** How far a person is. */
export interface Progress {
  readonly who: string;
  readonly given: number;
  readonly skipped: number;
  /** Median seconds of the last 20 items; undefined before the first. */
  readonly pace?: number;
}

/** What is said of an item: `given`, or passed over. */
export interface Submission {
  readonly set: LabelSet;
  readonly place: number;
  readonly who: string;
  readonly said: Said;
  readonly state: 'given' | 'skipped';
  /** How long the person had the item before them. */
  readonly seconds: number;
}

/** What one person said of one item, and what was begun and not given. */
export interface Own { readonly said?: Said; readonly state?: Submission['state']; readonly draft?: Said }

/** Where annotations are kept. What its functions return from is on disk: a kill of the process loses none of it. */
export interface AnnotationStore {
  readonly name: string;
  /** Adds items that the set does not have yet; those that it has stay, with what was said of them. @returns how many are new */
  fill(set: LabelSet, items: readonly LabelItem[]): Promise<number>;
  /** The newest first, with the number of items. */
  sets(): Promise<(LabelSet & { readonly items: number })[]>;
  set(id: string): Promise<(LabelSet & { readonly items: number }) | undefined>;
  items(set: string, places: readonly number[]): Promise<PlacedItem[]>;
  /** All items, by place, `most` at a time. */
  itemsFrom(set: string, place: number, most: number): Promise<PlacedItem[]>;
  /**
   * The next item from `from` on of which this person said nothing yet, and then from the beginning; undefined where there is none.
   *
   * @param from Default: behind the item that the person spoke of last.
   */
  next(set: string, who: string, from?: number): Promise<number | undefined>;
  of(set: string, place: number, who: string): Promise<Own>;
  /** Keeps what was begun. */
  draft(set: string, place: number, who: string, said: Said): Promise<void>;
  submit(one: Submission): Promise<void>;
  /** Takes back the newest thing that a person said; it becomes a draft, and what was said before counts again. @returns the place */
  undo(set: string, who: string): Promise<number | undefined>;
  progress(set: string): Promise<Progress[]>;
  /** A number that grows with everything that is said or taken back. */
  newest(): Promise<number>;
  /** The places of which something was said or taken back after `newest` was this. */
  changedAfter(set: string, newest: number): Promise<number[]>;
  /** What counts, by place. */
  annotations(set: string, places?: readonly number[]): Promise<Annotation[]>;
  close(): void;
}

const NOW = `strftime('%Y-%m-%dT%H:%M:%fZ')`;
const SCHEMA = [
  `create table if not exists label_sets (
    id text primary key, name text not null, task text not null, files text not null, seed integer not null, principles text not null,
    scale integer not null, made text not null)`,
  `create table if not exists label_items (
    set_id text not null, place integer not null, key text not null, turned integer not null, item text not null,
    primary key (set_id, place)) without rowid`,
  'create unique index if not exists label_items_by_key on label_items (set_id, key)',
  // Nothing is overwritten: of what a person said of an item the newest that was not taken back counts.
  `create table if not exists annotations (
    id integer primary key autoincrement, set_id text not null, place integer not null, who text not null, state text not null,
    verdict text, said text not null, seconds real not null, at text not null, undone integer not null default 0,
    counts integer not null default 1)`,
  'create index if not exists annotations_by_person on annotations (set_id, who, counts, state, place)',
  'create index if not exists annotations_by_place on annotations (set_id, place, counts)',
  'create index if not exists annotations_by_time on annotations (set_id, who, undone, id)',
  `create table if not exists drafts (
    set_id text not null, place integer not null, who text not null, said text not null, at text not null,
    primary key (set_id, place, who)) without rowid`,
];

/** Items that are written in one transaction. */
const BATCH = 1000;
const PACE_OVER = 20;

/** @throws UserError where the file is no such store or cannot be opened */
export async function openAnnotations(where: string): Promise<AnnotationStore> {
  const { client, name, guarded } = await openDatabase(where, {
    what: 'store of labels', otherwise: 'Name another file.', kept: 'what was said is kept', schema: SCHEMA,
  });
  const all = async (sql: string, args: (string | number)[]): Promise<Row[]> =>
    (await guarded(client.execute({ sql, args }))).rows;
  const one = async (sql: string, args: (string | number)[]): Promise<Row | undefined> => (await all(sql, args))[0];
  const firstOpen = async (set: string, who: string, from: number): Promise<number | undefined> => {
    const row = await one(
      `select i.place from label_items i where i.set_id = ? and i.place >= ? and not exists (select 1 from annotations a
        where a.set_id = i.set_id and a.who = ? and a.counts = 1 and a.state in ('given', 'skipped') and a.place = i.place)
        order by i.place limit 1`, [set, from, who],
    );
    return row && Number(row['place']);
  };
  /** The newest thing that a person said and did not take back. */
  const lastOf = (set: string, who: string): Promise<Row | undefined> => one(
    'select id, place, said from annotations where set_id = ? and who = ? and undone = 0 order by id desc limit 1', [set, who],
  );
  return {
    name,
    async fill(set, items) {
      await guarded(client.execute({
        sql: `insert into label_sets (id, name, task, files, seed, principles, scale, made) values (?, ?, ?, ?, ?, ?, ?, ?)
          on conflict (id) do nothing`,
        args: [set.id, set.name, set.task, JSON.stringify(set.files), set.seed, JSON.stringify(set.principles), set.scale, set.made],
      }));
      return addItems(client, guarded, set, items);
    },
    sets: async () => (await all(`${SETS} order by made desc, rowid desc`, [])).map(setOf),
    async set(id) {
      const row = await one(`${SETS} where id = ?`, [id]);
      return row && setOf(row);
    },
    items: async (set, places) => (await all(
      'select * from label_items where set_id = ? and place in (select value from json_each(?)) order by place',
      [set, JSON.stringify(places)],
    )).map(itemOf),
    itemsFrom: async (set, place, most) => (await all(
      'select * from label_items where set_id = ? and place >= ? order by place limit ?', [set, place, most],
    )).map(itemOf),
    async next(set, who, from) {
      const start = from ?? Number((await lastOf(set, who))?.['place'] ?? -1) + 1;
      return (await firstOpen(set, who, start)) ?? (start === 0 ? undefined : firstOpen(set, who, 0));
    },
    async of(set, place, who) {
      const [said, draft] = await Promise.all([
        one('select said, state from annotations where set_id = ? and place = ? and who = ? and counts = 1', [set, place, who]),
        one('select said from drafts where set_id = ? and place = ? and who = ?', [set, place, who]),
      ]);
      return {
        ...(said && { said: saidOf(said), state: text(said['state']) as Submission['state'] }), ...(draft && { draft: saidOf(draft) }),
      };
    },
    async draft(set, place, who, said) {
      await guarded(client.execute(draftStatement(set, place, who, JSON.stringify(said))));
    },
    async submit({ set: { id, task }, place, who, said, state, seconds }) {
      const where = [id, place, who];
      await guarded(client.batch([
        { sql: 'update annotations set counts = 0 where set_id = ? and place = ? and who = ? and counts = 1', args: where },
        {
          sql: `insert into annotations (set_id, place, who, state, verdict, said, seconds, at) values (?, ?, ?, ?, ?, ?, ?, ${NOW})`,
          args: [...where, state, (state === 'given' && verdictOf(task, said)) || null, JSON.stringify(said), seconds],
        },
        { sql: 'delete from drafts where set_id = ? and place = ? and who = ?', args: where },
      ], 'write'));
    },
    async undo(set, who) {
      const newest = await lastOf(set, who);
      if (newest === undefined) return undefined;
      const [id, place] = [Number(newest['id']), Number(newest['place'])];
      await guarded(client.batch([
        { sql: 'update annotations set undone = 1, counts = 0 where id = ?', args: [id] },
        {
          sql: `update annotations set counts = 1 where id = (select max(id) from annotations
            where set_id = ? and place = ? and who = ? and undone = 0)`, args: [set, place, who],
        },
        // This line holds no annotation. It tells the counts that one was taken back.
        {
          sql: `insert into annotations (set_id, place, who, state, said, seconds, at, undone, counts)
            values (?, ?, ?, 'taken back', '{}', 0, ${NOW}, 1, 0)`, args: [set, place, who],
        },
        draftStatement(set, place, who, text(newest['said'])),
      ], 'write'));
      return place;
    },
    async progress(set) {
      const rows = await all(PROGRESS, [set]);
      const people = [...new Set(rows.filter(({ n }) => Number(n) > 0).map((row) => text(row['who'])))];
      return Promise.all(people.map(async (who): Promise<Progress> => {
        const count = (state: string): number => Number(rows.find((row) => row['who'] === who && row['state'] === state)?.['n'] ?? 0);
        const last = await all('select seconds from annotations where set_id = ? and who = ? and undone = 0 order by id desc limit ?',
          [set, who, PACE_OVER]);
        const times = last.map((row) => Number(row['seconds'])).sort((a, b) => a - b);
        const pace = times[Math.floor(times.length / 2)];
        return { who, given: count('given'), skipped: count('skipped'), pace };
      }));
    },
    newest: async () => Number((await one('select max(id) as newest from annotations', []))?.['newest'] ?? 0),
    changedAfter: async (set, newest) => (await all(
      // The plus has the database read the newest lines, and not all of the set.
      'select distinct place from annotations where id > ? and +set_id = ? order by place', [newest, set],
    )).map((row) => Number(row['place'])),
    async annotations(set, places) {
      const some = places === undefined ? '' : 'and place in (select value from json_each(?))';
      const rows = await all(
        `select place, who, said, at from annotations where set_id = ? and counts = 1 and state = 'given' ${some} order by place, who`,
        [set, ...(places === undefined ? [] : [JSON.stringify(places)])],
      );
      return rows.map((row) => ({ place: Number(row['place']), who: text(row['who']), said: saidOf(row), at: text(row['at']) }));
    },
    close: () => client.close(),
  };
}

const text = (cell: unknown): string => String(cell);

const SETS = 'select *, (select count(*) from label_items where set_id = label_sets.id) as items from label_sets';

// Texts are kept as JSON: SQLite's end at the first NUL, which a model may write.
const saidOf = (row: Row): Said => JSON.parse(text(row['said'])) as Said;
const setOf = (row: Row): LabelSet & { readonly items: number } => ({
  id: text(row['id']), name: text(row['name']), task: text(row['task']) as Task, files: JSON.parse(text(row['files'])) as string[],
  seed: Number(row['seed']), principles: JSON.parse(text(row['principles'])) as string[], scale: Number(row['scale']) === 5 ? 5 : 10,
  made: text(row['made']), items: Number(row['items']),
});

interface StoredItem {
  readonly row?: string; readonly prompt: readonly Message[]; readonly responses: readonly string[]; readonly models?: readonly string[];
  readonly answers?: readonly string[]; readonly begun?: string;
}
const itemOf = (row: Row): PlacedItem => ({
  ...(JSON.parse(text(row['item'])) as StoredItem), key: text(row['key']), place: Number(row['place']), turned: row['turned'] === 1,
});

const draftStatement = (set: string, place: number, who: string, said: string): InStatement => ({
  sql: `insert into drafts (set_id, place, who, said, at) values (?, ?, ?, ?, ${NOW})
    on conflict (set_id, place, who) do update set said = excluded.said, at = excluded.at`,
  args: [set, place, who, said],
});

/** Who said something, and how often each of two things. Each part reads its own stretch of an index, where a grouping would sort all. */
const PROGRESS = `with recursive people (who) as (
    select min(who) from annotations where set_id = ?1
    union all select (select min(who) from annotations where set_id = ?1 and who > people.who) from people where people.who is not null)
  select who, value as state, (select count(*) from annotations a
    where a.set_id = ?1 and a.who = people.who and a.counts = 1 and a.state = value) as n
  from people, json_each('["given","skipped"]') where who is not null order by who`;

/** A batch in one statement: a statement for each item takes four times as long. */
const ADD_ITEMS = `insert into label_items (set_id, place, key, turned, item)
  select ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?2) where true on conflict do nothing`;

/** Items are shuffled by the set's seed; those that come later stand behind. */
async function addItems(
  client: Client, guarded: <T>(work: Promise<T>) => Promise<T>, { id, seed, task }: LabelSet, items: readonly LabelItem[],
): Promise<number> {
  const { rows } = await guarded(client.execute({ sql: 'select key from label_items where set_id = ?', args: [id] }));
  const known = new Set(rows.map((row) => text(row['key'])));
  const fresh = items.filter(({ key }) => !known.has(key) && known.add(key));
  // The questions of a run keep their order: the run asked the most useful first.
  const ordered = task === 'questions' ? fresh : createRandom(seed, 'order', rows.length).shuffle(fresh);
  const sides = createRandom(seed, 'sides', rows.length);
  const lines = ordered.map(({ key, ...item }, i) => (
    [rows.length + i, key, task === 'pairs' && sides.int(2) === 1 ? 1 : 0, JSON.stringify(item)]
  ));
  for (let at = 0; at < lines.length; at += BATCH) {
    // Others get their turn between two batches.
    if (at > 0) await setImmediate();
    await guarded(client.execute({ sql: ADD_ITEMS, args: [id, JSON.stringify(lines.slice(at, at + BATCH))] }));
  }
  return fresh.length;
}
