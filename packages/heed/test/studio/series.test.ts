import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { createSeriesCache } from '../../src/studio/series.js';
import { curvesOf, thin } from '../../src/studio/thin.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
let files = 0;
const logFile = (text: string): string => {
  const path = join(folder, `${files++}.jsonl`);
  writeFileSync(path, text);
  return path;
};

describe('the columns of a log', () => {
  it('are read on from where they ended, a half-written line once it is whole', async () => {
    const cache = createSeriesCache();
    const path = logFile('{"step":1,"loss":2}\n{"step":2,"lo');
    const first = await cache.of(path);
    expect([first.lines, first.steps, first.columns.get('loss')!.value]).toEqual([1, 1, [2]]);
    appendFileSync(path, 'ss":1.5,"kl":0.1}\n{"step":3,"loss":null}\n');
    const { lines, steps, columns } = await cache.of(path);
    expect([lines, steps]).toEqual([3, 3]);
    expect(columns.get('loss')).toEqual({ step: [1, 2, 3], value: [2, 1.5, Number.NaN], line: [0, 1, 2] });
    // A name that a line lacks has no point there.
    expect(columns.get('kl')).toEqual({ step: [2], value: [0.1], line: [1] });
  });

  it('begin anew where a resume put a shorter log in the place of the old one', async () => {
    const cache = createSeriesCache();
    const path = logFile('{"step":1,"loss":2}\n{"step":2,"loss":1}\n');
    await cache.of(path);
    renameSync(logFile('{"step":1,"loss":2}\n'), path);
    appendFileSync(path, '{"step":2,"loss":7}\n{"step":3,"loss":8}\n');
    expect((await cache.of(path)).columns.get('loss')!.value).toEqual([2, 7, 8]);
  });

  it('are the same for many who ask at once, and none where there is no log', async () => {
    const cache = createSeriesCache();
    const path = logFile(Array.from({ length: 5000 }, (_, i) => `{"step":${i + 1},"loss":${i}}\n`).join(''));
    const all = await Promise.all([cache.of(path), cache.of(path), cache.of(path)]);
    expect(all.map(({ lines }) => lines)).toEqual([5000, 5000, 5000]);
    expect((await cache.of(join(folder, 'none'))).lines).toBe(0);
  });

  it('pass over lines that are no JSON, which still count as lines', async () => {
    const { lines, columns } = await createSeriesCache().of(logFile('nonsense\n{"step":1,"loss":2}\n[1]\n'));
    expect([lines, columns.get('loss')!.line]).toEqual([3, [1]]);
  });
});

describe('a thinned curve', () => {
  const column = { step: [1, 2, 3, 4, 5], value: [1, 3, Number.NaN, 10, 2] };

  it('has the mean of neighbouring steps with their least and greatest value', () => {
    expect(thin(column, { points: 3 })).toEqual({ x: [1.5, 3.5, 5], y: [2, 10, 2], low: [1, 10, 2], high: [3, 10, 2] });
  });

  it('is the steps themselves where they are few enough, or a part is asked for', () => {
    expect(thin(column, { points: 5 })).toEqual({ x: [1, 2, 3, 4, 5], y: [1, 3, null, 10, 2] });
    expect(thin(column, { from: 2, to: 4, points: 3 })).toEqual({ x: [2, 3, 4], y: [3, null, 10] });
  });

  it('of the reward comes first, of the learning rate last', async () => {
    const series = await createSeriesCache().of(logFile('{"step":1,"round":1,"lr":1,"loss":2,"reward":3,"entropy":4}\n'));
    expect(curvesOf(series, { points: 10 }).map(({ name, better }) => [name, better])).toEqual([
      ['reward', 'higher'], ['loss', 'lower'], ['entropy', undefined], ['lr', undefined],
    ]);
  });
});
