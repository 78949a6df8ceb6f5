import { describe, expect, it } from 'vitest';
import { DPO_LOSSES } from '../../src/method/dpo-losses.js';
import { type MethodOptions, methodOf } from '../../src/method/index.js';
import { simpo } from '../../src/method/simpo.js';
import { bind } from '../../src/method/bind.js';
import { TIE } from '../../src/method/pairs.js';
import { useEngine } from '../model/tiny.js';
import { type LogProbs, type RowLogProbs, lossOf } from '../support/loss.js';

const engine = useEngine();
const COLUMNS = { soft_label: [1, 1, 1, 1], desirable: [1, 0, 1, 0] };

/** Four rows of two tokens, moved by `by(row, place of the name)`. */
function logps(names: readonly string[], lists: ReadonlySet<string>, by: (row: number, name: number) => number): LogProbs {
  const row = (i: number, n: number): number[] => [-1.5 - i + by(i, n), -0.25];
  return Object.fromEntries(
    names.map((name, n) => [name, [0, 1, 2, 3].map((i): RowLogProbs => (lists.has(name) ? [row(i, n)] : row(i, n)))]),
  );
}

/** `accuracy` while each sequence's log-probability differs from the references' by what `by` says. */
async function accuracy(options: MethodOptions, by: (row: number, name: number) => number): Promise<number | undefined> {
  const method = methodOf(options);
  const policy = logps(
    method.names.filter((name) => !method.detached.has(name)),
    method.lists,
    by,
  );
  const under = Object.fromEntries(
    Object.entries(method.references).map(([name, { scores }]) => [name, logps(scores, method.lists, () => 0)]),
  );
  const memory = Object.fromEntries(Object.keys(method.memory).map((name) => [name, 0]));
  return (await lossOf(engine(), method, policy, COLUMNS, { under, memory })).metrics['accuracy'];
}

describe('accuracy while policy and reference are equal', () => {
  const METHODS: readonly MethodOptions[] = [
    ...Object.keys(DPO_LOSSES).map((loss) => ({ name: 'dpo', loss, beta: 1, ...(loss === 'robust' ? { labelSmoothing: 0.1 } : {}) })),
    { name: 'ilf-dpo', beta: 1 },
    { name: 'kto', beta: 1 }, { name: 'kto', loss: 'apo-zero', beta: 1 }, { name: 'bco', beta: 1 },
    { name: 'd2o', k: 1, alpha: 1, beta: 1 }, { name: 'd2o', k: 1, alpha: 1, beta: 1, level: 'instance' },
  ];

  it.each(METHODS)('is chance whatever rounding leaves: %j', async (options) => {
    // What is left is not the same of any two rows, and in turn above and below 0.
    expect(await accuracy(options, (row, name) => (1 + row) * (name === 0 ? 4e-6 : -4e-6))).toBe(0.5);
    expect(await accuracy(options, (row, name) => (row % 2 === name ? 1e-5 : -1e-5))).toBe(0.5);
  });

  it.each(METHODS.slice(-3))('is not chance once the rewards are apart: %j', async (options) => {
    // bco: rewards of good rows are above their mean, of bad ones below it.
    const good = options.name === 'bco' ? (row: number) => row % 2 === 0 : (_: number, name: number) => name === 1;
    expect(await accuracy(options, (row, name) => (good(row, name) ? 0.001 : -0.001))).toBe(1);
    expect(await accuracy(options, (row, name) => (good(row, name) ? -0.001 : 0.001))).toBe(0);
  });

  it('counts two rewards as equal up to 0.0001', async () => {
    const method = bind(simpo, { beta: 1 });
    const ahead = async (by: number): Promise<number> =>
      (await lossOf(engine(), method, { chosen: [[-0.5 + by]], rejected: [[-0.5]] }, { soft_label: [1] })).metrics['accuracy']!;
    expect(TIE).toBe(1e-4);
    expect([await ahead(0.00011), await ahead(0.00009), await ahead(0), await ahead(-0.00009), await ahead(-0.00011)]).toEqual([
      1, 0.5, 0.5, 0.5, 0,
    ]);
  });
});
