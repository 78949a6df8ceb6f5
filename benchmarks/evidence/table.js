// Writes the evidence of every method into the table of docs/methods/README.md, between its two marks.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PLAN } from './plan.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = join(ROOT, 'docs/methods/README.md');
const [begin, end] = ['<!-- evidence -->', '<!-- /evidence -->'];
const number = (x) => (Math.abs(x) >= 10 ? x.toFixed(2) : Math.abs(x) >= 0.01 || x === 0 ? x.toFixed(3) : x.toFixed(4));
const moved = ({ metric, before, after, change, shown }) => `${metric} ${number(before)} → ${number(after)}, ${number(change.mean)} [${number(change.low)}, ${number(change.high)}]${shown === false ? ' **not shown**' : ''}`;

const rows = Object.keys(PLAN).map((name) => {
  const file = join(ROOT, 'benchmarks/evidence', `${name.replace('/', '-')}.json`);
  if (!existsSync(file)) return `| ${name} | not run | | | |`;
  const { data, judged: [loss, ...own], heldOut, shown } = JSON.parse(readFileSync(file, 'utf8'));
  return `| [${name}](../../benchmarks/evidence/${name.replace('/', '-')}.json) | ${data}, ${heldOut} | ${moved(loss)} | ${own.map(moved).join('; ')} | ${shown ? 'yes' : '**no**'} |`;
});
const table = ['| recipe | data, rows held out | loss: before → after, change, 95 % | the method\'s own metric | shown |', '|---|---|---|---|---|', ...rows].join('\n');
const text = readFileSync(page, 'utf8');
const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
if (to < from) throw new Error(`${page} has no marks ${begin} … ${end}.`);
writeFileSync(page, `${text.slice(0, from)}\n${table}\n${text.slice(to)}`);
