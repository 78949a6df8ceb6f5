// @ts-check
// node apps/studio/build.js [FOLDER]: bundles the page of `heed studio` into packages/heed/dist/studio/page, where the server finds it.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
export const PAGE = fileURLToPath(new URL('../../packages/heed/dist/studio/page/', import.meta.url));

/** Writes index.html, app.js, app.css and icon.svg. */
export async function buildPage(/** @type {string} */ folder = PAGE) {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: { app: path.join(HERE, 'src/main.tsx') },
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'linked',
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'icon.svg']) copyFileSync(path.join(HERE, file), path.join(folder, file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage(process.argv[2]);
