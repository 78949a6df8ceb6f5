import { resolve } from 'node:path';
import { UserError } from '../errors.js';
import { adapterFolder } from '../model/adapter-folder.js';
import { type AdapterPlan, type HeadShape, layerOf, planAdapter } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import { type Adapter, loadAdapter } from '../model/peft.js';
import type { RunFolder } from '../run/folder.js';
import { type AdapterOptions, type FreshAdapter, adapterLayers, adapterTargets } from '../run/recipe-schemas.js';
import { sameAsBefore } from '../run/same-as-before.js';

/** The adapter that training begins with. */
export interface Start {
  readonly plan: AdapterPlan;
  /** The numbers that training goes on from; absent for a fresh adapter. */
  readonly parameters?: Float32Array;
}

/**
 * Plans a fresh adapter, or with `from` reads one that Heed or PEFT wrote, to go on with it. Options beside `from` must agree with the
 * adapter, except for the dropout, which only concerns training. Where the method trains a head that the adapter lacks, the head starts
 * fresh.
 *
 * @throws UserError naming both values of every contradiction; what `loadAdapter` throws
 */
export async function startAdapter(
  options: AdapterOptions,
  checkpoint: Checkpoint,
  heads: Readonly<Record<string, HeadShape>> = {},
): Promise<Start> {
  const tensors = [...checkpoint.tensors.values()];
  if (!('from' in options)) return { plan: planAdapter(tensors, { ...options, ...modulesIn(options, tensors) }, heads) };
  const { from, dropout } = options;
  const found = await loadAdapter(from, checkpoint);
  const problems = [...contradictions(options, found, tensors), ...headProblems(found, heads)];
  if (problems.length > 0) {
    throw new UserError(`The recipe does not fit the adapter that it goes on from, ${from}: ${problems.join('; ')}.`, [
      'Leave these options out of `adapter`. For a fresh adapter of another shape, leave out `from`.',
    ]);
  }
  const plan = planAdapter(tensors, { ...found.plan.options, dropout: dropout ?? found.plan.options.dropout }, heads);
  const parameters = new Float32Array(plan.size);
  parameters.set(found.parameters);
  return { plan, parameters };
}

/** The modules and layers that a recipe's adapter names. */
const modulesIn = ({ targets, layers }: Pick<FreshAdapter, 'targets' | 'layers'>, tensors: Iterable<{ readonly name: string }>) =>
  ({ targets: adapterTargets(targets, tensors), layers: layers && someOf(adapterLayers(layers), tensors) });

/** Layers as an adapter has them: undefined where they are all that the model has. */
const someOf = (layers: number[], tensors: Iterable<{ readonly name: string }>): number[] | undefined =>
  (new Set([...tensors].map(({ name }) => layerOf(name)).filter((layer) => layer >= 0)).size === layers.length ? undefined : layers);

/**
 * Holds a run to the adapter that it began with.
 *
 * @throws UserError where `from` is the folder that the run writes to, or where the adapter has changed since the run began
 */
export async function holdStart({ parameters }: Start, options: AdapterOptions, run: RunFolder): Promise<void> {
  if (parameters === undefined || !('from' in options)) return;
  if (resolve(adapterFolder(options.from)) === resolve(run.adapterDir))
    throw new UserError(`adapter.from is ${options.from}, the folder that this run writes its own adapter to.`, [
      'Give the run another folder: run.dir=…',
    ]);
  await sameAsBefore(
    run.path('work', 'from.json'),
    [new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength)],
    `The numbers of the adapter ${options.from} are not those`,
  );
}

function contradictions(
  options: AdapterOptions & { readonly from: string },
  { plan }: Adapter,
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
): string[] {
  const { rank, alpha, rslora, targets, layers } = options;
  const own = plan.options;
  const other = <T,>(name: string, said: T | undefined, has: T): string[] =>
    said === undefined || said === has ? [] : [`adapter.${name} is ${String(said)}, the adapter's is ${String(has)}`];
  return [
    ...other('rank', rank, own.rank), ...other('alpha', alpha, own.alpha), ...other('rslora', rslora, own.rslora),
    ...other('layers', layers && shownLayers(someOf(adapterLayers(layers), tensors)), shownLayers(own.layers)), ...otherTargets(),
  ];

  function otherTargets(): string[] {
    if (targets === undefined) return [];
    const said = planAdapter(tensors, { ...own, targets: adapterTargets(targets, tensors) });
    const same = said.modules.size === plan.modules.size && [...said.modules.keys()].every((name) => plan.modules.has(name));
    const named = (modules: Iterable<string>): string =>
      [...new Set([...modules].map((name) => name.slice(name.lastIndexOf('.') + 1)))].join(', ');
    const describe = ({ modules }: AdapterPlan): string => `${named(modules.keys())} (${modules.size} modules)`;
    return same ? [] : [`adapter.targets is ${describe(said)}, the adapter's are ${describe(plan)}`];
  }
}

const shownLayers = (layers: readonly number[] | undefined): string => layers?.join(', ') ?? 'all';

/** What is wrong between the heads that an adapter has and those that the method trains. A head that the adapter lacks starts fresh. */
function headProblems({ plan: { heads } }: Adapter, wanted: Readonly<Record<string, HeadShape>>): string[] {
  return heads.flatMap(({ name, size, at }) => {
    const own = wanted[name];
    if (own?.size === size && own.at === at) return [];
    const numbers = (n: number): string => `${n} ${n === 1 ? 'number' : 'numbers'}`;
    const trains = own === undefined ? 'trains none' : `one of ${numbers(own.size)}`;
    return [`the adapter has a head "${name}" of ${numbers(size)}, the method ${trains}`];
  });
}

/** Says for people which adapter training goes on from. */
export const describeStart = (options: AdapterOptions): string[] =>
  'from' in options
    ? [`Goes on from the adapter ${options.from}. The reference \`base\` of a method stays the model without an adapter.`]
    : [];
