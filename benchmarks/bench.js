// @ts-check
// `npm run bench [-- --peers]`: how fast Heed is on this machine, alone or beside its peers. See README.md here.
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '@heed/heed';
import { measure } from './child.js';
import { measureEndpoint } from './endpoint.js';
import { defaultGguf } from './gguf.js';
import { measureFidelity } from './int8.js';
import { availableMemory, describeMachine, peersPython } from './machine.js';
import { render } from './render.js';
import { measureResume } from './resume-labels.js';
import { requireSameMachine, writeResults } from './results-file.js';
import { requireSameWork } from './same-work.js';
import { measureStartup } from './startup.js';
import { summarize } from './summarize.js';
import { IN_BF16, entriesOf, sizesOf } from './work.js';

const USAGE = `usage: npm run bench -- [options]
  --peers          also measure PEFT, TRL and transformers (makes benchmarks/peers/.venv once), and print ratios
  --python PATH    their interpreter, instead of that environment; implies --peers
  --peers-isa ISA  the instructions that PyTorch's oneDNN may use, such as avx512_core_bf16 for a machine without AMX
  --trimmed-head   also measure PEFT with logits only where the loss reads them
  --trl-checkpointing  also measure TRL with gradient checkpointing, which is how it comes: less memory, more time
  --only GROUPS    of lora, dpo, d2o, d2o-k, generate-1, generate-16, label, generate-int8-1, generate-int8-16,
                   int8-fidelity, endpoint, resume-labels, startup; separated by commas. Where the CPU has no bfloat16, the peers in it
                   are apart, and only measured by name (an hour and more):
                   lora-bf16, dpo-bf16, generate-16-bf16, label-bf16
  --model M        a folder, with safetensors in f32; default: the default model
  --separate       never two measurements in memory at a time; chosen by itself where memory is short
  --quick          tiny work, once: only to see that everything runs
  -o, --output F   where to write the results; default: benchmarks/results/<date>.json, and nowhere with --quick.
                   With --only, what the file has of other groups stays
  --json           print the results as one line on stdout, the table on stderr
  -h, --help`;

/** What a group takes when everything in it is loaded, with and without the peers, in bytes. */
const TOGETHER = {
  lora: [8e9, 18e9],
  dpo: [5e9, 20e9],
  d2o: [3e9, 9e9],
  'd2o-k': [12e9, 12e9],
  'generate-1': [3e9, 6e9],
  'generate-16': [3e9, 7e9],
  label: [5e9, 12e9],
  'generate-int8-1': [3e9, 4e9],
  'generate-int8-16': [3e9, 4e9],
};
/** And what the two variants of --trimmed-head add to `lora`, those of --trl-checkpointing to `dpo`. */
const MORE = { lora: ['trimmed-head', 9e9], dpo: ['trl-checkpointing', 8e9] };
const BUSY = 0.5;

/** Groups that are not timed side by side: each gives { ours, ratios, checks }. */
const APART = { 'int8-fidelity': measureFidelity, endpoint: measureEndpoint, 'resume-labels': measureResume };
const GROUPS = [...Object.keys(TOGETHER), ...Object.keys(APART), 'startup'];
const KNOWN = [...GROUPS, ...IN_BF16];
/** Ratios that are not named by an entry of their group. */
const MORE_RATIOS = { label: ['label-reuse', 'label-int8-reuse'] };

