import { type DoctorReport, examine } from '../data/doctor.js';
import { loadData } from '../data/load.js';
import { renderDoctor } from '../data/render-doctor.js';
import { type MethodOptions, methodOf } from '../method/index.js';
import { loadModel } from '../model/load.js';
import { createRandom } from '../run/random.js';
import { createRespond } from '../text/respond.js';
import { prepare, tokensOf } from './items.js';
import { countSteps } from './order.js';
import type { TrainRecipe } from './recipe.js';

/** What a training run would do, found out without training. */
export interface DryRun {
  readonly method: string;
  readonly model: string;
  /** Rows that would be learned from, after selection and limits. */
  readonly rows: number;
  readonly skipped: number;
  readonly truncated: number;
  readonly steps: number;
  /** Tokens of all rows once, prompts included (shared prompts counted for each row). */
  readonly tokens: number;
  readonly longest: { readonly where: string; readonly tokens: number };
  readonly doctor: DoctorReport;
}

/** Checks a recipe and its data as a run would, and predicts the run. */
export async function dryRunTraining(recipe: TrainRecipe, say: (line: string) => void): Promise<DryRun> {
  const model = await loadModel(recipe.model, { ...(recipe.template === undefined ? {} : { template: recipe.template }), log: say });
  const method = methodOf(recipe.method as MethodOptions);
  const data = await loadData(recipe.data, method.row);
  const limits = { maxTokens: Math.min(recipe.data.maxTokens ?? model.architecture.context, model.architecture.context), onLong: recipe.data.onLong };
  const chosen = method.select(data.train, createRandom('select', recipe.train.seed));
  const { items, skipped, truncated } = prepare(chosen, method, createRespond(model.template), limits);
  const longest = items.reduce((a, b) => (tokensOf(b) > tokensOf(a) ? b : a));
  return {
    method: method.name, model: recipe.model, rows: items.length, skipped: data.skipped.length + skipped.length, truncated,
    steps: countSteps(items.length, recipe.train),
    tokens: items.reduce((n, item) => n + tokensOf(item), 0),
    longest: { where: longest.where, tokens: tokensOf(longest) },
    doctor: examine(method.row, data),
  };
}

/** The dry run for people. */
export function renderDryRun(result: DryRun): string {
  return [
    renderDoctor(result.doctor), '',
    `${result.method} on ${result.model}: ${result.rows} rows, ${result.steps} steps`,
    `${result.tokens} tokens; the longest row has ${result.longest.tokens} (${result.longest.where})`,
  ].join('\n');
}
