import type { Engine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/cluster/open.js';
import { tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { scratchFolder } from '../support/scratch.js';
import { FEW } from '../train/invariance.js';
import { expectSame, manyPasses, stepOn } from './support.js';

// Workers in Python, started by Ray on this machine.

const { folder } = scratchFolder();
const engine = useEngine();
let model: string;
let team: Engine;
beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 512 }));
  team = await openEngine('local:2');
});
afterAll(() => team.close());

describe('two workers', () => {
  it.each(FEW)('take a step of %s as one machine does', async (_, options) => {
    const work = await manyPasses(model, options);
    const [actual, expected] = [await stepOn(team, work), await stepOn(engine(), work)];
    expectSame(actual, expected);
    // A step taken twice has the same bits.
    expect((await stepOn(team, work)).gradients).toEqual(actual.gradients);
  });
});
