// @ts-check
// Measurements in child processes that are told, one line at a time, to do their work once more.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const quiet = {
  HF_HUB_OFFLINE: '1',
  TRANSFORMERS_VERBOSITY: 'error',
  HF_HUB_DISABLE_PROGRESS_BARS: '1',
  TOKENIZERS_PARALLELISM: 'false',
  TQDM_DISABLE: '1',
  HF_DATASETS_DISABLE_PROGRESS_BARS: '1',
};

/** The command of one entry. The work goes in a file: ONNX Runtime crashes on a command line that holds that much. */
function commandOf({ side, spec, name }, python, folder) {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ threads: availableParallelism(), ...spec }));
  return side === 'ours' ? [process.execPath, [at('ours.js'), file]] : [python, [at(`peers/${spec.script ?? 'peer'}.py`), file]];
}

/** Starts an entry; resolves when it has loaded everything and waits to be told to run. */
async function start(entry, { python, isa }) {
  const folder = mkdtempSync(join(tmpdir(), 'heed-bench-'));
  const [command, args] = commandOf(entry, python, folder);
  const begin = performance.now();
  const env = {
    ...process.env,
    ...quiet,
    OMP_NUM_THREADS: String(availableParallelism()),
    ...(isa === undefined ? {} : { ONEDNN_MAX_CPU_ISA: isa.toUpperCase() }),
  };
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaints = (complaints + text).slice(-4000);
  });
  child.stdin.on('error', () => undefined); // a child that died is reported by `answer`, with what it said
  const failed = new Promise((_, reject) => {
    child.on('error', reject);
    child.on('close', () => rmSync(folder, { recursive: true, force: true }));
    child.on('close', (code, signal) => reject(new Error(`${entry.name} ended with ${signal ?? code}:\n${complaints}`)));
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), failed]);
      if (done) return failed;
      if (value.startsWith('{')) return JSON.parse(value); // anything else is a library's chatter
    }
  };
  const stop = () => child.kill();
  try {
    const ready = await answer();
    return {
      ready: { ...ready, seconds: (performance.now() - begin) / 1000 },
      stop,
      run: () => (child.stdin.write('run\n'), answer()),
      async end() {
        child.stdin.end();
        const last = await answer();
        await failed.catch(() => undefined);
        return last;
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/**
 * Measures entries together: all are loaded, then each repetition runs every one of them in turn, so that whatever else happens to the
 * machine happens to all. With `together: false` each is started, measured and ended on its own, which takes the memory of one only.
 * `onFirst` gets the very first runs, by entry name, as soon as all that are loaded have made theirs; what it throws ends the measurement.
 *
 * @returns by entry name: { ready, runs (without the warm-up), first (the very first run), peakRss }
 */
export async function measure(entries, options) {
  const { warmups, repetitions, together, log } = options;
  if (!together) {
    const results = {};
    for (const entry of entries) Object.assign(results, await measure([entry], { ...options, together: true }));
    return results;
  }
  const children = [];
  try {
    for (const entry of entries) {
      log(`  starting ${entry.name}`);
      children.push({ entry, child: await start(entry, options), first: undefined, runs: [] });
    }
    for (let i = 0; i < warmups + repetitions; i++) {
      log(`  ${i < warmups ? `warm-up ${i + 1} of ${warmups}` : `repetition ${i - warmups + 1} of ${repetitions}`}`);
      for (const c of children) {
        if (c.entry.spec.once && c.runs.length > 0) continue;
        const run = await c.child.run();
        c.first ??= run;
        if (i >= warmups || c.entry.spec.once) c.runs.push(run);
      }
      if (i === 0) options.onFirst?.(Object.fromEntries(children.map(({ entry, first }) => [entry.name, first])));
    }
    const results = {};
    for (const { entry, child, first, runs } of children)
      results[entry.name] = { ready: child.ready, first, runs, peakRss: (await child.end()).peakRss };
    return results;
  } finally {
    for (const { child } of children) child.stop();
  }
}
