// @ts-check
// node apps/studio/build.js [FOLDER]: bundles the page of `heed studio` into packages/heed/dist/studio/page, where the server finds it.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
export const PAGE = fileURLToPath(new URL('../../packages/heed/dist/studio/page/', import.meta.url));

/** The licences of what is bundled, as they ask to be passed on. */
function licences(/** @type {string[]} */ inputs) {
  const names = new Set(inputs.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));
  const textOf = (/** @type {string} */ name) => readFileSync(path.join(ROOT, 'node_modules', name, 'LICENSE'), 'utf8').trim();
  return [...names].sort().map((name) => `${name}\n\n${textOf(name)}\n`).join('\n\n');
}

/** Writes index.html, app.js, app.css, icon.svg and the licences of what is bundled. */
export async function buildPage(/** @type {string} */ folder = PAGE) {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: { app: path.join(HERE, 'src/main.tsx') },
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(path.join(folder, 'licences.txt'), licences(Object.keys(metafile.inputs)));
  for (const file of ['index.html', 'icon.svg']) copyFileSync(path.join(HERE, file), path.join(folder, file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage(process.argv[2]);
