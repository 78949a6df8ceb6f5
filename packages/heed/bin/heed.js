#!/usr/bin/env node
// Starts the command line. In a checkout, where nothing is built at install, it first builds when a source is newer than the build.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = dirname(home);

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) time = Math.max(time, newest(path));
    else if (/\.(?:tsx?|css)$/.test(entry.name)) time = Math.max(time, statSync(path).mtimeMs);
  }
  return time;
}

function stale(folder) {
  const source = join(folder, 'src');
  const build = join(folder, 'dist', '.tsbuildinfo');
  return !existsSync(build) || !existsSync(join(folder, 'dist', 'index.js')) || statSync(build).mtimeMs < newest(source);
}

const parts = ['tensor', 'heed'].map((name) => join(packages, name));
// An installed package is built, and lacks what a build needs.
if (existsSync(join(home, 'tsconfig.json')) && parts.some(stale)) {
  process.stderr.write('heed: building (sources are newer than dist/) …\n');
  // The sources as they are now: what is edited while they are built is newer than the build.
  const sources = Math.ceil(Math.max(...parts.map((part) => newest(join(part, 'src')))));
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-b'], { cwd: dirname(packages), encoding: 'utf8' });
  // tsc leaves the old time where it found nothing to write, and every start would build again; and it writes a new one where it
  // found errors, and the next start would run what it made of them.
  const time = new Date(status === 0 ? sources : 0);
  for (const part of parts) {
    const build = join(part, 'dist', '.tsbuildinfo');
    if (existsSync(build)) utimesSync(build, time, time);
  }
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}heed: the build failed; \`npx tsc -b\` in ${dirname(packages)} shows the same.\n`);
    process.exit(1);
  }
}

// The page of the studio is bundled by itself.
const app = join(packages, '..', 'apps', 'studio');
const page = join(home, 'dist', 'studio', 'page', 'app.js');
const pageIsOld = () => !existsSync(page) || statSync(page).mtimeMs < newest(join(app, 'src'));
if (process.argv[2] === 'studio' && existsSync(join(app, 'build.js')) && pageIsOld()) {
  process.stderr.write('heed: building the page of the studio …\n');
  const { status } = spawnSync(process.execPath, [join(app, 'build.js')], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

// Who reads has enough, as `head` has: an end like any other.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const { main } = await import('../dist/cli/main.js');
process.exitCode = await main(process.argv.slice(2));
