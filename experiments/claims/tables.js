// @ts-check
// docs/evidence.md and docs/choosing.md, from the files of results alone.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../shared/heed.js';
import { resultOf, writePage } from '../shared/results.js';
import { CONTENDERS } from './contenders.js';
import { change, mean, number, table } from './cells.js';
import { choosingText } from './choosing.js';
import { decide, interval } from './decide.js';
import { othersText } from './others.js';
import { figure } from './plot.js';
import { STATEMENTS } from './statements.js';
import { TASKS } from './tasks.js';

const percent = (share) => `${Math.round(100 * share)} %`;
const page = (name) => (name in CONTENDERS ? `[${name}](methods/${CONTENDERS[name].recipe}.md)` : name);

/** The results of a task, the best first. */
function resultsOf(task) {
  const found = Object.keys(CONTENDERS).map((name) => resultOf('claims', `${task}/${name}`)).filter((result) => result !== undefined);
  return found
    .map((result) => {
      const changeOf = (measure) => interval(result.seeds.map((seed) => seed[measure].map((value, p) => value - result.base[measure][p])));
      const shares = result.seeds.map(({ satisfied }) => mean(satisfied));
      return { ...result, gain: changeOf('satisfied'), faults: changeOf('findings'), shares };
    })
    .sort((a, b) => b.gain.mean - a.gain.mean);
}

/** What a contender came to, and what it took. */
function lineOf({ contender, seeds, gain, faults, shares, rows }) {
  const over = (of) => mean(seeds.map(of));
  return [
    page(contender), `${rows}`, `${Math.round(over(({ steps }) => steps))}`, `${Math.round(over(({ tokens }) => tokens) / 1000)}k`,
    shares.map((share) => Math.round(100 * share)).join(' · '),
    change(gain), number(faults),
    over(({ measured }) => measured.medianWords).toFixed(0),
    percent(over(({ cutOff }) => mean(cutOff))),
    over(({ measured }) => measured.distinct2).toFixed(2),
  ];
}

const HEAD = [
  'method', 'rows', 'steps', 'tokens learnt', 'good answers, % (seeds)', 'change, points', 'change, faults an answer', 'median words',
  'cut off', 'distinct-2',
];

function taskText(task) {
  const results = resultsOf(task);
  if (results.length === 0) return 'No result yet.';
  const { base, satisfied, answers, corrected = 0 } = results[0];
  const lines = results.map(({ contender, shares, gain, base: { satisfied: before } }) => ({
    name: contender, before: { mean: mean(before), values: [] },
    after: { mean: mean(shares), values: shares, low: mean(before) + gain.low, high: mean(before) + gain.high },
  }));
  mkdirSync(join(ROOT, 'docs/evidence'), { recursive: true });
  writeFileSync(join(ROOT, `docs/evidence/${task}.svg`), `${figure(lines, `Good answers under the rule: ${TASKS[task].about}`)}\n`);
  return [
    `![Good answers by method, ${task}](evidence/${task}.svg)`, '',
    `Of the ${answers} answers that were judged, ${satisfied} were good`
      + `${corrected === 0 ? '' : `, and ${corrected} corrections were written`}. `
      + `Held out: ${base.satisfied.length} briefs. The model without an adapter: `
      + `${percent(mean(base.satisfied))} good, ${mean(base.findings).toFixed(2)} faults an answer, `
      + `${mean(base.words).toFixed(0)} words, ${percent(mean(base.cutOff))} cut off.`, '',
    table(HEAD, results.map(lineOf)),
  ].join('\n');
}

/** The tasks whose answers are judged and nothing else, as in the papers. */
const JUDGED = Object.keys(TASKS).filter((task) => TASKS[task].rules !== undefined);

function statementsText() {
  const decided = Object.values(STATEMENTS).map((statement) => {
    const cells = JUDGED.map((task) => {
      const [better, than] = [statement.better, statement.than].map((name) => resultOf('claims', `${task}/${name}`));
      if (better === undefined || (than === undefined && statement.than !== 'base')) return 'not run';
      const { change: by, verdict } = decide(statement, better, than);
      return `**${verdict}**: ${change(by)}`;
    });
    const { paper, says, numbers, better: first, than: second, measure } = statement;
    return [paper, says, numbers, `${first} − ${second}, ${MEASURES[measure]}`, ...cells];
  });
  return table(['paper', 'claim', 'its numbers', 'measured here, points', ...JUDGED], decided);
}
const MEASURES = { satisfied: 'good answers', cutOff: 'answers cut off' };

export function tables() {
  writePage('evidence.md', {
    claims: statementsText(),
    others: othersText(),
    ...Object.fromEntries(Object.keys(TASKS).map((task) => [task, taskText(task)])),
  });
  writePage('choosing.md', { choosing: choosingText(resultsOf) });
}
