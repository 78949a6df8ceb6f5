import { describe, expect, it } from 'vitest';

import { factsOf } from '../../src/studio/measured.js';

describe('what else a summary says', () => {
  it('stands in a line, or in one for each part', () => {
    const summary = {
      job: 'align', seconds: 61, before: { loss: 1 }, measures: { ties: 0 },
      checks: [{ what: 'the loss fell', holds: true }, { what: 'answers are no shorter', holds: false }],
      policy: { entropy: 0.5, actions: { sure: 0.25 }, kl: { mean: 0.1, low: 0.05, high: 0.2, n: 9 } },
      alarms: [], grid: { a: 1 }, note: null,
    };
    expect(factsOf(summary)).toEqual([
      { name: 'time', lines: ['1:01'] },
      { name: 'checks', lines: ['✓ the loss fell', '✗ answers are no shorter'] },
      { name: 'policy', lines: ['entropy: 0.5', 'actions: sure 0.25', 'kl: 0.1 (0.05 to 0.2)'] },
      { name: 'alarms', lines: ['none'] },
      { name: 'grid', lines: ['a: 1'] },
    ]);
  });
});
