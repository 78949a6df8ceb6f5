import type { Engine, Feed, Program } from '@heed/tensor';
import type { BoundMethod } from '../../src/method/method.js';
import type { TokenSequence } from '../../src/text/token-sequence.js';
import type { Column, Item } from '../../src/train/item.js';
import { roundFeed } from '../../src/train/feeds.js';
import { traceLoss } from '../../src/train/loss-program.js';
import { type Tables, makeTables, sequenceTable, tokenTable } from '../../src/train/tables.js';

/** The log-probabilities of one row's sequence (of its sequences, where the name is a list), or null where the row has none. */
export type RowLogProbs = readonly number[] | readonly (readonly number[])[] | null;
/** By name, then by row. */
export type LogProbs = Readonly<Record<string, readonly RowLogProbs[]>>;

export interface LossInputs {
  /** Log-probabilities under references: by reference, name, row. */
  readonly under?: Readonly<Record<string, LogProbs>>;
  /** What the head gave: by name, by row; one number, or `size` of them. */
  readonly scores?: Readonly<Record<string, readonly (number | readonly number[])[]>>;
  readonly memory?: Readonly<Record<string, number>>;
  /** Which tokens are marked, by name and row. Default: none. */
  readonly marked?: Readonly<Record<string, readonly (readonly boolean[])[]>>;
  /** What heads at `tokens` gave, by head, name and row; entropies are 0. */
  readonly values?: Readonly<Record<string, LogProbs>>;
}

export interface LossValue {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** d loss / d logp, by name and row; of a list, its sequences one behind the other. */
  readonly gradient: Readonly<Record<string, number[][]>>;
  /** d loss / d score, by name: flat. */
  readonly scoreGradient: Readonly<Record<string, number[]>>;
  readonly memory: Readonly<Record<string, number>>;
}

/**
 * A method's loss, normalised as the trainer does, and its derivative by each log-probability and score. A row of `logp` has one
 * number for each supervised token. Names that a method does not learn from may be given under references alone.
 */
