// @ts-check
// npm run release -- [VERSION] [--dry-run]: builds, tries and publishes the packages as the last commit has them.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { PACKAGES } from './package-files.js';
import { nextVersion, releaseNotes, withVersion } from './release-version.js';

const USAGE = `usage: npm run release -- [VERSION] [--dry-run]
  VERSION    the version to release, such as 1.2.3; default: the next minor one
  --dry-run  do everything but commit, tag and publish
  -h, --help

The tests are not run here, but for those of the packed packages: \`bash .ci/run\` runs all.`;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VERSIONED = [...PACKAGES.map((name) => `packages/${name}/package.json`), 'package-lock.json'];

const say = (/** @type {string} */ line) => console.log(line);
const fail = (/** @type {string} */ why) => {
  console.error(`release: ${why}`);
  process.exit(1);
};

/** Runs a program that prints for the reader; stops the release where it fails. */
function must(/** @type {string} */ what, /** @type {string} */ command, /** @type {string[]} */ args, cwd = ROOT) {
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status !== 0) fail(`${what} failed: ${command} ${args.join(' ')}`);
}

/** What a program prints. */
function output(/** @type {string} */ command, /** @type {string[]} */ args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) fail(`${command} ${args.join(' ')}: ${stderr.trim()}`);
  return stdout.trim();
}

/** The last commit in a folder of its own, so that nothing of the working tree gets into the packages. */
function stage(/** @type {string} */ folder) {
  must('git archive', 'bash', ['-o', 'pipefail', '-c', `git archive HEAD | tar -x -C "${folder}"`]);
  const modules = path.join(folder, 'node_modules');
  mkdirSync(path.join(modules, '@heed'), { recursive: true });
  for (const name of readdirSync(path.join(ROOT, 'node_modules')).filter((one) => one !== '@heed')) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
  for (const name of PACKAGES) symlinkSync(`../../packages/${name}`, path.join(modules, '@heed', name));
}

const { values, positionals } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  allowPositionals: true,
});
if (values.help) {
  say(USAGE);
  process.exit(0);
}
const dry = values['dry-run'];
const read = (/** @type {string} */ file) => readFileSync(path.join(ROOT, file), 'utf8');

const changes = output('git', ['status', '--porcelain']);
if (changes !== '' && !dry) fail(`the checkout has changes that are not committed:\n${changes}`);
if (changes !== '') say(`These changes are not committed and no part of this; a release would stop here:\n${changes}\n`);

const now = JSON.parse(read('packages/heed/package.json')).version;
let next, notes, changelog;
try {
  next = nextVersion(now, positionals[0]);
  ({ notes, changelog } = releaseNotes(read('CHANGELOG.md'), { now, next }));
} catch (error) {
  fail(error.message);
}
const commit = output('git', ['rev-parse', '--short', 'HEAD']);
say(`Releasing ${next} (after ${now}) of commit ${commit}; CHANGELOG.md says ${notes.split('\n').length} lines about it.`);

const folder = mkdtempSync(path.join(tmpdir(), 'heed-release-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
stage(folder);
for (const file of VERSIONED) writeFileSync(path.join(folder, file), withVersion(read(file), { now, next }));
writeFileSync(path.join(folder, 'CHANGELOG.md'), changelog);

say('\n== build');
must('The build', 'npm', ['run', '--silent', 'build'], folder);
say('\n== the packed packages, in an empty project');
must('The test of the packed packages', 'npx', ['vitest', 'run', 'packages/heed/test/packed.long.test.ts'], folder);
say('\n== the API reference');
must('The API reference', 'npx', ['typedoc'], folder);
say('\n== npm pack');
const tarballs = path.join(ROOT, 'runs', 'release');
rmSync(tarballs, { recursive: true, force: true });
mkdirSync(tarballs, { recursive: true });
const { packAll } = await import(pathToFileURL(path.join(folder, 'tools', 'pack.js')).href);
const packed = packAll(tarballs);
for (const { name, version, size, unpackedSize, files } of packed) {
  say(`${name}@${version}: ${files.length} files, ${(size / 1e6).toFixed(2)} MB packed, ${(unpackedSize / 1e6).toFixed(2)} MB unpacked`);
  /** @type {Record<string, number>} */
  const places = {};
  for (const { path: file } of files) {
    const place = file.includes('/') ? `${file.split('/')[0]}/` : file;
    places[place] = (places[place] ?? 0) + 1;
  }
  say(`  ${Object.entries(places).map(([place, n]) => (place.endsWith('/') ? `${place} (${n})` : place)).join(', ')}`);
}

const steps = [
  ['git', 'commit', '-m', `Release ${next}`, ...VERSIONED, 'CHANGELOG.md'],
  ['git', 'tag', `v${next}`],
  ...packed.map(({ file }) => ['npm', 'publish', path.relative(ROOT, file), '--access', 'public']),
];
if (dry) {
  say(`\nNothing was published; the tarballs are in ${path.relative(ROOT, tarballs)}. A release would do:`);
  for (const step of steps) say(`  ${step.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ')}`);
} else {
  for (const file of [...VERSIONED, 'CHANGELOG.md']) cpSync(path.join(folder, file), path.join(ROOT, file));
  for (const [command, ...args] of steps) must(args[0], command, args);
  say(`\n${next} is published. Push it: git push --follow-tags`);
}
