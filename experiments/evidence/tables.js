// @ts-check
// The evidence of every method as a table of docs/methods/README.md, and as lines of the methods' own pages.
import { fileOf, resultOf, writePage } from '../shared/results.js';
import { PLAN } from './plan.js';

const MARK = 'evidence';
/** Recipes that are shown on another method's page. @type {Record<string, string>} */
const PAGES = { 'safe-sft': 'sft', 'self-align-sft': 'sft' };

/** @param {number} x */
function number(x) {
  if (Math.abs(x) >= 10) return x.toFixed(2);
  return Math.abs(x) >= 0.01 || x === 0 ? x.toFixed(3) : x.toFixed(4);
}
const interval = ({ mean, low, high }) => `${number(mean)} [${number(low)}, ${number(high)}]`;
const moved = ({ metric, before, after, change, shown }) =>
  `${metric} ${number(before)} → ${number(after)}, ${interval(change)}${shown === false ? ' **not shown**' : ''}`;
/** @param {string} name */
const link = (name) => `../../${fileOf('evidence', name)}`;

/** @param {string} name */
function row(name) {
  const result = resultOf('evidence', name);
  if (result === undefined) return `| ${name} | not run | | | |`;
  const {
    data,
    judged: [loss, ...own],
    heldOut,
    shown,
    note,
  } = result;
  const title = `[${name}](${link(name)})${note === undefined ? '' : ' (earlier)'}`;
  return `| ${title} | ${data}, ${heldOut} | ${moved(loss)} | ${own.map(moved).join('; ')} | ${shown ? 'yes' : '**no**'} |`;
}

/** @param {string} name */
function line(name) {
  const result = resultOf('evidence', name);
  if (result === undefined) return `* \`${name}\`: not run yet (\`npm run evidence -- ${name}\`).`;
  const { data, judged, heldOut, steps, answers, shown, note } = result;
  const answer = (of) => `${number(of.before)} → ${number(of.after)} (${interval(of.change)})`;
  const beside =
    answers === undefined
      ? ''
      : ` Of true answers to held-out questions log p ${answer(answers.logp_true)}, of false ones ${answer(answers.logp_false)}.`;
  const head = `* [\`${name}\`](${link(name)}), ${steps} steps, ${heldOut} held-out rows of \`${data}\``;
  return `${head}: ${judged.map(moved).join('; ')}. ${shown ? 'Shown.' : '**Not shown.**'}${beside}${note === undefined ? '' : ` ${note}`}`;
}

export function tables() {
  const head = [
    "| recipe | data, rows held out | loss: before → after, change, 95 % | the method's own metric | shown |",
    '|---|---|---|---|---|',
  ];
  writePage('methods/README.md', { [MARK]: [...head, ...Object.keys(PLAN).map(row)].join('\n') });
  /** @type {Map<string, string[]>} */
  const pages = new Map();
  for (const name of Object.keys(PLAN)) {
    const [method] = name.split('/');
    const page = PAGES[method] ?? method;
    pages.set(page, [...(pages.get(page) ?? []), name]);
  }
  for (const [page, of] of pages) writePage(`methods/${page}.md`, { [MARK]: of.map(line).join('\n') });
}