export async function lossOf(
  engine: Engine,
  method: BoundMethod,
  logp: LogProbs,
  columns: Readonly<Record<string, readonly Column[]>> = {},
  { under = {}, scores = {}, memory = {}, marked = {}, values: ofTokens = {} }: LossInputs = {},
): Promise<LossValue> {
  const shapes = [logp, ...Object.values(under)];
  const rows = Math.max(...shapes.flatMap((s) => Object.values(s).map((r) => r.length)), ...Object.values(scores).map((s) => s.length));
  const items = Array.from({ length: rows }, (_, i): Item => ({
    index: i, where: `row ${i}`,
    sequences: Object.fromEntries(method.names.flatMap((name) => {
      const given = shapes.map((s) => s[name]?.[i]).find((r) => r !== undefined && r !== null);
      const scored = scores[name]?.[i] === undefined ? [] : [[0]];
      const lists = given === undefined ? scored : listsOf(given);
      const sequence = (l: readonly number[]): TokenSequence =>
        ({ prompt: [0], response: Array.from(l, () => 0), marked: marked[name]?.[i] });
      return lists.length === 0 ? [] : [[name, lists.map(sequence)]];
    })),
    columns: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]!])),
  }));
  const padded = padMore(method, makeTables(method, items));
  const valueOf = (of: LogProbs, name: string) => (item: Item, k: number): readonly number[] => listsOf(of[name]![item.index]!)[k]!;
  const feeds: Record<string, Feed> = { ...padded.feeds, ...roundFeed(false) };
  for (const name of method.names) {
    if (logp[name] !== undefined)
      feeds[`logp:${name}`] = junkInPadding(tokenTable(method, padded, name, valueOf(logp, name)), padded.feeds[`mask:${name}`]!);
    if (logp[name] !== undefined && method.entropies.has(name))
      feeds[`entropy:${name}`] = tokenTable(method, padded, name, (item, k) => valueOf(logp, name)(item, k).map(() => 0));
    for (const [head, values] of Object.entries(ofTokens)) {
      if (values[name] !== undefined) feeds[`value:${head}:${name}`] = tokenTable(method, padded, name, valueOf(values, name));
    }
    if (scores[name] !== undefined)
      feeds[`score:score:${name}`] = sequenceTable(method, padded, name, method.heads['score']!.size, ({ index }) =>
        [scores[name]![index]!].flat(),
      );
    for (const [reference, values] of Object.entries(under)) {
      if (values[name] !== undefined) feeds[`under:${reference}:${name}`] = tokenTable(method, padded, name, valueOf(values, name));
    }
  }
  for (const [name, initial] of Object.entries(method.memory)) feeds[`memory:${name}`] = scalar(memory[name] ?? initial);

  const { program, counts, terms, metrics } = traceLoss(method, { derivatives: true });
  const run = async (p: Program, more: Record<string, Feed> = {}): Promise<(name: string) => ArrayLike<number | bigint> | undefined> => {
    const session = await engine.compile(p);
    const all: Record<string, Feed> = { ...feeds, ...more };
    const out = await session.run(Object.fromEntries(p.inputs.map(({ name }) => {
      if (all[name] === undefined) throw new Error(`The test gives nothing for ${name}.`);
      return [name, all[name]];
    })));
    await session.release();
    return (name) => out[name]?.data;
  };
  const counted = await run(counts);
  const count = (name: string): number => Number(counted(name)![0]);
  const scales = Object.fromEntries(Array.from({ length: terms }, (_, t) => [`scale:${t}`, scalar(1 / count(`count:${t}`))]));
  const out = await run(program, scales);
  const sum = (name: string): number => Number(out(name)![0]);
  let loss = 0;
  for (let t = 0; t < terms; t++) loss += sum(`term:${t}`) / count(`count:${t}`);
  return {
    loss,
    metrics: Object.fromEntries(metrics.map((name) => {
      const extreme = out(`least:${name}`) ?? out(`most:${name}`);
      return [name, extreme === undefined ? sum(`metric:${name}`) / count(`metricCount:${name}`) : Number(extreme[0])];
    })),
    memory: Object.fromEntries(Object.keys(method.memory).map((name) => [name, sum(`newMemory:${name}`)])),
    gradient: Object.fromEntries(
      Object.keys(logp).map((name) => [
        name,
        logp[name]!.map((given, i) => {
          const d = out(`d:logp:${name}`);
          const places = method.lists.has(name) ? padded.places : 1;
          return (given === null ? [] : listsOf(given)).flatMap((l, k) =>
            l.map((_, t) => (d === undefined ? 0 : Number(d[(i * places + k) * padded.slots + t]))),
          );
        }),
      ]),
    ),
    scoreGradient: Object.fromEntries(Object.keys(scores).map((name) => [name, Array.from(out(`d:score:score:${name}`) ?? [], Number)])),
  };
}

const scalar = (value: number): Feed => ({ data: Float32Array.of(value), shape: [] });
const listsOf = (row: Exclude<RowLogProbs, null>): readonly (readonly number[])[] =>
  typeof row[0] === 'number' || row.length === 0 ? [row as readonly number[]] : (row as readonly (readonly number[])[]);

/** One slot of padding more, so that every row has some. */
function padMore(method: BoundMethod, tables: Tables): Tables {
  const wider = { ...tables, slots: tables.slots + 1 };
  const masks = method.names.map((name) => [
    `mask:${name}`,
    tokenTable(method, wider, name, (item, k) => item.sequences[name]![k]!.response.map(() => 1)),
  ]);
  const marks = [...method.marks].map((name) => [
    `marked:${name}`,
    tokenTable(method, wider, name, ({ sequences }, k) => {
      const { response, marked } = sequences[name]![k]!;
      return response.map((_, t) => (marked?.[t] === true ? 1 : 0));
    }),
  ]);
  const columns = Object.entries(method.tokenColumns).map(([column, name]) => [
    `tokens:${column}`,
    tokenTable(method, wider, name, (item, k) => (item.columns[column] as readonly (readonly number[])[])[k]!),
  ]);
  return { ...wider, feeds: { ...tables.feeds, ...(Object.fromEntries([...masks, ...marks, ...columns]) as Record<string, Feed>) } };
}

/** The trainer may leave anything where there is no token; the mask hides it. */
function junkInPadding(feed: Feed, mask: Feed): Feed {
  const [data, keep] = [feed, mask].map((f) => (f as { data: Float32Array }).data) as [Float32Array, Float32Array];
  return { ...feed, data: data.map((x, i) => (keep[i] === 1 ? x : -3)) };
}
