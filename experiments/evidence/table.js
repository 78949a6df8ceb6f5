// @ts-check
// Writes the evidence of every method between the marks of docs/methods/README.md, as a table, and of the methods' own pages.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '../no-arguments.js';
import { PLAN } from './plan.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const [begin, end] = ['<!-- evidence -->', '<!-- /evidence -->'];
const number = (x) => (Math.abs(x) >= 10 ? x.toFixed(2) : Math.abs(x) >= 0.01 || x === 0 ? x.toFixed(3) : x.toFixed(4));
const interval = ({ mean, low, high }) => `${number(mean)} [${number(low)}, ${number(high)}]`;
const moved = ({ metric, before, after, change, shown }) => `${metric} ${number(before)} → ${number(after)}, ${interval(change)}${shown === false ? ' **not shown**' : ''}`;
const link = (name) => `../../experiments/evidence/${fileOf(name)}`;
const fileOf = (name) => `${name.replace('/', '-')}.json`;

const found = Object.fromEntries(Object.keys(PLAN).flatMap((name) => {
  const file = join(ROOT, 'experiments/evidence', fileOf(name));
  return existsSync(file) ? [[name, JSON.parse(readFileSync(file, 'utf8'))]] : [];
}));

const row = (name) => {
  if (found[name] === undefined) return `| ${name} | not run | | | |`;
  const { data, judged: [loss, ...own], heldOut, shown, note } = found[name];
  return `| [${name}](${link(name)})${note === undefined ? '' : ' (earlier)'} | ${data}, ${heldOut} | ${moved(loss)} | ${own.map(moved).join('; ')} | ${shown ? 'yes' : '**no**'} |`;
};
const line = (name) => {
  if (found[name] === undefined) return `* \`${name}\`: not run yet (\`npm run evidence -- ${name}\`).`;
  const { data, judged, heldOut, steps, answers, shown, note } = found[name];
  const beside = answers === undefined ? '' : ` Of true answers to held-out questions log p ${number(answers.logp_true.before)} → ${number(answers.logp_true.after)} (${interval(answers.logp_true.change)}), of false ones ${number(answers.logp_false.before)} → ${number(answers.logp_false.after)} (${interval(answers.logp_false.change)}).`;
  return `* [\`${name}\`](${link(name)}), ${steps} steps, ${heldOut} held-out rows of \`${data}\`: ${judged.map(moved).join('; ')}. ${shown ? 'Shown.' : '**Not shown.**'}${beside}${note === undefined ? '' : ` ${note}`}`;
};

/** Writes between the marks of a page. */
function write(page, text) {
  const file = join(ROOT, 'docs/methods', page);
  const old = readFileSync(file, 'utf8');
  const [from, to] = [old.indexOf(begin) + begin.length, old.indexOf(end)];
  if (to < from) throw new Error(`${file} has no marks ${begin} … ${end}.`);
  writeFileSync(file, `${old.slice(0, from)}\n${text}\n${old.slice(to)}`);
}

write('README.md', ['| recipe | data, rows held out | loss: before → after, change, 95 % | the method\'s own metric | shown |', '|---|---|---|---|---|', ...Object.keys(PLAN).map(row)].join('\n'));
const PAGES = { 'safe-sft': 'sft', 'self-align-sft': 'sft' };
const byPage = Object.keys(PLAN).reduce((map, name) => map.set(pageOf(name), [...(map.get(pageOf(name)) ?? []), name]), new Map());
for (const [page, names] of byPage) write(`${page}.md`, names.map(line).join('\n'));

function pageOf(name) {
  const [method] = name.split('/');
  return PAGES[method] ?? method;
}
