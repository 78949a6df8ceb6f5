// @ts-check
// Files of results, and the tables that the docs make of them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './heed.js';

/** The file of a result; a variant's name has a slash. @param {string} kind @param {string} name */
export const fileOf = (kind, name) => `experiments/${kind}/${name.replace('/', '-')}.json`;

/** A result that was written; undefined where there is none. @param {string} kind @param {string} name @returns {any} */
export function resultOf(kind, name) {
  const file = join(ROOT, fileOf(kind, name));
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** The seeds of an experiment that is repeated. */
export const SEEDS = [0, 1, 2];

/** The results of an experiment that is repeated, by seed. @param {string} kind @param {string} name @returns {any[]} */
export const resultsOf = (kind, name) => SEEDS.flatMap((seed) => resultOf(kind, `${name}/${seed}`) ?? []);

/**
 * Writes a result, with the machine and the version that it was made with.
 *
 * @param {string} kind @param {string} name @param {object} result
 */
export function writeResult(kind, name, result) {
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const heed = JSON.parse(readFileSync(join(ROOT, 'packages/heed/package.json'), 'utf8')).version;
  writeFileSync(join(ROOT, fileOf(kind, name)), `${JSON.stringify({ ...result, machine, heed }, null, 2)}\n`);
}

/**
 * Writes texts into a page, each between its marks <!-- name --> and <!-- /name -->.
 *
 * @param {string} page Under docs/.
 * @param {Record<string, string>} texts
 * @throws Error where the page has no such marks
 */
export function writePage(page, texts) {
  const file = join(ROOT, 'docs', page);
  let all = readFileSync(file, 'utf8');
  for (const [name, text] of Object.entries(texts)) {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [all.indexOf(begin), all.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${file} has no marks ${begin} … ${end}.`);
    all = `${all.slice(0, from + begin.length)}\n${text}\n${all.slice(to)}`;
  }
  writeFileSync(file, all);
}
