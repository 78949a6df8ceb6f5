import { type Engine, type Tensor, gradient, input, lower, mul, sum } from '@heed/tensor';
import type { BoundMethod } from '../../src/method/method.js';
import { Tokens } from '../../src/method/tokens.js';

/** Log-probabilities of each named sequence of each row; null where the row has no such sequence. */
export type LogProbs = Readonly<Record<string, readonly (readonly number[] | null)[]>>;

export interface LossValue {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** d loss / d logp, by name and row. */
  readonly gradient: Readonly<Record<string, number[][]>>;
}

/** A method's loss, normalised as the trainer does, and its derivative by each log-probability. */
export async function lossOf(engine: Engine, method: BoundMethod, logp: LogProbs, columns: Readonly<Record<string, readonly number[]>> = {}): Promise<LossValue> {
  const rows = Object.values(logp)[0]!.length;
  const feeds: Record<string, { data: Float32Array; shape: number[] }> = {};
  const leaves: Record<string, Tensor> = {};
  const named: Record<string, Tokens> = {};
  const widths: Record<string, number> = {};
  for (const name of method.names) {
    const given = logp[name] ?? Array.from({ length: rows }, () => null);
    const width = Math.max(1, ...given.map((r) => r?.length ?? 0)) + 1; // one slot of padding at least
    widths[name] = width;
    const flat = (f: (r: number, t: number) => number) => Float32Array.from({ length: rows * width }, (_, i) => f(Math.floor(i / width), i % width));
    const x = input(`logp:${name}`, [rows, width]);
    const mask = input(`mask:${name}`, [rows, width]);
    leaves[name] = x;
    named[name] = new Tokens(mul(x, mask), mask);
    feeds[`logp:${name}`] = { data: flat((r, t) => given[r]?.[t] ?? -3), shape: [rows, width] };
    feeds[`mask:${name}`] = { data: flat((r, t) => (given[r]?.[t] === undefined ? 0 : 1)), shape: [rows, width] };
  }
  const cols = Object.fromEntries(method.columns.map((name) => {
    feeds[`column:${name}`] = { data: Float32Array.from(columns[name]!), shape: [rows] };
    return [name, input(`column:${name}`, [rows])];
  }));
  feeds['one'] = { data: new Float32Array(rows).fill(1), shape: [rows] };
  const loss = method.loss({ logp: named, columns: cols, rows: sum(input('one', [rows])) });
  const outputs: Record<string, Tensor> = {};
  loss.terms.forEach((term, i) => Object.assign(outputs, { [`term${i}`]: term.sum, [`count${i}`]: term.count }));
  for (const [name, term] of Object.entries(loss.metrics)) Object.assign(outputs, { [`metric:${name}`]: term.sum, [`of:${name}`]: term.count });
  const scales = loss.terms.map((_, i) => input(`scale${i}`, []));
  const derivatives = gradient(loss.terms.map((term, i) => ({ of: term.sum, derivative: scales[i]! })), Object.values(leaves));
  Object.keys(leaves).forEach((name, i) => derivatives[i] && (outputs[`d:${name}`] = derivatives[i]));

  const run = async (scale: readonly number[]): Promise<Record<string, { data: ArrayLike<number | bigint> }>> => {
    const program = lower(outputs);
    const session = await engine.compile(program);
    const all = { ...feeds, ...Object.fromEntries(scale.map((s, i) => [`scale${i}`, { data: Float32Array.of(s), shape: [] }])) };
    const out = await session.run(Object.fromEntries(program.inputs.map(({ name }) => [name, all[name as keyof typeof all]!])));
    await session.release();
    return out;
  };
  const first = await run(loss.terms.map(() => 1));
  const number = (out: Awaited<ReturnType<typeof run>>, name: string): number => Number(out[name]!.data[0]);
  const counts = loss.terms.map((_, i) => number(first, `count${i}`));
  const second = await run(counts.map((c) => 1 / c));
  return {
    loss: loss.terms.reduce((total, _, i) => total + number(first, `term${i}`) / counts[i]!, 0),
    metrics: Object.fromEntries(Object.keys(loss.metrics).map((name) => [name, number(first, `metric:${name}`) / number(first, `of:${name}`)])),
    gradient: Object.fromEntries(Object.keys(leaves).map((name) => {
      const d = second[`d:${name}`];
      return [name, logp[name]!.map((r, i) => (r ?? []).map((_, t) => (d === undefined ? 0 : Number(d.data[i * widths[name]! + t]))))];
    })),
  };
}
