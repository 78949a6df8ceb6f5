import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { calibration, positionBias, verdictsAgainst } from '../../src/label/statistics.js';
import { expectAccessible, studioFor } from './support.js';

const studio = studioFor();

/** A labelling run that ended. */
function labelled(name: string, measures: object, more: object = {}): void {
  const dir = join(studio.folder, 'runs', name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'recipe.yaml'), 'label: { name: judgments }\n');
  writeFileSync(join(dir, 'summary.json'), '{}');
  writeFileSync(join(dir, 'label-report.json'), JSON.stringify({
    labeler: 'judgments', measures, judge: `model of ${name}`, rows: 12, labelled: 10, skipped: 0, speakToJudge: 0, seconds: 61,
    failed: { rows: 2, share: 1 / 6, allowed: 0.2, reasons: { 'cut-off': 2 } },
    asking: {
      questions: 12, reused: 4, asked: 8, promptTokens: 1000, completionTokens: 50, milliseconds: 1, cost: 0.25,
      earlier: { promptTokens: 500, completionTokens: 20 },
    }, ...more,
  }));
}

describe('the page Judges', () => {
  it('sets judges beside each other: agreement, place, calibration, failures and cost', async () => {
    // Yes to 3 of 4 good ones and to 1 of 6 bad ones: (3/4 + 5/6) / 2 = 79 %; κ = (0.8 − 0.52) / 0.48 = 0.58.
    const said = [true, true, true, false, true, false, false, false, false, false];
    const human = verdictsAgainst(said.map((one, i) => ({ said: one, human: i < 4 })))!;
    labelled('taught', { human, calibration: calibration([{ label: 0.9, human: 1 }, { label: 0.2, human: 0 }]) });
    labelled('biased', { position: positionBias([[0.9, 0.8], [0.7, 0.9], [0.6, 0.6]]), fromSamples: 0 }, { labeler: 'preferences' });
    const { page, trouble } = await studio.visit('#/judges');
    const row = (name: string): Promise<string> => page.getByRole('row').filter({ hasText: `model of ${name}` }).innerText();
    const taught = await row('taught');
    for (const part of ['79 %', 'n = 10', 'yes to 3 of 4 good, 1 of 6 bad', '0.58', 'cut-off 2', '0.250', '1,500 tokens in, 70 out'])
      expect(taught).toContain(part);
    expect(await row('biased')).toMatch(/These labels carry no information[\s\S]*not measured[\s\S]*100 %/);
    await page.getByText('ECE 0.150').waitFor();
    await page.getByText('Numbers').click();
    await expectAccessible(page);
    expect(trouble).toEqual([]);
    await page.context().close();
  });
});
