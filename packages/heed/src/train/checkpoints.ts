import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, type View, view } from '@heed/tensor';
import { UserError } from '../errors.js';
import { readSafetensors } from '../model/checkpoint/safetensors.js';
import { type TensorToWrite, writeSafetensors } from '../model/checkpoint/safetensors-write.js';
import { atomicWrite, fileError } from '../run/files.js';
import type { State } from './state.js';

/** Everything that makes the next step what it would have been: numbers here, arrays beside it. Data order and masks follow from the seed. */
export interface Snapshot {
  readonly step: number;
  /** Hash of what the run learns from: a resume on other rows is refused. */
  readonly data: string;
  /** The method's memory. */
  readonly memory?: Readonly<Record<string, number>>;
}

const ARRAYS = ['parameters', 'm', 'v'] as const;
const averageKey = (reference: string): string => `average:${reference}`;
const folderOf = (step: number): string => `step-${String(step).padStart(6, '0')}`;

/** Saves a state as `<dir>/step-000123`, complete or not at all, and removes all but the newest `keep`. */
export async function saveCheckpoint(dir: string, engine: Engine, state: State, snapshot: Snapshot, keep: number): Promise<string> {
  const target = join(dir, folderOf(snapshot.step));
  const draft = `${target}.partial`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    const arrays: TensorToWrite[] = [];
    const add = async (name: string, from: View): Promise<void> => void arrays.push({ name, dtype: 'float32' as const, shape: [from.shape[0]!], data: (await engine.read(from)) as Float32Array });
    for (const name of ARRAYS) await add(name, state[name]);
    for (const [name, average] of Object.entries(state.averages)) await add(averageKey(name), average);
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

/** Loads the newest checkpoint into the engine, with the moving averages of so many references; undefined where there is none. */
export async function loadNewest(dir: string, engine: Engine, size: number, averages: readonly string[] = []): Promise<{ state: State; snapshot: Snapshot } | undefined> {
  const step = (await checkpointSteps(dir)).at(-1);
  if (step === undefined) return undefined;
  const folder = join(dir, folderOf(step));
  const snapshot = JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')) as Snapshot;
  const { tensors } = readSafetensors(join(folder, 'state.safetensors'));
  const load = async (name: string) => {
    const stored = tensors.get(name);
    if (stored === undefined || stored.data.length !== size) {
      throw new UserError(`${folder} does not fit this run: "${name}" holds ${stored?.data.length ?? 0} numbers, the adapter has ${size}.`, ['Start again with --overwrite.']);
    }
    return view(await engine.upload(stored.data));
  };
  const [parameters, m, v] = [await load('parameters'), await load('m'), await load('v')];
  const copies: Record<string, View> = {};
  for (const name of averages) copies[name] = await load(averageKey(name));
  return { state: { parameters, m, v, gradients: view(await engine.allocate('float32', size)), averages: copies }, snapshot };
}
