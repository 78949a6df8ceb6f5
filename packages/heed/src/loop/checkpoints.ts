import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { readSafetensors } from '../model/checkpoint/safetensors.js';
import { writeSafetensors } from '../model/checkpoint/safetensors-write.js';
import { digestOfFile } from '../run/digest.js';
import { atomicWrite, fileError } from '../run/files.js';
import { readKept } from '../run/json-file.js';
import type { Arrays, HostState, ReadableArray } from '../train/state.js';
import type { TrainerState } from '../train/trainer.js';

/** The state of a run: everything that the next step depends on. Data order and dropout masks follow from the seed. */
export interface Snapshot<A extends HostState | Arrays<ReadableArray> = HostState> {
  /** The round under way, from 1. */
  readonly round: number;
  /** Steps of that round that are taken, and how many it has. */
  readonly done: number;
  readonly roundSteps: number;
  /** Hash of the items of that round: a resume with other rows is refused. */
  readonly data: string;
  /** A report of each round that ended. */
  readonly reports: readonly RoundReport[];
  /** Lines of `samples.jsonl` at that moment, so that a resume sees whether some were lost. Absent: they are not counted here. */
  readonly samples?: number;
  readonly trainer: TrainerState<A>;
}

/**
 * The report of a round, for `summary.json` and for people. `loss` is that of its last step; null where no step was taken. A source adds
 * words and numbers of its own.
 */
export type RoundReport =
  { readonly round: number; readonly steps: number; readonly loss: number | null } & Readonly<Record<string, unknown>>;

/** `state.json`; the arrays are beside it. */
type SavedState = Omit<Snapshot, 'trainer'> & Omit<TrainerState, 'arrays'> & {
  /** SHA-256 of `state.safetensors`. */
  readonly digest: string;
};

const ARRAYS = ['parameters', 'm', 'v'] as const;
const copyKey = (reference: string): string => `copy:${reference}`;
const folderOf = (step: number): string => `step-${String(step).padStart(6, '0')}`;

/** Saves a snapshot as `<dir>/step-000123`, completely or not at all, and removes all checkpoints but the newest `keep`. */
export async function saveCheckpoint(
  dir: string, { trainer: { arrays, ...counts }, ...place }: Snapshot<HostState | Arrays<ReadableArray>>, keep: number,
): Promise<void> {
  const target = join(dir, folderOf(counts.step));
  const draft = `${target}.partial`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    const copies: Readonly<Record<string, Float32Array | ReadableArray>> = arrays.copies;
    const all = [
      ...ARRAYS.map((name) => [name, arrays[name]] as const),
      ...Object.entries(copies).map(([name, data]) => [copyKey(name), data] as const),
    ];
    await writeSafetensors(
      join(draft, 'state.safetensors'),
      all.map(([name, data]) => (
        { name, dtype: 'float32', shape: [data.length], data: data instanceof Float32Array ? data : () => data.pieces() }
      )),
    );
    const digest = await digestOfFile(join(draft, 'state.safetensors'));
    await atomicWrite(join(draft, 'state.json'), JSON.stringify({ ...counts, ...place, digest } satisfies SavedState));
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } catch (error) {
    throw fileError(error, target, 'saving a checkpoint');
  }
  const older = (await checkpointSteps(dir)).slice(0, -keep);
  for (const step of older) await rm(join(dir, folderOf(step)), { recursive: true, force: true });
}

/** Puts a snapshot in the place of all checkpoints after it. A kill on the way leaves them, or some of them. */
export async function goBackTo(dir: string, snapshot: Snapshot, keep: number): Promise<void> {
  for (const step of (await checkpointSteps(dir)).reverse())
    if (step > snapshot.trainer.step) await rm(join(dir, folderOf(step)), { recursive: true, force: true });
  await saveCheckpoint(dir, snapshot, keep);
}

/** Steps that have a whole checkpoint, in order. */
export async function checkpointSteps(dir: string): Promise<number[]> {
  if (!existsSync(dir)) return [];
  const names = await readdir(dir);
  return names.flatMap((name) => (/^step-\d+$/.test(name) ? [Number(name.slice(5))] : [])).sort((a, b) => a - b);
}

/**
 * Loads the newest checkpoint; undefined where there is none.
 *
 * @param size The adapter's parameters.
 * @param copies Names of the references that the trainer keeps copies for.
 * @param until No checkpoint of a later step is looked at. Default: all are.
 * @throws UserError where the checkpoint is of another adapter or another method, or is not as it was written
 */
export async function loadNewest(
  dir: string, size: number, copies: readonly string[], until = Infinity,
): Promise<Snapshot | undefined> {
  const newest = (await checkpointSteps(dir)).findLast((step) => step <= until);
  if (newest === undefined) return undefined;
  const folder = join(dir, folderOf(newest));
  const way = `Remove ${folder}: --resume then goes on from the checkpoint before it, or from the start where there is none.`;
  const { step, t, memory, digest, ...place } = await readKept<SavedState>(join(folder, 'state.json'), way);
  const file = join(folder, 'state.safetensors');
  if (!existsSync(file)) throw new UserError(`${file} is missing: something other than this run removed it.`, [way]);
  if ((await digestOfFile(file)) !== digest) throw new UserError(`${file} is not as this run wrote it.`, [way]);
  const { tensors } = readSafetensors(file);
  const load = (name: string): Float32Array => {
    const data = tensors.get(name)?.data;
    if (data?.length === size) return data;
    throw new UserError(`${folder} does not fit this run: "${name}" holds ${data?.length ?? 0} numbers, the adapter has ${size}.`, [
      'Start again with --overwrite.',
    ]);
  };
  return {
    ...place,
    trainer: {
      step, t, memory,
      arrays: {
        parameters: load('parameters'), m: load('m'), v: load('v'),
        copies: Object.fromEntries(copies.map((name) => [name, load(copyKey(name))])),
      },
    },
  };
}
