import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { writeRun } from '../run/report-fixture.js';
import { expectAccessible, studioFor } from './support.js';

const studio = studioFor();

beforeAll(async () => {
  for (const name of ['first', 'second']) await writeRun(join(studio.folder, 'runs', name));
});

const RUN = '#/runs?run=runs%2Ffirst&show=';
const COMPARISON = '#/compare?runs=before%3Aruns%2Ffirst%0Aruns%2Ffirst%0Aruns%2Fsecond&show=';

/** Each page and part, and what is there once it is drawn. */
const PLACES: readonly (readonly [address: string, drawn: string])[] = [
  ['', '.runs tbody tr'], [`${RUN}curves`, 'canvas'], [`${RUN}answers`, '.pair'], [`${RUN}tokens`, '.pair'], [`${RUN}recipe`, '.recipe'],
  ['#/compare', '.picker li'], [`${COMPARISON}numbers`, '.compared'], [`${COMPARISON}answers`, '.pair'], [`${COMPARISON}curves`, 'canvas'],
  [`${COMPARISON}recipes`, '.parts'],
];

describe('every part of every page', () => {
  it.each(PLACES)('has nothing for axe to mend in light, in dark and on a phone, whose width it keeps to: %s', async (address, drawn) => {
    const { page, trouble } = await studio.visit(address);
    await page.locator(drawn).first().waitFor();
    await expectAccessible(page);
    expect(trouble).toEqual([]);
    await page.context().close();
  });
});
