// @ts-check
// The table of docs/choosing.md: by what feedback there is, the methods that learn from it, and what each gained.
import { change, mean, table } from './cells.js';
import { CONTENDERS } from './contenders.js';
import { TASKS } from './tasks.js';

/** What people have, by the kind of rows that it makes. @type {Record<string, string>} */
const FEEDBACK = {
  judged: 'comments', labelled: 'thumbs', preference: 'pairs', negative: 'bad answers alone', good: 'good answers alone',
};

/** @param {(task: string) => any[]} resultsOf The results of a task. */
export function choosingText(resultsOf) {
  const tasks = Object.keys(TASKS);
  const found = Object.fromEntries(tasks.map((task) => [task, resultsOf(task)]));
  const lines = Object.entries(CONTENDERS).map(([name, { recipe, rows }]) => {
    const results = tasks.map((task) => found[task].find(({ contender }) => contender === name));
    const gains = results.flatMap((result) => (result === undefined ? [] : [result.gain.mean]));
    return { name, recipe, rows, results, gain: gains.length === 0 ? -Infinity : mean(gains) };
  }).filter(({ gain }) => gain > -Infinity);
  const rows = Object.entries(FEEDBACK).flatMap(([kind, feedback]) => lines
    .filter((line) => line.rows === kind)
    .sort((a, b) => b.gain - a.gain)
    .map(({ name, recipe, results }) => [
      feedback, `[${name}](methods/${recipe}.md)`, ...results.map((result) => (result === undefined ? 'not run' : cell(result.gain))),
    ]));
  return [
    'The change in the share of good answers to held-out briefs, in points, over three seeds. Bold: the interval leaves 0 out.', '',
    table(['feedback', 'method', ...tasks.map((task) => TASKS[task].about)], rows),
  ].join('\n');
}

/** @param {{ mean: number, low: number, high: number }} gain */
const cell = (gain) => (gain.low > 0 || gain.high < 0 ? `**${change(gain)}**` : change(gain));
