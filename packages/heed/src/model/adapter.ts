import { UserError } from '../errors.js';
import { createRandom } from '../run/random.js';

/** Low-rank adapters (Hu et al. 2021), in PEFT's words. */
export interface LoraOptions {
  readonly rank: number;
  readonly alpha: number;
  /** Names of linear modules, as PEFT's `target_modules`: the last part of the module's name. */
  readonly targets: readonly string[];
  /** Layers whose modules are adapted, from 0, in order; PEFT's `layers_to_transform`. Default: all. */
  readonly layers?: readonly number[];
  /** Share of the adapter's inputs that training zeroes. */
  readonly dropout: number;
  /** Rank-stabilised: scale α/√r instead of α/r (Kalajdzievski 2023). */
  readonly rslora: boolean;
  /** Ranks of modules that have another than `rank`; PEFT's `rank_pattern`. A key is a regular expression for the end of a name. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  /** The same of `alpha`; PEFT's `alpha_pattern`. */
  readonly alphaPattern?: Readonly<Record<string, number>>;
}

/** One adapted module: A [rank, in] and B [out, rank], and where they start in the flat array of all parameters. */
export interface LoraModule {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly rank: number;
  /** What B·A is multiplied with. */
  readonly scale: number;
  readonly a: { readonly offset: number; readonly shape: readonly [number, number] };
  readonly b: { readonly offset: number; readonly shape: readonly [number, number] };
}

/** A trained linear on the final hidden state, without bias: `size` numbers of the last token, or one of every supervised token. */
export interface HeadShape {
  readonly size: number;
  /** `last`: read at the last token of a sequence. `tokens`: read where each supervised token is predicted; the size is 1. */
  readonly at: 'last' | 'tokens';
}

/** A head in an adapter: W [size, width], after the modules in the flat array. Hugging Face calls a reward model's head `score`. */
export interface Head extends HeadShape {
  readonly name: string;
  readonly width: number;
  readonly offset: number;
}

/** An adapter's shape: every trainable number has its place in one flat array, so that an optimizer step is a few kernels. */
export interface AdapterPlan {
  readonly options: LoraOptions;
  readonly modules: ReadonlyMap<string, LoraModule>;
  /** In the order of the flat array. */
  readonly heads: readonly Head[];
  readonly size: number;
}

/** The layer that a module or tensor belongs to. */
export const layerOf = (name: string): number => Number(/\.layers\.(\d+)\./.exec(name)?.[1]);

/**
 * Plans adapters for every linear weight whose module name ends in one of the targets, in the layers that are asked for, and the heads.
 *
 * @throws UserError where the model has no linear module of a target's name, or lacks a layer
 */
export function planAdapter(
  weights: Iterable<{ readonly name: string; readonly shape: readonly number[] }>,
  options: LoraOptions,
  shapes: Readonly<Record<string, HeadShape>> = {},
): AdapterPlan {
  const modules = new Map<string, LoraModule>();
  const all = [...weights];
  const linear = all.filter((w) => w.shape.length === 2 && w.name.endsWith('.weight') && w.name.includes('.layers.'));
  const found = new Set<string>();
  requireLayers(options.layers, linear);
  let size = 0;
  const place = (shape: readonly [number, number]) => ({ offset: (size += shape[0] * shape[1]) - shape[0] * shape[1], shape });
  for (const { name, shape } of linear) {
    const module = name.slice(0, -'.weight'.length);
    const target = options.targets.find((t) => module === t || module.endsWith(`.${t}`));
    if (target === undefined || options.layers?.includes(layerOf(module)) === false) continue;
    found.add(target);
    const [outputs, inputs] = shape as [number, number];
    const { rank, scale } = strengthOf(module, options);
    modules.set(module, { name: module, inputs, outputs, rank, scale, a: place([rank, inputs]), b: place([outputs, rank]) });
  }
  const missing = options.targets.filter((t) => !found.has(t));
  if (missing.length > 0) {
    const known = [...new Set(linear.map((w) => w.name.split('.').at(-2)!))];
    throw new UserError(
      `adapter.targets: the model has no linear module named ${missing.map((m) => `"${m}"`).join(', ')}; it has ${known.join(', ')}.`,
    );
  }
  const heads = Object.entries(shapes).map(([name, shape]): Head => {
    const width = all.find((w) => w.name === 'model.embed_tokens.weight')!.shape[1]!;
    return { name, ...shape, width, offset: place([shape.size, width]).offset };
  });
  return { options, modules, heads, size };
}

