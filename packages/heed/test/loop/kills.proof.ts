import { scratchFolder } from '../support/scratch.js';
import { askedRecipes, killParts, learntRecipes, mainRecipes, ratedRecipes } from './kill-recipes.js';
import { type KillPlan, type Phase, describeKills } from './kills.js';

// What kills.long.test.ts shows at a few moments: here at 30, and in every kind of loop, with a judge that is asked among them. That is 74
// killed runs, as many resumed ones and 14 whole ones, of some 4 s each on two busy cores: five minutes. HEED_KILLS=30 kills each kind of
// loop at 30 moments. The sources may not change meanwhile: the runs that are killed have the build, which is made anew for other sources,
// and those that are resumed do not.
const { folder, write } = scratchFolder();
const PHASES: readonly Phase[] = ['answering', 'learning', 'rating', 'saving'];

const each = Number(process.env['HEED_KILLS'] ?? 0);
const plan: KillPlan = {
  'train': { kills: 7 }, 'rows': { kills: 7 }, 'rollouts': { kills: 8, phases: PHASES }, 'align': { kills: 8, phases: PHASES },
  'judge': { kills: 6, phases: ['asking', ...PHASES] },
  'constitutional': { kills: 5, phases: ['asking', 'answering', 'learning', 'saving'] },
  'direct-rlaif': { kills: 5, phases: ['asking', ...PHASES] },
  'pairs': { kills: 4, phases: PHASES }, 'best-of-n': { kills: 4, phases: PHASES }, 'rloo': { kills: 4, phases: PHASES },
  'spin': { kills: 4, phases: ['answering', 'learning', 'saving'] },
  'salmon': { kills: 4, phases: PHASES }, 'adversarial': { kills: 4, phases: ['answering', 'learning', 'saving'] },
  'controller': { kills: 4, phases: ['learning', 'saving'] },
};
const more = Object.fromEntries(Object.entries(plan).map(([name, one]) => [name, { ...one, kills: Math.max(each, one.kills) }]));

describeKills(folder, more, async () => {
  const parts = await killParts(folder, write);
  return { ...mainRecipes(parts), ...ratedRecipes(parts), ...await askedRecipes(parts), ...await learntRecipes(parts) };
});
