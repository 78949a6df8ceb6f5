// @ts-check
// npm run rlaif -- [principles | hacks | hacks-taught | soft-labels | same-size …]: reward models and AI feedback on real data. Writes experiments/rlaif/<name>.json; docs/rlaif.md shows them.
import { hacks, hacksTaught } from './hacks.js';
import { principles } from './principles.js';
import { sameSize } from './same-size.js';
import { softLabels } from './soft-labels.js';

const ALL = { 'principles': principles, 'hacks': hacks, 'hacks-taught': hacksTaught, 'soft-labels': softLabels, 'same-size': sameSize };
const wanted = process.argv.slice(2).filter((word) => word !== '--dev');
const unknown = wanted.filter((name) => !(name in ALL));
if (unknown.length > 0) {
  console.error(`There is no experiment ${unknown.join(', ')}; there is ${Object.keys(ALL).join(', ')}.`);
  process.exit(2);
}
// --dev: on the rows that settings are chosen on; writes no result.
for (const name of wanted.length > 0 ? wanted : Object.keys(ALL)) await ALL[name](process.argv.includes('--dev') ? 'dev' : 'test');
