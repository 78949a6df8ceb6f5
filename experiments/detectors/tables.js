// @ts-check
// The results of trained detectors as a table of docs/survey-rewards.md.
import { number, table } from '../claims/cells.js';
import { resultOf, writePage } from '../shared/results.js';
import { SETS } from './sets.js';

const HEAD = ['what', 'data', 'rows learnt from', 'held out', 'detector', 'words', 'detector − words', 'length', 'minutes'];
const area = (/** @type {number} */ value) => value.toFixed(3).replace(/^0/, '');

/** Which side of 0 the interval of each difference lies on, in a sentence. */
function verdict(results) {
  const naming = (/** @type {(change: { low: number, high: number }) => boolean} */ is) =>
    results.filter(({ change }) => is(change)).map(({ about }) => about.split(',')[0]).join(', ');
  const [better, worse, alike] = [
    naming(({ low }) => low > 0), naming(({ high }) => high < 0), naming(({ low, high }) => low <= 0 && high >= 0),
  ];
  const open = 'there the detector has not shown that it reads more than words';
  return [
    ...(better === '' ? [] : [`The detector does better than words on: ${better}.`]),
    ...(worse === '' ? [] : [`**Words alone do better on: ${worse}.**`]),
    ...(alike === '' ? [] : [`The interval of the difference holds 0 on: ${alike}; ${open}.`]),
  ].join(' ');
}

export function tables() {
  const results = Object.keys(SETS).map((name) => resultOf('detectors', name)).filter((result) => result !== undefined);
  const rows = results.map(({ about, source, trained, heldOut, positive, detector, words, change, length, seconds }) => [
    `\`detector\`, ${about}`, source, `${trained}`, `${heldOut} (${positive} are)`,
    area(detector.mean), area(words.mean), number(change, 3), area(length), (seconds / 60).toFixed(0),
  ]);
  writePage('survey-rewards.md', { trained: rows.length === 0 ? 'Not run yet.' : [table(HEAD, rows), '', verdict(results)].join('\n') });
}
