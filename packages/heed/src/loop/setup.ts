import type { Engine } from '@heed/tensor';
import type { Generator } from '../generate/generator.js';
import { openGenerator } from '../generate/open.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import type { RunFolder } from '../run/folder.js';
import type { Progress } from '../run/progress.js';
import type { AlignRecipe } from './recipe.js';

/** What an alignment run works with from its beginning to its end. */
export interface AlignSetup {
  readonly recipe: AlignRecipe;
  readonly run: RunFolder;
  readonly engine: Engine;
  readonly model: Model;
  readonly plan: AdapterPlan;
  readonly progress: Progress;
  readonly interrupt: { readonly requested: boolean };
  say(line: string): void;
}

/** Sequences that generation works on together. */
const LIVE = 32;

/** The model as it answers with these adapter parameters, or without an adapter. Release it before training: its memory is needed there. */
export const openAnswerer = ({ engine, model, plan }: Pick<AlignSetup, 'engine' | 'model' | 'plan'>, parameters: Float32Array | undefined): Promise<Generator> =>
  openGenerator(engine, model, { batch: LIVE, ...(parameters === undefined ? {} : { adapter: { plan, parameters } }) });
