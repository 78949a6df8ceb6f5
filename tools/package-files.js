// @ts-check
// node tools/package-files.js: puts beside the built packages what their tarballs hold and the repository keeps at its root: README,
// licence, changelog, recipes, examples and docs. Git ignores the copies. Also removes from dist/ what has no source any more.
// `npm run build` runs it, and so does `npm pack` where npm runs scripts.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const PACKAGES = ['tensor', 'heed', 'ai-sdk'];

/** What of the root goes into which package. */
const COPIES = {
  tensor: ['LICENSE'],
  'ai-sdk': ['LICENSE'],
  heed: [
    'LICENSE', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'recipes', 'examples', 'docs',
    'workers/ray/requirements.txt', 'workers/ray/heed_worker',
  ],
};

/** Links to the package's own sources: they lie in another place in the package. */
const inPackage = (/** @type {string} */ text) => text.replaceAll(/(\]\((?:\.\.\/)*)packages\/heed\//g, '$1');

/** Files of a folder, at any depth. */
const filesIn = (/** @type {string} */ folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(path.join(folder, file)).isFile());

function copy(/** @type {string} */ from, /** @type {string} */ to) {
  rmSync(to, { recursive: true, force: true });
  const left = [path.join(ROOT, 'docs', 'api'), path.join(ROOT, 'workers', 'ray', 'heed_worker', '__pycache__')];
  cpSync(from, to, { recursive: true, filter: (file) => !left.some((one) => file.startsWith(one)) });
  const pages = statSync(to).isFile() ? [to] : filesIn(to).map((file) => path.join(to, file));
  for (const page of pages.filter((file) => file.endsWith('.md'))) writeFileSync(page, inPackage(readFileSync(page, 'utf8')));
}

/** Removes what tsc once made of sources that are gone: tsc leaves it, and npm would pack it. */
function prune(/** @type {string} */ folder) {
  const dist = path.join(folder, 'dist');
  mkdirSync(dist, { recursive: true });
  for (const file of filesIn(dist)) {
    const source = path.join(folder, 'src', file.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts'));
    // The page of the studio is made of apps/studio.
    if (file !== '.tsbuildinfo' && !file.startsWith(path.join('studio', 'page', '/')) && !existsSync(source)) rmSync(path.join(dist, file));
  }
}

export function packageFiles() {
  for (const name of PACKAGES) {
    const folder = path.join(ROOT, 'packages', name);
    for (const one of COPIES[name]) copy(path.join(ROOT, one), path.join(folder, one));
    prune(folder);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) packageFiles();
