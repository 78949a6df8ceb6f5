/** The table of `heed evaluate`. */
import { describeSigns } from '../evaluate/degenerate.js';
import type { EvaluationSummary } from '../evaluate/run.js';
import { byWhom } from '../evaluate/when.js';
import type { Measured } from '../run/job.js';
import { percent, withInterval } from '../run/numbers.js';
import { CHANGE_NOTE, directionOf, isNotDifference, measurementOf } from '../run/report/measurements.js';
import { table } from './output.js';

const NAMES: readonly (readonly [string, string, (x: number) => string])[] = [
  ['satisfied', 'satisfy the reward', percent],
  ['value', 'reward', (x) => x.toFixed(3)],
  ['findings', 'findings an answer', (x) => x.toFixed(2)],
  ['medianWords', 'words, median', String],
  ['distinct2', 'distinct-2', (x) => x.toFixed(2)],
  ['logprobPerToken', 'log p a token under the base', (x) => x.toFixed(2)],
  ['unfinished', 'cut off at --max-tokens', percent],
];

const shown = (measured: Measured | undefined, show: (x: number) => string): string => {
  if (measured === undefined) return '–';
  return typeof measured === 'number' ? show(measured) : withInterval(measured, show);
};

const WHEN = ['before', 'after'] as const;
/** Numbers of the reward. */
const RATED: readonly string[] = ['satisfied', 'value', 'findings'];

/** A column for the base and one for the adapter, a line for each measure. */
export function renderEvaluation({ rows, reward, before, after, change, failures, signs }: EvaluationSummary): string {
  const columns = [before, ...(after === undefined ? [] : [after])];
  const warned = WHEN.flatMap((when) => describeSigns(`the ${byWhom(when)} (!)`, signs[when] ?? []) ?? []);
  const mark = (name: string, i: number): string =>
    (RATED.includes(name) && signs[WHEN[i]!] !== undefined ? ' (!)' : '');
  const lines = NAMES.filter(([name]) => columns.some((column) => column[name] !== undefined))
    .map(([name, words, show]) => {
      const cells = columns.map((column, i) => shown(column[name], show) + mark(name, i));
      return [words, ...cells, directionOf(measurementOf(name)) ?? ''];
    });
  const gains = [['satisfied', percent], ['value', (x: number) => x.toFixed(3)]] as const;
  const gained = gains.flatMap(([name, show]) => {
    const gain = change?.[name];
    const where = name === 'value' ? ' in reward' : '';
    return gain === undefined ? [] : [`gain of the adapter${where}, prompt by prompt: ${withInterval(gain, show)}`];
  });
  const unrated = WHEN.flatMap((when) => {
    const reasons = Object.entries(failures[when] ?? {}).map(([reason, n]) => `${reason} ${n}`).join(', ');
    return reasons === '' ? [] : [`answers without a rating, ${byWhom(when)}: ${reasons}`];
  });
  return [
    `${rows} prompts, rated by ${reward}; in brackets: 95 % intervals`,
    ...warned.map((line) => `warning: ${line}`),
    '',
    table([['', 'base', ...(after === undefined ? [] : ['adapter']), ''], ...lines]),
    ...(gained.length === 0 ? [] : ['', ...gained]),
    ...(gains.some(([name]) => isNotDifference(before[name], after?.[name], change?.[name])) ? [CHANGE_NOTE] : []),
    ...(unrated.length === 0 ? [] : ['', ...unrated]),
  ].join('\n');
}
