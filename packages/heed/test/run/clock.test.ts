import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { clockOf } from '../../src/run/clock.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const run = (name: string) => ({ path: (...parts: string[]): string => join(folder, [name, ...parts].join('-')) });

describe('the clock of a run', () => {
  it('stands still at the first start, on another day and in another zone', () => {
    vi.useFakeTimers({ now: new Date(2025, 1, 28, 23, 59, 58) });
    try {
      const first = clockOf(run('a'));
      expect(existsSync(run('a').path('date.json'))).toBe(false);
      expect(first()).toEqual(new Date(2025, 1, 28, 23, 59, 58));
      vi.setSystemTime(new Date(2025, 2, 1, 8, 0, 0));
      expect([first(), clockOf(run('a'))()]).toEqual([new Date(2025, 1, 28, 23, 59, 58), new Date(2025, 1, 28, 23, 59, 58)]);
      expect(readFileSync(run('a').path('date.json'), 'utf8')).toBe('"2025-02-28T23:59:58"\n');
    } finally {
      vi.useRealTimers();
    }
  });

  it('refuses a file that holds no date, and says what to write', () => {
    writeFileSync(run('b').path('date.json'), '"yesterday"');
    expect(() => clockOf(run('b'))()).toThrow(/date\.json holds no date: "yesterday"/);
  });
});
