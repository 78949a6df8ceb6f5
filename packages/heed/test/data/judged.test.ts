import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { looksLikePraise } from '../../src/data/judgment.js';
import { parseRows } from '../../src/data/parse.js';
import { readRows } from '../../src/data/read.js';
import { sharedData } from '../support/shared-data.js';

describe('the published CUT data, iteration 1', () => {
  const path = sharedData('cut_iter1.jsonl');

  it.skipIf(path === undefined)('refuses the judgments that are "$ERROR$", all in one message', async () => {
    const records = await readRows(path!);
    expect(records).toHaveLength(761);
    const error = await Promise.resolve().then(() => parseRows('judged', records)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain('34 of 761 rows cannot be used as judged rows');
    expect((error as UserError).message).toContain('judgment stands for a call that failed: judge the response again: "$ERROR$"');
    expect((error as UserError).message).toContain('… and 14 more');
    expect((error as UserError).hints).toEqual(['Rows with nothing to learn from can be left out: data.junk: skip']);
  });

  it.skipIf(path === undefined)('reads the rest as 543 satisfactory and 184 unsatisfactory rows', async () => {
    const { rows, skipped } = parseRows('judged', await readRows(path!), { junk: 'skip' });
    expect(skipped).toHaveLength(34);
    expect(rows.filter(({ satisfied }) => satisfied)).toHaveLength(543);
    expect(rows.filter(({ satisfied }) => !satisfied)).toHaveLength(184);
    expect(rows.filter(({ satisfied, judgment }) => !satisfied && looksLikePraise(judgment ?? ''))).toHaveLength(9);
    expect(rows[1]).toMatchObject({
      source: { file: path, line: 2 },
      id: '1',
      prompt: [{ role: 'user', content: 'Calculate the atomic mass for lithium.' }],
      satisfied: false,
    });
    expect(rows[1]?.judgment).toMatch(/^The response is almost correct, but the abundance/);
  });
});
