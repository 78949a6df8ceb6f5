import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, view } from '@heed/tensor';
import { UserError } from '../errors.js';
import { readSafetensors } from '../model/checkpoint/safetensors.js';
import { writeSafetensors } from '../model/checkpoint/safetensors-write.js';
import { atomicWrite, fileError } from '../run/files.js';
import type { State } from './step.js';

/** Everything that makes the next step what it would have been: numbers here, arrays beside it. Data order and masks follow from the seed. */
export interface Snapshot {
  readonly step: number;
  /** Hash of what the run learns from: a resume on other rows is refused. */
  readonly data: string;
}

const ARRAYS = ['parameters', 'm', 'v'] as const;
const folderOf = (step: number): string => `step-${String(step).padStart(6, '0')}`;

/** Saves a state as `<dir>/step-000123`, complete or not at all, and removes all but the newest `keep`. */
export async function saveCheckpoint(dir: string, engine: Engine, state: State, snapshot: Snapshot, keep: number): Promise<string> {
  const target = join(dir, folderOf(snapshot.step));
  const draft = `${target}.partial`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    const arrays = [];
    for (const name of ARRAYS) arrays.push({ name, dtype: 'float32' as const, shape: [state[name].shape[0]!], data: (await engine.read(state[name])) as Float32Array });
    await writeSafetensors(join(draft, 'state.safetensors'), arrays);
    await atomicWrite(join(draft, 'state.json'), JSON.stringify(snapshot));
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } catch (error) {
    throw fileError(error, target, 'saving a checkpoint');
  }
  const older = (await checkpointSteps(dir)).slice(0, -keep);
  for (const step of older) await rm(join(dir, folderOf(step)), { recursive: true, force: true });
  return target;
}

/** Steps that have a whole checkpoint, in order. */
export async function checkpointSteps(dir: string): Promise<number[]> {
  if (!existsSync(dir)) return [];
  const names = await readdir(dir);
  return names.flatMap((name) => (/^step-\d+$/.test(name) ? [Number(name.slice(5))] : [])).sort((a, b) => a - b);
}

/** Loads the newest checkpoint into the engine; undefined where there is none. */
export async function loadNewest(dir: string, engine: Engine, size: number): Promise<{ state: State; snapshot: Snapshot } | undefined> {
  const step = (await checkpointSteps(dir)).at(-1);
  if (step === undefined) return undefined;
  const folder = join(dir, folderOf(step));
  const snapshot = JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')) as Snapshot;
  const { tensors } = readSafetensors(join(folder, 'state.safetensors'));
  const load = async (name: (typeof ARRAYS)[number]) => {
    const stored = tensors.get(name);
    if (stored === undefined || stored.data.length !== size) {
      throw new UserError(`${folder} does not fit this run: "${name}" holds ${stored?.data.length ?? 0} numbers, the adapter has ${size}.`, ['Start again with --overwrite.']);
    }
    return view(await engine.upload(stored.data));
  };
  const [parameters, m, v] = [await load('parameters'), await load('m'), await load('v')];
  return { state: { parameters, m, v, gradients: view(await engine.allocate('float32', size)) }, snapshot };
}
