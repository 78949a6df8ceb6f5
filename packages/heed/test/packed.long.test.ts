import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tinyTalker } from './loop/talkative.js';
import { ROOT, deadLinks, installPacked } from './support/installed.js';
import { scratchFolder } from './support/scratch.js';

// The packages as npm packs them, in an empty project: what somebody has who installed them and has no checkout. The default model is a
// tiny random one.
const { folder } = scratchFolder();
const cache = join(folder, 'cache');
const programs = readdirSync(join(ROOT, 'examples/programs')).map((name) => name.replace(/\.ts$/, ''));
let project: ReturnType<typeof installPacked>;

beforeAll(async () => {
  const home = join(cache, 'models', 'smollm2-135m-instruct');
  cpSync(await tinyTalker(folder, { context: 2048 }), home, { recursive: true });
  const files = Object.fromEntries(readdirSync(home).map((name) => [name, statSync(join(home, name)).size]));
  writeFileSync(join(home, 'source.json'), JSON.stringify({ format: 1, id: 'smollm2-135m-instruct', source: 'a test', files }));
  // What tsc once made of a source that is gone.
  const leftover = join(ROOT, 'packages/heed/dist/gone.js');
  writeFileSync(leftover, 'export {};\n');
  project = installPacked(join(folder, 'project'), ['typescript', '@types/node', 'zod', 'ai']);
  expect(existsSync(leftover)).toBe(false);
});

const run = (command: string, ...args: string[]) => project.run(command, args, { HEED_CACHE: cache });
const node = (...args: string[]) => run(process.execPath, ...args);
const heed = (...args: string[]) => node('node_modules/@heed/heed/bin/heed.js', ...args);
const put = (name: string, text: string): void => writeFileSync(join(project.folder, name), text);

/** The program of the README. */
const example = (): string => /## As a library[\s\S]*?```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))![1]!;

