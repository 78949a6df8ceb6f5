// @ts-check
// The results as a table of docs/loops/README.md: a line for each loop, a number for each seed.
import { resultOf, writePage } from '../shared/results.js';
import { PLAN } from './plan.js';

const percent = (x) => `${(100 * x).toFixed(0)}`;

function line(loop, results) {
  const each = (write) => results.map(write).join(' · ');
  return [
    loop,
    PLAN[loop].teacher,
    results.map(({ seed }) => seed).join(' · '),
    `${percent(results[0].before.satisfied.mean)} %`,
    each(({ after }) => `${percent(after.satisfied.mean)} %`),
    each(({ change: { satisfied: { mean, low, high } } }) => `${mean > 0 ? '+' : ''}${percent(mean)} [${percent(low)}, ${percent(high)}]`),
    each(({ rounds }) => rounds.at(-1).kl?.toFixed(1) ?? '–'),
  ];
}

export function tables() {
  const head = ['loop', 'teacher', 'seeds', 'before', 'after', 'paired change, points', 'KL, nats an answer'];
  const rows = Object.keys(PLAN).flatMap((loop) => {
    const results = [0, 1, 2].map((seed) => resultOf('online', `${loop}/${seed}`)).filter((result) => result !== undefined);
    return results.length === 0 ? [] : [line(loop, results)];
  });
  const cells = [head, head.map(() => '---'), ...rows];
  writePage('loops/README.md', { 'equal-samples': cells.map((row) => `| ${row.join(' | ')} |`).join('\n') });
}
