import { scratchFolder } from '../support/scratch.js';
import { killParts, mainRecipes } from './kill-recipes.js';
import { describeKills } from './kills.js';

// Killed at random moments, a run goes on to the same numbers, bit for bit. kills.proof.ts kills more often, and every kind of loop.
const { folder, write } = scratchFolder();
const once = { kills: 1 };
describeKills(folder, { train: once, rows: once, rollouts: once, align: once }, async () => mainRecipes(await killParts(folder, write)));