describe('the packed packages', () => {
  it('hold what a user needs, and nothing that a build left', () => {
    const [tensor, own, aiSdk] = project.packed.map(({ files }) => files.map(({ path }) => path));
    expect(own).toEqual(expect.arrayContaining([
      'README.md', 'LICENSE', 'CHANGELOG.md', 'bin/heed.js', 'dist/index.js', 'dist/index.d.ts', 'docs/recipes.md',
      'dist/studio/page/app.js', 'dist/studio/page/licences.txt', 'recipes/cut.yaml',
      'examples/judged.jsonl', 'examples/house-style/house-style.rules.yaml', 'workers/ray/requirements.txt',
      'workers/ray/heed_worker/__main__.py',
    ]));
    expect(tensor).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/runtime/worker.js']));
    expect(aiSdk).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']));
    const all = [...tensor!, ...own!, ...aiSdk!];
    expect(all.filter((path) => /tsbuildinfo|\.test\.|(^|\/)(test|node_modules|runs)\/|^docs\/api\/|\.tgz$|\.log$/.test(path))).toEqual([]);
    const known = /^((dist|src|bin|recipes|examples|docs)\/|workers\/ray\/(requirements\.txt|heed_worker\/[^/]+\.py)$|[^/]+$)/;
    expect(all.filter((path) => !known.test(path))).toEqual([]);
    // Each file of dist/ has its source, but for the studio's page, which is bundled from apps/studio.
    for (const files of [tensor!, own!, aiSdk!]) {
      const made = files.filter((path) => path.startsWith('dist/') && !path.startsWith('dist/studio/page/'));
      const sources = new Set(files.filter((path) => path.startsWith('src/')));
      expect(made.filter((path) => !sources.has(path.replace('dist/', 'src/').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')))).toEqual([]);
    }
    expect(deadLinks(join(project.folder, 'node_modules/@heed/heed/README.md'))).toEqual([]);
  });

  it('have one version, and heed says it', () => {
    const [, own] = project.packed;
    expect(new Set(project.packed.map(({ version }) => version))).toEqual(new Set([own!.version]));
    expect(heed('--version').stdout).toBe(`${own!.version}\n`);
  });

  it('run the program of the README as an ES module', () => {
    put('readme.mjs', example());
    const ran = node('readme.mjs');
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toMatch(/^2 \S+heed-adapter-\S+\n$/);
  });

  it('run it in CommonJS, by require', () => {
    const body = example().replace(/^import (\{[^}]*\}) from ('[^']+');/gm, 'const $1 = require($2);');
    put('readme.cjs', `(async () => {\n${body}\n})();\n`);
    const ran = node('readme.cjs');
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/^2 \S+heed-adapter-\S+\n$/);
    const parts = ['method', 'label', 'feedback', 'serve', 'tensor'];
    put('parts.cjs', parts.map((part) => `console.log(typeof require('@heed/heed/${part}'));`).join('\n'));
    expect(node('parts.cjs').stdout).toBe('object\n'.repeat(parts.length));
    put('names.cjs', "console.log(require('@heed/heed/method').kto.name, typeof require('@heed/heed/serve').startServer);");
    expect(node('names.cjs').stdout).toBe('kto function\n');
  });

  it('compile with the examples and the README under tsc --strict, as ES modules and as CommonJS, and the examples run', () => {
    mkdirSync(join(project.folder, 'esm'));
    cpSync(join(project.folder, 'node_modules/@heed/heed/examples/programs'), join(project.folder, 'esm'), { recursive: true });
    put('esm/package.json', '{"type":"module"}');
    put('esm/readme.ts', example());
    mkdirSync(join(project.folder, 'cjs'));
    put('cjs/package.json', '{"type":"commonjs"}');
    put('cjs/program.ts', [
      "import { bind, cut } from '@heed/heed';", "import { kto } from '@heed/heed/method';",
      'console.log(bind(cut).name, bind(kto, { beta: 0.1 }).name);', '',
    ].join('\n'));
    put('cjs/wrong.ts', "import { bind, kto } from '@heed/heed';\nbind(kto, { nonsense: 1 });\n");
    const options = { module: 'nodenext', target: 'es2023', lib: ['es2023'], strict: true, types: ['node'], outDir: 'out', rootDir: '.' };
    put('tsconfig.json', JSON.stringify({ compilerOptions: { ...options, skipLibCheck: false }, include: ['esm', 'cjs'] }));
    const { stdout } = node('node_modules/typescript/bin/tsc', '-p', '.');
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/^cjs\/wrong\.ts\(2,13\): error TS2353: .*'nonsense' does not exist/)]);
    put('out/package.json', '{"type":"module"}');
    put('out/cjs/package.json', '{"type":"commonjs"}');
    expect(node('out/cjs/program.js').stdout).toBe('cut kto\n');
    for (const name of programs) {
      const ran = node(`out/esm/${name}.js`);
      expect(ran.status, `${name}: ${ran.stderr}`).toBe(0);
      expect(ran.stdout, name).toMatch(SAYS[name]!);
    }
  }, 300_000);

  it('compile with the programs of docs/ai-sdk.md, which find what @heed/ai-sdk brings', () => {
    mkdirSync(join(project.folder, 'app'));
    const page = readFileSync(join(ROOT, 'docs/ai-sdk.md'), 'utf8');
    for (const [, name, text] of page.matchAll(/^```ts\n\/\/ (\S+)\n([^]*?)^```/gm)) put(`app/${name}`, text!);
    put('app/package.json', '{"type":"module"}');
    // The AI SDK's own types name those of a browser.
    const options = { module: 'nodenext', target: 'es2023', lib: ['es2023', 'dom'], strict: true, types: ['node'], skipLibCheck: false };
    put('app/tsconfig.json', JSON.stringify({ compilerOptions: options }));
    expect(node('node_modules/typescript/bin/tsc', '-p', 'app').stdout).toBe('');
    put('app/vote.js', "import { thumb } from './support.js'; await thumb('x', true).catch(({ message }) => console.log(message));");
    expect(node('app/vote.js').stdout).toBe('No answer is kept with the inference_id "x".\n');
  }, 300_000);

  it('find their recipes and examples; the quickstart writes its run where it is started', () => {
    const lost = heed('train', 'recipes/cut.yaml', '--dry-run');
    expect(lost.status).toBe(2);
    const [, copy] = /Copy the recipes and their data here: (cp -r .*)/.exec(lost.stderr)!;
    const quick = heed('quickstart', 'data.limit=4', 'evaluate.limit=4', 'loop.iterations=1', 'generate.maxNewTokens=8',
      'evaluate.maxNewTokens=8', 'train.steps=1', 'model=SmolLM2-135M-Instruct');
    expect(existsSync(join(project.folder, 'runs/quickstart/report.html')), quick.stderr).toBe(true);
    expect(quick.stdout).toContain('report:  runs/quickstart/report.html');
    expect(run('bash', '-ec', copy!).status).toBe(0);
    const found = heed('train', 'recipes/cut.yaml', '--dry-run');
    expect(found.status, found.stderr).toBe(0);
  });
});

/** What each program of examples/programs prints. */
const SAYS: Readonly<Record<string, RegExp>> = {
  train: /^loss -?\d+\.\d{4} after 2 steps; adapter in /,
  label: /^P\(A\) = 0\.\d{3}, from logprobs/,
  method: /weight: 1[\s\S]*loss \d+\.\d{4}\n$/,
  serve: /^200 \{[\s\S]*object: 'chat\.completion'/,
  tensor: /^f Float32Array\(1\) \[ 36 \] slope Float32Array\(3\) \[ 3, 12, 27 \]\n$/,
};
