import { describe, expect, it } from 'vitest';
import { strftime } from '../../src/text/strftime.js';

/** Python 3.11, `datetime(...).strftime(format)` in the C locale. */
const PYTHON: readonly (readonly [Date, string, string])[] = [
  [new Date(2024, 6, 26, 9, 5, 7), '%d %b %Y', '26 Jul 2024'],
  [new Date(2024, 6, 26, 9, 5, 7), '%A, %B %d, %Y at %I:%M:%S %p', 'Friday, July 26, 2024 at 09:05:07 AM'],
  [new Date(2025, 11, 31, 0, 0, 0), '%Y-%m-%d %H:%M | day %j, %a, %w %u, %I %p', '2025-12-31 00:00 | day 365, Wed, 3 3, 12 AM'],
  [new Date(2023, 0, 1, 13, 0, 0), '%y/%e/%-d/%-m %F %D %T %R 100%% %u', '23/ 1/1/1 2023-01-01 01/01/23 13:00:00 13:00 100% 7'],
  [new Date(2024, 2, 1), 'day %j', 'day 061'],
];

describe('strftime', () => {
  it.each(PYTHON)('%s as %s', (at, format, expected) => {
    expect(strftime(at, format)).toBe(expected);
  });
});