function options() {
  const { values } = parseArgs({
    options: {
      peers: { type: 'boolean' },
      python: { type: 'string' },
      'peers-isa': { type: 'string' },
      'trimmed-head': { type: 'boolean' },
      'trl-checkpointing': { type: 'boolean' },
      only: { type: 'string' },
      model: { type: 'string' },
      separate: { type: 'boolean' },
      quick: { type: 'boolean' },
      output: { type: 'string', short: 'o' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const only = values.only?.split(',') ?? GROUPS;
  const unknown = only.find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: the groups are ${KNOWN.join(', ')}.`);
  const date = new Date().toISOString().slice(0, 10);
  const output = values.output ?? (values.quick ? undefined : fileURLToPath(new URL(`results/${date}.json`, import.meta.url)));
  return {
    ...values,
    only,
    partial: only.length < GROUPS.length,
    output,
    date,
    peers: values.peers === true || values.python !== undefined,
  };
}

async function main() {
  const given = options();
  const log = (line) => process.stderr.write(`${line}\n`);
  const warnings = [];
  const warn = (line) => {
    warnings.push(line);
    log(`warning: ${line}`);
  };
  const python = given.peers ? (given.python ?? peersPython(log)) : undefined;
  const checkpoint = await openCheckpoint(given.model, { log });
  const config = JSON.parse(readFileSync(`${checkpoint.folder}/config.json`, 'utf8'));
  /** @type {ReturnType<typeof describeMachine> & { date: string, peersIsa?: string }} */
  const machine = { date: given.date, ...describeMachine() };
  if (loadavg()[0] > BUSY)
    warn(`the load average is ${loadavg()[0].toFixed(2)}: something else is running, and the numbers will not repeat`);
  if (given['peers-isa'] !== undefined) {
    machine.peersIsa = given['peers-isa'];
    warn(`the peers were held to ${given['peers-isa']}, which is not what their users have on this machine`);
  }
  if (given.quick) warn('--quick: the work is tiny and done once; the numbers mean nothing');

  if (given.partial && given.output !== undefined) requireSameMachine(resolve(given.output), machine);
  const bf16 = machine.flags.some((flag) => flag.endsWith('_bf16'));
  if (given.peers && !bf16 && given.only.some((name) => IN_BF16.includes(name)))
    warn('this CPU has no bfloat16: PyTorch emulates it, slowly, so most of its work in bf16 is done once, by itself');
  const sizes = sizesOf(given.quick === true);
  const gguf =
    given.peers && given.only.some((name) => name.startsWith('generate-int8')) ? await defaultGguf(checkpoint, log, warn) : undefined;
  const groups = entriesOf(checkpoint.folder, {
    sizes,
    gguf,
    bf16,
    peers: given.peers,
    trimmedHead: given['trimmed-head'] === true,
    trlCheckpointing: given['trl-checkpointing'] === true,
  });
  const measured = {};
  for (const [name, entries] of Object.entries(groups)) {
    if (!given.only.includes(name) || entries.length === 0) continue;
    const [variants, more] = MORE[name] ?? [];
    // Those in bf16 run once each: nothing is gained by having them loaded together.
    const alone = given.separate || IN_BF16.includes(name);
    const together = !alone && availableMemory() > TOGETHER[name][given.peers ? 1 : 0] + (given.peers && given[variants] ? more : 0);
    if (given.peers && !together && !alone)
      warn(`${name}: not enough memory to have all sides loaded, so they run one after the other`);
    log(`${name}${together ? '' : ' (separately)'}`);
    Object.assign(
      measured,
      await measure(entries, {
        ...sizes,
        ...sizes.often?.[name],
        together,
        python,
        isa: given['peers-isa'],
        log,
        onFirst: requireSameWork,
      }),
    );
    // Those that ran one after the other have not met yet.
    requireSameWork(Object.fromEntries(entries.map((entry) => [entry.name, measured[entry.name].first])));
  }
  const startups = [];
  if (given.only.includes('startup')) {
    log('startup');
    // The first run is cold: files come from disk, not from the page cache.
    for (let i = 0; i < (given.quick ? 1 : 4); i++) startups.push(await measureStartup(checkpoint.folder));
  }

  const apart = [];
  for (const [name, measureApart] of Object.entries(APART)) {
    if (!given.only.includes(name)) continue;
    log(name);
    apart.push(await measureApart(checkpoint.folder, { quick: given.quick === true, log }));
  }

  const results = { ...summarize({ measured, startups, apart, machine, config, sizes, groups, warn }), warnings };
  const table = render(results);
  if (given.json) {
    log(table);
    console.log(JSON.stringify(results));
  } else console.log(table);
  if (given.output !== undefined) {
    // By all names that the groups may have: what is not measured now is not known any more.
    const all = entriesOf(checkpoint.folder, { sizes, bf16, peers: true, trimmedHead: true, trlCheckpointing: true, gguf: 'any' });
    const names = given.only.flatMap((group) => [...(all[group]?.map(({ name }) => name) ?? [group]), ...(MORE_RATIOS[group] ?? [])]);
    const file = resolve(given.output);
    writeResults(file, results, given.partial ? { groups: given.only, names } : undefined);
    log(`written: ${file}`);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
}