/** A module's rank and scale, by the first pattern that is the end of its name, as PEFT takes them. */
function strengthOf(
  module: string, { rank: all, alpha: every, rslora, rankPattern = {}, alphaPattern = {} }: LoraOptions,
): Pick<LoraModule, 'rank' | 'scale'> {
  const of = (patterns: Readonly<Record<string, number>>): number | undefined =>
    Object.entries(patterns).find(([key]) => new RegExp(`^(.*\\.)?(${key})$`).test(module))?.[1];
  const rank = of(rankPattern) ?? all, alpha = of(alphaPattern) ?? every;
  return { rank, scale: rslora ? alpha / Math.sqrt(rank) : alpha / rank };
}

/** The linear modules of a model's layers that can be adapted, by name, in the model's order. */
export const linearModules = (weights: Iterable<{ readonly name: string; readonly shape: readonly number[] }>): string[] =>
  [...weights].filter(({ name, shape }) => shape.length === 2 && name.includes('.layers.') && name.endsWith('.weight'))
    .map(({ name }) => name.slice(0, -'.weight'.length));

/** Whether a target names a module: by its whole name, or by the last part of it. */
export const isTarget = (module: string, target: string): boolean => module === target || module.endsWith(`.${target}`);

/**
 * Targets and layers that pick exactly these modules: the last parts of their names in their layers where that suffices, else the whole
 * names.
 *
 * @param linear All that could be picked (`linearModules`).
 */
export function targetsFor(names: ReadonlySet<string>, linear: readonly string[]): Pick<LoraOptions, 'targets' | 'layers'> {
  const whole = linear.filter((module) => names.has(module));
  const short = [...new Set(whole.map((name) => name.slice(name.lastIndexOf('.') + 1)))];
  const own = [...new Set(whole.map(layerOf))];
  const picked = linear.filter((module) => own.includes(layerOf(module)) && short.some((target) => isTarget(module, target)));
  if (picked.length !== names.size) return { targets: whole };
  return { targets: short, layers: own.length === new Set(linear.map(layerOf)).size ? undefined : own };
}

function requireLayers(layers: readonly number[] | undefined, linear: readonly { readonly name: string }[]): void {
  const known = new Set(linear.map(({ name }) => layerOf(name)));
  const unknown = layers?.find((layer) => !known.has(layer));
  if (unknown === undefined) return;
  throw new UserError(`adapter.layers: the model has no layer ${unknown}; its layers are 0 to ${Math.max(...known)}.`);
}

/** @throws UserError where an adapter scores whole texts: what its head gives are numbers, which a merged model cannot say. */
export function requireNoHead({ heads }: AdapterPlan): void {
  const head = heads.find(({ at }) => at === 'last');
  if (head === undefined) return;
  throw new UserError(
    `The adapter has a head of ${head.size} ${head.size === 1 ? 'number (a reward model)' : 'numbers (a classifier)'}: it scores ` +
    'texts and does not write them.',
    ['Use an adapter without a head, or createRewardScorer.'],
  );
}

/**
 * Fresh parameters as PEFT makes them: A uniform in ±1/√in (Kaiming, a = √5), B zero, so the adapter starts as the identity; a head
 * zero, so that it says 0 of everything.
 */
export function initialParameters(plan: AdapterPlan, seed: number): Float32Array {
  const parameters = new Float32Array(plan.size);
  for (const { name, inputs, a } of plan.modules.values()) {
    const random = createRandom('lora', seed, name);
    const bound = 1 / Math.sqrt(inputs);
    const end = a.offset + a.shape[0] * a.shape[1];
    for (let i = a.offset; i < end; i++) parameters[i] = (2 * random.next() - 1) * bound;
  }
  return parameters;
}
