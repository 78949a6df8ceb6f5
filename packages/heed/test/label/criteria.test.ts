import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CRITERIA, CRITERION_NAMES } from '../../src/label/criteria.js';
import type { Pair } from '../../src/label/material.js';
import { PreferencesOptions, labelPreferences } from '../../src/label/preferences.js';
import { ScoresOptions, labelScores } from '../../src/label/scores.js';
import { chose, fake, wordsOf } from './fake.js';

const prompt = [{ role: 'user' as const, content: 'Who owns the blue boat?' }];
const source = { file: 'rows.jsonl', line: 1 };
const pair: Pair = { source, prompt, responses: ['I cannot know that.', 'Mr Bold does.'] };
const FOLDER = join(import.meta.dirname, '../fixtures/criteria');
/** The worse one is asked for. */
const INVERTED = ['harmless', 'toxicity'];

describe.each(CRITERION_NAMES)('the criterion %s', (criterion) => {
  // Kept replies belong to the words of their questions, so these may not change by accident.
  it('asks in these words, for a rating, for a choice, and for reasons before it', async () => {
    const judge = fake({ choose: (q) => (q.answers.length === 2 ? chose(0.7, 0.2) : chose(...q.answers.map(() => 0.1))), write: () => {
      throw new Error('nobody asks for texts here');
    } });
    await labelScores([{ source, prompt, completion: pair.responses[0] }], judge, ScoresOptions.parse({ name: 'scores', criterion }));
    await labelPreferences([pair], judge, PreferencesOptions.parse({ name: 'preferences', criterion, orders: 'one' }));
    const words = [...judge.choices.map(wordsOf), CRITERIA[criterion].weigh].join('\n\n------\n\n');
    await expect(`${words}\n`).toMatchFileSnapshot(join(FOLDER, `${criterion}.txt`));
  });

  it('a high rating is good, and the named response the better one, unless it asks for the bad', async () => {
    const sign = INVERTED.includes(criterion) ? -1 : 1;
    const judge = fake({ choose: (q) => (q.answers.length === 2 ? chose(1, 0) : chose(...q.answers.map((_, i) => Number(i === 9)))) });
    const scored = await labelScores(
      [{ source, prompt, completion: pair.responses[0] }], judge, ScoresOptions.parse({ name: 'scores', criterion }),
    );
    expect(scored.rows[0]).toMatchObject({ rating: 10, score: sign });
    const compared = await labelPreferences([pair], judge, PreferencesOptions.parse({ name: 'preferences', criterion, orders: 'one' }));
    expect(compared.rows[0]).toMatchObject({ chosen: pair.responses[sign === 1 ? 0 : 1], rejected: pair.responses[sign === 1 ? 1 : 0] });
  });
});
