// Writes the evidence of every method into the table of docs/methods/README.md, between its two marks.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PLAN } from './plan.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = join(ROOT, 'docs/methods/README.md');
const [begin, end] = ['<!-- evidence -->', '<!-- /evidence -->'];
const number = (x) => (Math.abs(x) >= 10 ? x.toFixed(2) : x.toFixed(4));

const rows = Object.keys(PLAN).map((name) => {
  const file = join(ROOT, 'benchmarks/evidence', `${name.replace('/', '-')}.json`);
  if (!existsSync(file)) return `| ${name} | not run | | | | |`;
  const { data, metric, before, after, change, heldOut, shown } = JSON.parse(readFileSync(file, 'utf8'));
  return `| [${name}](../../benchmarks/evidence/${name.replace('/', '-')}.json) | ${data} | ${metric}, ${heldOut} rows | ${number(before)} → ${number(after)} | ${number(change.mean)} [${number(change.low)}, ${number(change.high)}] | ${shown ? 'yes' : '**no**'} |`;
});
const table = ['| recipe | data | metric, held out | before → after | change, 95 % | shown |', '|---|---|---|---|---|---|', ...rows].join('\n');
const text = readFileSync(page, 'utf8');
const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
if (to < from) throw new Error(`${page} has no marks ${begin} … ${end}.`);
writeFileSync(page, `${text.slice(0, from)}\n${table}\n${text.slice(to)}`);
