/** What `heed export` writes, form by form. */
import fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { adapterFolder } from '../model/adapter-folder.js';
import { findKnown } from '../model/checkpoint/known.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import { exportGguf, exportGgufLora, type GgufType } from '../model/export-gguf.js';
import { exportMerged } from '../model/export.js';
import { mergedTensors } from '../model/merge-host.js';
import { type Adapter, saveAdapter } from '../model/peft.js';
import { atomicWrite } from '../run/files.js';
import { modelCard } from '../run/model-card.js';
import { createProgress } from '../run/progress.js';

export type ExportForm = 'peft' | 'safetensors' | 'hf' | 'gguf-lora' | 'gguf' | 'ollama';

/** What the command line says beside the form. */
export interface ExportOptions {
  readonly output: string;
  readonly base?: string;
  readonly merged?: boolean;
  readonly type?: GgufType;
}

interface Job extends ExportOptions {
  /** The adapter's folder, as it was named. */
  readonly from: string;
  readonly checkpoint: Checkpoint;
  readonly adapter: Adapter;
}

/** @throws UserError for an option that the form does not use, and for a path that does not fit it */
export function requireFitting(to: ExportForm, { output, base, merged, type }: ExportOptions): void {
  const unused = (option: string, says: string): UserError => new UserError(`${option} says ${says}; --to ${to} does not use it.`);
  if (base !== undefined && !['peft', 'hf', 'ollama'].includes(to)) throw unused('--base', 'what is loaded under an adapter alone');
  if (base !== undefined && merged === true) {
    throw new UserError('--base says what is loaded under an adapter alone; a merged model has no base.');
  }
  if (merged === true && to !== 'hf') throw unused('--merged', 'that --to hf writes the whole model');
  if (type !== undefined && to !== 'gguf' && to !== 'ollama') throw unused('--type', 'how --to gguf and --to ollama pack numbers');
  if (type !== undefined && to === 'ollama' && base !== undefined) {
    throw new UserError('--type packs a merged model; with --base, Ollama loads the adapter alone, in 32 bits.');
  }
  if (to.startsWith('gguf') && !output.endsWith('.gguf')) {
    throw new UserError(`--to ${to} writes a file: ${output} does not end in .gguf.`, [`Write --output ${output}.gguf.`]);
  }
}

/** Writes a form; says whether it is a whole model. */
export const WRITE: Readonly<Record<ExportForm, (job: Job) => Promise<boolean>>> = {
  peft: writeAdapter,
  safetensors: writeMerged,
  async hf(job) {
    const { from, checkpoint, output, base, merged = false } = job;
    requireEmpty(output);
    // The card is made first: a run's file that cannot be read leaves no half of a folder.
    const run = dirname(resolve(adapterFolder(from)));
    const hub = base ?? hubId(checkpoint.id);
    const card = await modelCard({ name: basename(resolve(output)), form: merged ? 'merged' : 'adapter', base: hub, run });
    const whole = await (merged ? writeMerged(job) : writeAdapter({ ...job, base: hub }));
    await atomicWrite(join(output, 'README.md'), card);
    return whole;
  },
  async 'gguf-lora'({ checkpoint, adapter, output }) {
    await exportGgufLora(checkpoint, adapter, output);
    return false;
  },
  gguf: writeGguf,
  async ollama(job) {
    const { checkpoint, adapter, output, base } = job;
    requireEmpty(output);
    const whole = base === undefined;
    if (whole) await writeGguf({ ...job, output: join(output, 'model.gguf') });
    else await exportGgufLora(checkpoint, adapter, join(output, 'adapter.gguf'));
    await atomicWrite(join(output, 'Modelfile'), whole ? 'FROM ./model.gguf\n' : `FROM ${base}\nADAPTER ./adapter.gguf\n`);
    return whole;
  },
};

async function writeAdapter({ checkpoint, adapter, output, base }: Job): Promise<boolean> {
  requireEmpty(output);
  await saveAdapter(output, { ...adapter, checkpoint, modelId: base ?? checkpoint.id });
  return false;
}

async function writeMerged({ checkpoint, adapter, output }: Job): Promise<boolean> {
  await withProgress('merging', adapter.plan.modules.size, 'modules', (update) =>
    exportMerged(checkpoint, mergedTensors(checkpoint, adapter, update), output));
  return true;
}

async function writeGguf({ checkpoint, adapter, output, type = 'f16' }: Job): Promise<boolean> {
  await withProgress('writing', checkpoint.tensors.size, 'tensors', (update) => exportGguf(checkpoint, adapter, output, type, update));
  return true;
}

function requireEmpty(folder: string): void {
  if (!fs.existsSync(folder)) return;
  if (!fs.statSync(folder).isDirectory()) throw new UserError(`${folder} is a file, where a folder is to be written.`);
  if (fs.readdirSync(folder).length === 0) return;
  throw new UserError(`The folder ${folder} is not empty.`, ['Remove it, or name another folder with --output.']);
}

/** What the hub calls a model; undefined for one that is a folder or a file here. */
function hubId(id: string): string | undefined {
  const known = findKnown(id)?.hub;
  return known ?? (/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(id) && !fs.existsSync(id) ? id : undefined);
}

async function withProgress(
  label: string, all: number, unit: string, work: (update: (done: number) => void) => Promise<void>,
): Promise<void> {
  const progress = createProgress();
  progress.start(label, all, { unit });
  try {
    await work((done) => progress.update(done));
  } finally {
    progress.stop();
  }
}
