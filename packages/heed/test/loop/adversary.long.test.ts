import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch.js';
import { heedStopped } from '../train/interrupted.js';
import { SMALL, expectSameAfterKill, writeAdversarial } from './adversarial.js';

const { folder, write } = scratchFolder();

/** A moment in the middle; HEED_TEST_KILLS=all takes each of them. */
const chosen = <T>(moments: readonly T[]): readonly T[] =>
  (process.env['HEED_TEST_KILLS'] === 'all' ? moments : [moments[moments.length >> 1]!]);

it('an adversarial loop with two critics, killed at files of theirs and resumed, ends with the same numbers', async () => {
  const { recipe } = await writeAdversarial(folder, write);
  const argv = ['align', recipe, ...SMALL, 'adversary.held=true'];
  const [whole, list] = [join(folder, 'whole'), join(folder, 'events.json')];
  const ran = await heedStopped([...argv, `run.dir=${whole}`], { list });
  expect(ran.code, ran.err).toBe(0);
  const events = JSON.parse(readFileSync(list, 'utf8')) as string[];
  const moments = events.flatMap((event, nth) => (/^(rename|rm) .*critic/.test(event) ? [nth] : []));
  expect(moments.length).toBeGreaterThan(8);
  for (const nth of chosen(moments))
    await expectSameAfterKill({ argv, whole, dir: join(folder, String(nth)), stop: { how: 'SIGKILL', nth } });
}, 300_000);
