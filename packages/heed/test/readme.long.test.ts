import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startEngine } from '@heed/tensor';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import type { Output } from '../src/cli/output.js';
import { VERBS } from '../src/cli/verbs.js';
import { FeedbackBody, readFeedback } from '../src/feedback/feedback.js';
import { openFeedback } from '../src/feedback/store.js';
import { BenchmarkRecipe } from '../src/evaluate/benchmark-recipe.js';
import { loadLabelRecipe } from '../src/label/recipe.js';
import { loadAlignRecipe } from '../src/loop/align-recipe.js';
import { loadTrainRecipe } from '../src/loop/train-recipe.js';
import { ControlRecipe } from '../src/loop/control/recipe.js';
import { loadModel } from '../src/model/load.js';
import { loadRecipe } from '../src/run/recipe.js';
import { startServer } from '../src/serve/server.js';
import { openVoices } from '../src/serve/voices.js';
import { heed } from './cli/support.js';
import { SAMPLES } from './exchange/samples.js';
import { tinyTalker } from './loop/talkative.js';
import { scratchFolder } from './support/scratch.js';

// The commands in the documentation are run as they are written, page by page and in order, but for those of ONLY_PARSED and
// IN_TWO_ROUNDS. A tiny random model stands in the cache under the default model's name, and the examples are cut to a few rows.
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ROWS = 6;
const under = (dir: string): string[] =>
  readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${dir}/${name}`);
const pages = [
  'README.md', 'CONTRIBUTING.md', 'examples/README.md', 'experiments/README.md', 'benchmarks/README.md', ...under('docs'),
];
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** Commands that are parsed and not run, by how they begin, and why. The recipes that they name are loaded and checked. */
const ONLY_PARSED: readonly (readonly [start: string, why: string])[] = [
  ['quickstart', 'answers 80 prompts three times and 120 twice'],
  ['serve', 'goes on until it is stopped'],
  ['studio', 'the same'],
  ['cluster', 'installs Ray'],
  ['train recipes/cut.yaml cluster=', 'needs Ray'],
  ['engine install cuda', 'fetches 770 MB'],
  ['doctor gpu', 'fails where there is no GPU'],
  ['train recipes/cut.yaml device=cuda', 'needs a GPU'],
  ['control recipes/controller.yaml', 'answers thousands of prompts; recipes.long.test.ts runs it with few'],
  ['align recipes/cut-online-judge.yaml', 'its judge is an adapter to be taught first; recipes.long.test.ts runs it with a server'],
  ['align recipes/constitutional.yaml', 'its judge has to write critiques; recipes.long.test.ts runs it with a server'],
  ['label recipes/label-principles.yaml data=examples/house-style/train.jsonl', 'its answers come from that run'],
  ['train recipes/principle-reward-model.yaml data=runs/constitutional-labels', 'its rows come from those labels'],
  ['align recipes/salmon.yaml adapter={ from: runs/constitutional-sft }', 'it goes on from that run'],
  ['align recipes/adversarial.yaml', 'twenty rounds, in each of which two adapters learn; recipes.long.test.ts runs one'],
  ['align recipes/against-classifier.yaml', 'twenty rounds; recipes.long.test.ts runs one'],
  ['label recipes/label-judgments.yaml judge={ local: { adapter: runs/judge-judgments/adapter } }', 'the same judge'],
];

/** Programs beside `heed` whose command lines are parsed and not run: they get `--help` as well. */
const ONLY_PARSED_PROGRAMS: readonly (readonly [start: string, why: string])[] = [
  ['node experiments/', 'needs the research data, and hours'],
  ['node benchmarks/', 'measures for minutes'],
];

/** Lines that are left alone, by how they begin, and why. Any other program fails the test. */
const LEFT_ALONE: readonly (readonly [start: string, why: string])[] = [
  ['vllm serve', 'vLLM is no part of this project'],
  ['bash .ci/run', 'runs all tests, this one among them; that the file is there is checked'],
];

/** Commands of up to forty rounds, by how they begin. Two are run: the third does again what the second did. */
const IN_TWO_ROUNDS: readonly string[] = ['align recipes/rloo.yaml', 'align recipes/constrained.yaml', 'align recipes/inferred.yaml'];

/** What the pages call files of the reader's own, and what lies there. */
const YOURS: Readonly<Record<string, string | ((folder: string) => void)>> = {
  'prompts.jsonl': 'examples/house-style/heldout.jsonl',
  'judged.jsonl': 'examples/judged.jsonl',
  'style.rules.yaml': 'examples/house-style/house-style.rules.yaml',
  'feedback.jsonl': (file) => writeFileSync(file, [
    { question: 'What is 2 + 2?', answer: '5.', comment: 'It says "5".' }, { question: 'What is 3 + 3?', answer: '6.', comment: null },
  ].map((row) => `${JSON.stringify(row)}\n`).join('')),
  'toxicity.jsonl': 'examples/judge-toxicity.jsonl',
  'feedback.db': (file) => cpSync(keptChats, file),
  'argilla.json': (file) => writeFileSync(file, JSON.stringify(SAMPLES.argilla)),
  'feedback-history-export.json': (file) => writeFileSync(file, JSON.stringify(SAMPLES['open-webui'])),
  'rewards.ts': (file) => writeFileSync(file, /```ts\n([\s\S]*?)```/.exec(read('docs/rewards.md'))![1]!),
};

/** What the judge of docs/walk.md writes. */
const JUDGED = 'runs/walk/labels/rows.jsonl';

const { folder } = scratchFolder();
const [cwd, cache] = [process.cwd(), process.env['HEED_CACHE']];
const cut = join(folder, 'cut');
const keptChats = join(folder, 'feedback.db');

/** Chats as a server kept them, with what was said of them. */
async function keepChats(): Promise<void> {
  const store = await openFeedback(keptChats);
  const about = { choice: 0, model: 'cut', finish: 'stop', tags: {} };
  for (const [id, value] of ['a', 'b', 'c', 'd', 'e'].map((id) => [id, false] as const)) {
    await store.keep([{ ...about, id, prompt: [{ role: 'user', content: `What is ${id}?` }], completion: `It says ${id}.` }]);
    for (const [metric, said] of [['comment', `It says "${id}".`], ['helpful', value]] as const)
      await store.add(readFeedback(FeedbackBody.parse({ inference_id: id, metric_name: metric, value: said })));
  }
  store.close();
}

beforeAll(keepChats);
beforeAll(async () => {
  const home = join(folder, 'cache', 'models', 'smollm2-135m-instruct');
  cpSync(await tinyTalker(folder, { context: 2048 }), home, { recursive: true });
  const files = Object.fromEntries(readdirSync(home).map((name) => [name, statSync(join(home, name)).size]));
  writeFileSync(join(home, 'source.json'), JSON.stringify({ format: 1, id: 'smollm2-135m-instruct', source: 'a test', files }));
  process.env['HEED_CACHE'] = join(folder, 'cache');
  process.chdir(checkout(''));
  const ran = await heed(['train', 'recipes/cut.yaml', 'train.steps=1', `run.dir=${cut}`]);
  expect(ran.code, ran.err).toBe(0);
});
afterAll(() => {
  process.chdir(cwd);
  if (cache === undefined) delete process.env['HEED_CACHE'];
  else process.env['HEED_CACHE'] = cache;
});

/** Like a checkout: recipes, a few rows of each example, the reader's own files, and the run of `recipes/cut.yaml` if a page needs it. */
function checkout(page: string): string {
  const here = mkdtempSync(join(folder, 'page-'));
  for (const name of ['node_modules', 'recipes', 'packages', 'experiments', 'benchmarks']) symlinkSync(join(ROOT, name), join(here, name));
  cpSync(join(ROOT, 'examples'), join(here, 'examples'), { recursive: true });
  for (const name of readdirSync(join(here, 'examples'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.jsonl'))) {
    const file = join(here, 'examples', name);
    writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, ROWS).join('\n') + '\n');
  }
  for (const [name, from] of Object.entries(YOURS)) {
    if (typeof from === 'string') cpSync(join(here, from), join(here, name));
    else from(join(here, name));
  }
  mkdirSync(join(here, 'runs', 'walk'), { recursive: true });
  if (page === 'docs/serve.md') cpSync(cut, join(here, 'runs', 'rloo'), { recursive: true });
  const makesIt = page === '' || commandsOf(page).includes('npx heed train recipes/cut.yaml');
  if (!makesIt) cpSync(cut, join(here, 'runs', 'cut'), { recursive: true });
  return here;
}

const ASSIGNED = String.raw`(?:[A-Z_]+=(?:\$\([^)]*\)|\S)+ )*`;
const COMMAND = new RegExp(`^${ASSIGNED}(?:npx heed|npm|npx|node|bash|sh|cat|curl|pip|git|cd) `);
const NPM = new RegExp(`^${ASSIGNED}npm (?:run )?([\\w:-]+)`);
const HEED = new RegExp(`^${ASSIGNED}npx heed (.*)$`);

/** The lines of a page's blocks of commands, without comments: of blocks of `sh`, and of plain blocks that have a command anywhere. */
function commandsOf(page: string): string[] {
  const blocks = [...read(page).matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language, text]) => ({
    language, lines: text!.trim().split('\n'),
  }));
  const lines = blocks
    .filter(({ language, lines }) => language === 'sh' || (language === '' && lines.some((line) => COMMAND.test(`${line} `))))
    .flatMap(({ lines }) => lines);
  return lines.map((line) => line.replace(/(^|\s+)# .*$/, '')).filter((line) => line !== '').flatMap((line) => line.split(' && '));
}

/** The words of a command as a shell would make them, of quotes and spaces alone. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)]
    .map(([word]) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single, double) => String(single ?? double)));

/** Parses a command by the real program without running it; returns the verb and its arguments. */
async function parsed(argv: readonly string[]): Promise<{ readonly verb: string; readonly given: readonly unknown[] }> {
  const program = new Command('heed');
  for (const register of VERBS) register(program, {} as Output);
  const calls: { verb: string; given: readonly unknown[] }[] = [];
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined }).option('--json');
    command.action((...given: unknown[]) => void calls.push({ verb: command.name(), given }));
  }
  await program.exitOverride().configureOutput({ writeErr: () => undefined }).parseAsync([...argv], { from: 'user' });
  return calls[0]!;
}

type Load = (file: string, overrides: readonly string[]) => Promise<unknown>;
const bySchema = (schema: ZodType): Load => (file, overrides) => loadRecipe(file, overrides, schema);
const LOADS: Readonly<Record<string, Load>> = {
  train: loadTrainRecipe, align: loadAlignRecipe, label: loadLabelRecipe,
  control: bySchema(ControlRecipe), evaluate: bySchema(BenchmarkRecipe),
};

/** Checks a command that is not run: its options, and its recipe with the overrides laid over it. */
async function check(argv: readonly string[]): Promise<void> {
  const { verb, given } = await parsed(argv);
  const [file, overrides] = given as [string | undefined, string[]];
  if (file !== undefined) await LOADS[verb]?.(file, overrides);
}

const run = async (line: string): Promise<string> => (await promisify(execFile)('bash', ['-o', 'pipefail', '-ec', line])).stdout;

/** Sends a request of a page to a server of the tiny model that takes adapters from `runs`, as the page has one started. */
async function send(line: string): Promise<void> {
  const model = await loadModel();
  const engine = await startEngine({ threads: 1 });
  try {
    const voices = await openVoices(engine, model, { name: 'tiny', adapters: {}, batch: 4 });
    const server = await startServer(voices, { port: 0, adapters: 'runs', log: () => undefined });
    try {
      const there = line.replace('http://127.0.0.1:8321', server.url).replace('curl ', 'curl --silent --show-error --fail ');
      expect(await run(there), line).toMatch(/^Success/);
    } finally {
      await server.stop();
    }
  } finally {
    await engine.close();
  }
}

async function follow(line: string): Promise<void> {
  const scripts = (JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> }).scripts;
  const program = line.replace(new RegExp(`^${ASSIGNED}`), '');
  const starts = ([start]: readonly [string, string]): boolean => program.startsWith(start);
  const [, npm] = NPM.exec(line) ?? [];
  const [, argv] = HEED.exec(line) ?? [];
  if (npm !== undefined) expect(['ci', 'install', ...Object.keys(scripts)], line).toContain(npm);
  else if (argv === undefined) {
    const [, file] = /^(?:node|bash) (\S+)/.exec(line) ?? [];
    if (file !== undefined) expect(existsSync(join(ROOT, file)), line).toBe(true);
    if (ONLY_PARSED_PROGRAMS.some(starts)) await run(`${program} --help`);
    else if (line.startsWith('curl ')) await send(line);
    else if (/^(?:cat|node examples\/)/.test(line)) await run(line);
    else if (!LEFT_ALONE.some(starts)) throw new Error(`This test does not know how to follow this line: ${line}`);
  } else if (ONLY_PARSED.some(([start]) => wordsOf(argv).join(' ').startsWith(start))) {
    await check(wordsOf(argv));
  } else {
    const shortened = IN_TWO_ROUNDS.some((start) => argv.startsWith(start)) ? ['loop.iterations=2'] : [];
    const ran = await heed([...wordsOf(argv), ...shortened], { input: argv.startsWith('chat') ? 'Hello\n' : undefined });
    expect(ran.code, `${line}\n${ran.err}`).toBe(0);
    // A random judge writes nothing that counts as a judgment; the next command needs rows.
    if (existsSync(JUDGED) && statSync(JUDGED).size === 0) cpSync('examples/judged.jsonl', JUDGED);
  }
}

describe('the commands of the documentation', () => {
  const withCommands = pages.filter((page) => commandsOf(page).length > 0);

  it('are found', () => {
    const some = ['README.md', ...['walk', 'labels', 'rewards', 'judges', 'serve'].map((name) => `docs/${name}.md`)];
    expect(withCommands).toEqual(expect.arrayContaining(some));
    const all = withCommands.flatMap(commandsOf);
    for (const register of VERBS) {
      const program = new Command();
      register(program, {} as Output);
      expect(all.some((line) => line.includes(`npx heed ${program.commands[0]!.name()}`)), program.commands[0]!.name()).toBe(true);
    }
    for (const start of [...ONLY_PARSED.map(([start]) => start), ...IN_TWO_ROUNDS]) {
      expect(all.some((line) => wordsOf(line).join(' ').includes(`npx heed ${start}`)), start).toBe(true);
    }
    for (const [start] of [...ONLY_PARSED_PROGRAMS, ...LEFT_ALONE]) {
      expect(all.some((line) => line.replace(new RegExp(`^${ASSIGNED}`), '').startsWith(start)), start).toBe(true);
    }
    expect(all.some((line) => line.startsWith('HEED_SERVE_TOKEN=$('))).toBe(true);
  });

  it.each(withCommands)('work: %s', async (page) => {
    process.chdir(checkout(page));
    for (const line of commandsOf(page)) await follow(line);
  }, 300_000);

  it('would not pass with a wrong option, a wrong key or a recipe that does not exist', async () => {
    process.chdir(checkout(''));
    await expect(check(['serve', '--adaptor', 'A'])).rejects.toThrow(/unknown option '--adaptor'/);
    await expect(check(['export', '--adapter', 'A', '--to', 'onnx', '-o', 'B'])).rejects.toThrow(/Allowed choices/);
    await expect(check(['align', 'recipes/cut-online.yaml', 'loop.rounds=2'])).rejects.toThrow(/loop\.rounds/);
    await expect(check(['align', 'recipes/cut-on-line.yaml'])).rejects.toThrow(/cut-on-line/);
    await expect(follow('npm run bensh')).rejects.toThrow(/bensh/);
    await expect(follow('wget http://127.0.0.1:8321/v1/models')).rejects.toThrow(/does not know how to follow this line: wget/);
    await expect(follow('node benchmarks/memory.js --onyl cut')).rejects.toThrow(/--onyl/);
    await expect(follow('HEED_SERVE_TOKEN=$(openssl rand -hex 24) npx heed serve --hots 0.0.0.0')).rejects.toThrow(/--hots/);
    await expect(follow('npx heed train recipes/cut.yaml train.step=1')).rejects.toThrow(/train\.steps/);
  });
});

describe('the links of the documentation', () => {
  const sources = ['packages', 'apps', 'experiments', 'benchmarks', 'tools', 'examples'].flatMap((dir) =>
    readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|js)$/.test(name) && !/node_modules|dist\//.test(name))
      .map((name) => `/${dir}/${name}`));

  it.each(pages)('and the names of source files are those of files that exist: %s', (page) => {
    for (const [, name] of read(page).matchAll(/`([\w/-]+(?:\.test)?(?:\.real)?\.(?:ts|js))`/g)) {
      expect(sources.some((file) => file.endsWith(`/${name!.replace(/^\.\//, '')}`)), name).toBe(true);
    }
  });

  it.each(['CHANGELOG.md', ...pages])('lead to files that exist: %s', (page) => {
    for (const [, target] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      expect(existsSync(join(ROOT, dirname(page), target!)), target).toBe(true);
    }
  });
});
