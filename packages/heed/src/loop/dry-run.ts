import { type DoctorReport, examine } from '../data/doctor.js';
import { listProblems } from '../data/problem.js';
import { renderDoctor } from '../data/render-doctor.js';
import { UserError } from '../errors.js';
import { loadModel } from '../model/load.js';
import { size } from '../run/numbers.js';
import { createRandom } from '../run/random.js';
import { createRespond } from '../text/respond.js';
import { tokensOf } from '../train/item.js';
import { type MemoryCheck, checkMemory } from '../train/memory.js';
import { countSteps } from '../train/order.js';
import { describeReach } from '../train/reach.js';
import { describeTies, limitsOf, loadRows, prepare, requireFit, requireHeld, requireKept } from './items.js';
import { openMethod } from './method-of.js';
import { startAdapter } from './start.js';
import type { TrainRecipe } from './train-recipe.js';

/** What a training run would do, found out without training. */
export interface DryRun {
  readonly method: string;
  readonly model: string;
  /** Rows that would be learned from, after selection and limits. */
  readonly rows: number;
  readonly heldOut: number;
  readonly skipped: number;
  readonly truncated: number;
  readonly steps: number;
  /** Tokens of all rows once, prompts included (a prompt shared by rows counts for each). */
  readonly tokens: number;
  readonly longest: { readonly where: string; readonly tokens: number };
  readonly doctor: DoctorReport;
  readonly memory: MemoryCheck;
}

/**
 * Checks a recipe and its data as a run would, and predicts the memory of the run. Nothing is trained or written.
 *
 * @param say Takes lines about what was skipped.
 * @param available Bytes of memory there are; default: what the machine or the container has left.
 * @throws UserError as loading the model or the data does.
 */
export async function dryRunTraining(recipe: TrainRecipe, say: (line: string) => void, available?: number): Promise<DryRun> {
  const model = await loadModel(recipe.model, { template: recipe.template, precision: recipe.precision, log: say });
  const method = await openMethod(recipe.method);
  const data = await loadRows(recipe.data, method);
  const limits = limitsOf(recipe.data, method, model.architecture.context);
  const text = createRespond(model.template);
  const chosen = method.select(data.train, createRandom('select', recipe.train.seed));
  if (recipe.rows) {
    throw new UserError('A dry run cannot tell what rows the model will write.', [
      'Leave --dry-run out; or put rows that are complete into the file and say rows=null.',
    ]);
  }
  requireFit(method, chosen);
  const prepared = prepare(chosen, method, text, limits);
  requireKept(method, chosen, prepared);
  const { items, skipped, truncated } = prepared;
  const held = prepare(data.eval, method, text, limits);
  const left = [...data.skipped, ...skipped, ...held.skipped];
  if (left.length > 0) say(`skipped:\n${listProblems(left)}`);
  requireHeld(data.eval, held);
  for (const line of [...describeTies(prepared), ...method.hinders(chosen), ...describeReach(items.length, recipe.train)]) say(line);

  const { plan } = await startAdapter(recipe.adapter, model.checkpoint, method.heads);
  const longest = items.reduce((a, b) => (tokensOf(b) > tokensOf(a) ? b : a));
  return {
    method: method.name, model: recipe.model, rows: items.length, heldOut: held.items.length, skipped: left.length, truncated,
    steps: countSteps(items.length, recipe.train),
    tokens: items.reduce((n, item) => n + tokensOf(item), 0),
    longest: { where: longest.where, tokens: tokensOf(longest) },
    doctor: examine(method.row, data),
    memory: checkMemory({ model, method, items, plan, options: recipe.train, held: held.items }, available),
  };
}

/** The dry run for people. */
export function renderDryRun(result: DryRun): string {
  return [
    renderDoctor(result.doctor), '',
    `${result.method} on ${result.model}: ${result.rows} rows, ${result.steps} steps`
      + `${result.skipped > 0 ? `; ${result.skipped} skipped` : ''}${result.truncated > 0 ? `; ${result.truncated} prompts cut` : ''}`,
    `${result.tokens} tokens; the longest row has ${result.longest.tokens} (${result.longest.where})`, '',
    ...renderMemory(result.memory),
  ].join('\n');
}

/**
 * Says what is short, and refuses a training that the machine cannot hold even without the weights, which can be read again from their
 * files. What is free now is no reason: files that are kept in memory may count as used.
 *
 * @throws UserError naming the settings that would fit
 */
export function requireMemory(memory: MemoryCheck, say: (line: string) => void): void {
  if (!memory.fits) for (const line of renderMemory(memory)) say(line);
  if (memory.resident <= memory.capacity) return;
  throw new UserError(
    `The training needs about ${size(memory.resident)} of memory beside its weights, and the machine has ${size(memory.capacity)}.`,
    memory.ways.map(({ settings, total }) => `${settings} would need about ${size(total)}.`),
  );
}

/** A prediction of memory for people, as lines; also what a refusal to start says. */
export function renderMemory({ needed, available, resident, capacity, fits, ways }: MemoryCheck): string[] {
  const parts = Object.entries(needed.parts).filter(([, bytes]) => bytes >= 5e6).map(([name, bytes]) => `${name} ${size(bytes)}`);
  const verdict = fits ? 'fits' : 'does not fit';
  return [
    `memory: about ${size(needed.total)} at its peak, ${verdict} into the ${size(available)} available `
      + `(the machine has ${size(capacity)})`,
    `  ${size(resident)} resident, ${size(needed.parts.weights)} mapped from files: ${parts.join(', ')}`,
    ...(!fits && resident <= available ? ['  it runs, but weights that find no room are read from the disk again in every pass'] : []),
    `  the largest pass has ${needed.largest.rows} rows of ${needed.largest.tokens} tokens`,
    ...ways.map((way) => `  ${way.settings} would need about ${size(way.total)}`),
    ...(fits || ways.length > 0
      ? []
      : ['  no setting makes it fit: cut long rows (data.maxTokens with data.onLong), or take a smaller model']),
  ];
}
