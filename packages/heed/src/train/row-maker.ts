import type { Engine } from '@heed/tensor';
import type { AnyRow, RowKind } from '../data/rows.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import type { RunFolder } from '../run/folder.js';
import type { Progress } from '../run/progress.js';

/** Writes parts of rows with the model that is trained: refinements, positives. */
export interface RowMaker {
  /** Optimizer steps after which rows are made anew with the policy as it is; 0: only once, before training. */
  readonly every: number;
  /** The row as if `text` were all that the model had made for it. */
  pretend(row: AnyRow, text: string): AnyRow;
  /**
   * The rows with what the model made for each, in their order; a row that nothing usable was made for comes back as it was. What was made is
   * kept in the run folder under `round`, and made again never: a killed run goes on to the same rows.
   *
   * @param parameters The adapter to write with; default: none, the model as it is.
   */
  make(round: string, rows: readonly AnyRow[], parameters?: Float32Array): Promise<readonly AnyRow[]>;
}

/** What a maker works with. */
export interface RowMakerSetup {
  readonly engine: Engine;
  readonly model: Model;
  readonly plan: AdapterPlan;
  readonly kind: RowKind;
  readonly run: Pick<RunFolder, 'path'>;
  readonly seed: number;
  readonly progress: Progress;
  readonly interrupt?: { readonly requested: boolean };
  say(line: string): void;
}
