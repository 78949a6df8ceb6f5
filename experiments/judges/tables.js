// @ts-check
// Writes what the judges showed into docs/judges.md, between its marks.
import { fileOf, resultOf, writePage } from '../shared/results.js';
import { JUDGES } from './plan.js';

const percent = (x) => (100 * x).toFixed(1);
const interval = ({ mean, low, high }) => `${percent(mean)} [${percent(low)}, ${percent(high)}]`;
function verdicts() {
  const head = [
    '| judge | held out | untaught | taught | bag of words | taught − bag of words | accuracy, taught (commoner class) '
    + '| above chance, commoner class, bag of words |',
    '|---|---|---|---|---|---|---|---|',
  ];
  const names = Object.keys(JUDGES).filter((name) => name !== 'preferences');
  return [
    ...head,
    ...names.map((name) => {
      const r = resultOf('judges', name);
      if (r === undefined) return `| ${name} | not run | | | | | | |`;
      const said = [r.shown.aboveChance, r.shown.aboveMajority, r.shown.aboveBagOfWords].map((x) => (x ? 'yes' : '**no**')).join(', ');
      return `| [${name}](../${fileOf('judges', name)}) | ${r.rows} rows, ${r.prompts} prompts | `
        + `${interval(r.untaught.balancedAccuracy)} | ${interval(r.taught.balancedAccuracy)} | `
        + `${interval(r.bagOfWords.balancedAccuracy)}, ${r.wordModel.model} | ${interval(r.taughtLessBagOfWords)} | `
        + `${interval(r.taught.accuracy)} (${percent(r.majority)}) | ${said} |`;
    }),
  ].join('\n');
}

function preferences() {
  const r = resultOf('judges', 'preferences');
  const head =
    '| judge | asked | pairs | one order | other order | averaged | the same place | of these the first | p | '
    + 'rationales cut off |\n|---|---|---|---|---|---|---|---|---|---|';
  if (r === undefined) return `${head}\n| | not run | | | | | | | | |`;
  return [
    head,
    ...r.table.map(({ judge, ask, pairs, failed, oneOrder, otherOrder, label, position, cutRationales }) => {
      const named = Math.round(position.same.mean * position.pairs);
      // One for each order and sample.
      const rationales = ask.startsWith('CoT') ? 2 * pairs * Number(/consistency (\d+)/.exec(ask)?.[1] ?? 1) : 0;
      const cut = rationales === 0 ? '–' : `${cutRationales} of ${rationales}`;
      const p = position.p < 1e-4 ? '< 10⁻⁴' : position.p.toPrecision(2);
      return `| ${judge} | ${ask} | ${pairs}${failed > 0 ? `, ${failed} failed` : ''} | ${percent(oneOrder.mean)} | `
        + `${percent(otherOrder.mean)} | ${interval(label)} | ${interval(position.same)} | ${position.first} of ${named} | `
        + `${p} | ${cut} |`;
    }),
  ].join('\n');
}

export const tables = () => writePage('judges.md', { verdicts: verdicts(), preferences: preferences() });
