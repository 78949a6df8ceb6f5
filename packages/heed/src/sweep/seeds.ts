/** The runs of a sweep that has a folder, by setting. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { readJsonAs } from '../run/json-file.js';
import { SweepFile, fileOf, statesIn } from './file.js';
import { SEED, pointsOf, readGrid } from './grid.js';
import { settingsOf } from './outcomes.js';

/** A run of a setting. */
export interface SeededRun {
  /** `seed=0`; where the seed does not vary, the run's name. */
  readonly name: string;
  readonly dir: string;
}

/** A setting with its runs. */
export interface SeededSetting {
  /** As in the sweep's table; undefined of a sweep over seeds alone. */
  readonly name: string | undefined;
  readonly finished: readonly SeededRun[];
  /** The names of runs that have not finished. */
  readonly unfinished: readonly string[];
}

export const isSweep = (dir: string): boolean => existsSync(fileOf(dir));

/** @throws UserError where `sweep.json` cannot be read */
export async function sweptSettings(dir: string): Promise<readonly SeededSetting[]> {
  const { grid } = await readJsonAs(fileOf(dir), SweepFile, 'heed sweep');
  const states = await statesIn(dir);
  const axes = readGrid(grid.map(({ key, values }) => `${key}=${values.join(',')}`));
  const points = pointsOf(axes).map(({ name, values }) => ({ name, values, dir: join(dir, name), state: states.get(name) ?? 'waiting' }));
  const varies = axes.axes.some(({ key }) => key !== SEED);
  return settingsOf(points, axes.axes).map(({ name, runs: all }): SeededSetting => ({
    name: varies ? name : undefined,
    finished: all.filter(({ state }) => state === 'finished').map((run) => (
      { name: run.values[SEED] === undefined ? run.name : `seed=${run.values[SEED]}`, dir: run.dir }
    )),
    unfinished: all.filter(({ state }) => state !== 'finished').map((run) => run.name),
  }));
}
