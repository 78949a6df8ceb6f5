/** The parts that all recipes share. Each verb composes its own schema from these and its method's. */
import { z } from 'zod';
import { ClusterOptions } from './cluster.js';
import { DEVICES } from './devices.js';
import { PRECISIONS } from './precision.js';

const positiveInt = z.int().min(1);

/** Where a run goes. */
export const RunOptions = z.strictObject({
  /** The run folder, relative to where the command is run. */
  dir: z.string().min(1),
});
export type RunOptions = z.infer<typeof RunOptions>;

/** The attention's linears. */
export const ATTENTION_TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj'] as const;
/** The feed-forward block's linears. */
export const MLP_TARGETS = ['gate_proj', 'up_proj', 'down_proj'] as const;
/** Phi-3's linears, each of which joins several of the others. */
const FUSED_TARGETS = ['qkv_proj', 'gate_up_proj'] as const;
const LINEARS = [...ATTENTION_TARGETS, ...MLP_TARGETS, ...FUSED_TARGETS] as const;
/** A linear that LoRA can adapt, as PEFT names it. */
export type AdapterTarget = (typeof LINEARS)[number];

export const AdapterTargets = z.union([z.enum(['all', 'mlp', 'attention']), z.array(z.enum(LINEARS)).min(1)]);

const endsOf = (range: string): [number, number] => range.split('-').map(Number) as [number, number];

/** Layers by number, from 0, and ranges of them with both ends: [0, 1, 20-29]. */
export const AdapterLayers = z.array(z.union([
  z.int().min(0),
  z.string().regex(/^\d+ *- *\d+$/, 'expected a layer or a range such as 20-29')
    .refine((range) => { const [from, to] = endsOf(range); return from <= to; }, 'expected the lower end first'),
])).min(1);

/** The layers that `adapter.layers` means, each once, in order. */
export const adapterLayers = (layers: z.infer<typeof AdapterLayers>): number[] =>
  [...new Set(layers.flatMap((one) => {
    if (typeof one === 'number') return [one];
    const [from, to] = endsOf(one);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  }))].sort((a, b) => a - b);

/** A fresh adapter. */
const FreshAdapter = z.strictObject({
  /** Rank of the update. */
  rank: positiveInt.default(16),
  /** The update is scaled by alpha / rank, or alpha / √rank with `rslora`. */
  alpha: z.number().positive().default(16),
  /** Which linears: 'all', 'mlp', 'attention', or a list of names. */
  targets: AdapterTargets.default('all'),
  /** In which layers, from 0: a list of numbers and of ranges such as 20-29. Default: in all. The others stay as they are. */
  layers: AdapterLayers.optional(),
  /** Probability that an input of the update is dropped while training. */
  dropout: z.number().min(0).lt(1).default(0),
  /** Rank-stabilised scaling (Kalajdzievski 2023). */
  rslora: z.boolean().default(false),
});

export type FreshAdapter = z.infer<typeof FreshAdapter>;

/** An adapter from an earlier training, to go on with. */
const GivenAdapter = z.strictObject({
  /** Its folder, as a run's `adapter/` or PEFT's `save_pretrained` wrote it. */
  from: z.string().min(1),
  /** These are the adapter's own; where the recipe gives them too, they must agree. */
  rank: positiveInt.optional(),
  alpha: z.number().positive().optional(),
  targets: AdapterTargets.optional(),
  layers: AdapterLayers.optional(),
  rslora: z.boolean().optional(),
  /** Default: as the adapter was trained with. */
  dropout: z.number().min(0).lt(1).optional(),
});

/** LoRA (Hu et al. 2021). PEFT calls them r, lora_alpha, target_modules, lora_dropout, use_rslora. */
export const AdapterOptions = z.union([FreshAdapter, GivenAdapter]);
export type AdapterOptions = z.infer<typeof AdapterOptions>;

const WORDS: Readonly<Record<'all' | 'mlp' | 'attention', readonly AdapterTarget[]>> = {
  all: LINEARS,
  attention: [...ATTENTION_TARGETS, 'qkv_proj'],
  mlp: [...MLP_TARGETS, 'gate_up_proj'],
};

/**
 * The linears that `adapter.targets` means in a model with these tensors, each once, in the model's order. A word means those of its
 * linears that the model has; a list of names is taken as it is.
 */
export function adapterTargets(targets: z.infer<typeof AdapterTargets>, tensors: Iterable<{ readonly name: string }>): AdapterTarget[] {
  if (Array.isArray(targets)) return LINEARS.filter((name) => targets.includes(name));
  const names = new Set([...tensors].map(({ name }) => name.split('.').at(-2)));
  return WORDS[targets].filter((name) => names.has(name));
}

/** Optimizer, schedule and what to keep. */
export const TrainOptions = z
  .strictObject({
    /** Optimizer steps. With `epochs` too, whichever ends first. With neither, one epoch. */
    steps: positiveInt.optional(),
    /** Passes over the rows; may be a fraction. */
    epochs: z.number().positive().optional(),
    /** Rows in an optimizer step. */
    batch: positiveInt.default(8),
    /** Whether rows that fill no step at the end are left out (Hugging Face's `dataloader_drop_last`). */
    dropLast: z.boolean().default(false),
    /** Rows in one forward and backward pass; left out, the trainer chooses. Changes memory and time, not the numbers. */
    microBatch: positiveInt.optional(),
    learningRate: z.number().positive().default(2e-4),
    /** After the warm-up: down to 0 along a cosine or a line, or constant. */
    schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine'),
    /** Below 1: a fraction of all steps. From 1: a number of steps. */
    warmup: z.number().min(0)
      .refine((value) => value < 1 || Number.isInteger(value), 'expected a fraction below 1, or a whole number of steps')
      .default(0),
    /** Decoupled, as in AdamW. */
    weightDecay: z.number().min(0).default(0),
    betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
    epsilon: z.number().positive().default(1e-8),
    /** Largest norm of the whole gradient; 0 switches clipping off. */
    clip: z.number().min(0).default(1),
    /** Names every random stream of the run. */
    seed: z.int().min(0).default(0),
    /** Steps between checkpoints; 0 writes one at the end only. */
    checkpointEvery: z.int().min(0).default(50),
    /** Activations kept for the backward pass: all, the costly ones, or only each layer's input. */
    checkpointing: z.enum(['none', 'selective', 'full']).default('selective'),
    /** Checkpoints kept; older ones are removed. */
    keep: positiveInt.default(2),
  })
  .refine(({ batch, microBatch }) => microBatch === undefined || microBatch <= batch, {
    path: ['microBatch'],
    message: 'expected at most train.batch rows',
  })
  // A run's recipe says how long it trains, where its user did not.
  .transform((options) => (options.steps === undefined && options.epochs === undefined ? { ...options, epochs: 1 } : options));
export type TrainOptions = z.infer<typeof TrainOptions>;

/** How a recipe says the next token is chosen. */
export const Sampling = {
  /** Most tokens of an answer. */
  maxNewTokens: z.int().min(1).default(96),
  /** 0 takes the likeliest token. */
  temperature: z.number().min(0).default(1),
  topK: z.int().min(1).optional(),
  topP: z.number().gt(0).max(1).optional(),
  minP: z.number().min(0).max(1).optional(),
};

/** The options of sampling among those of a recipe's section. */
export const samplingIn = ({ maxNewTokens, temperature, topK, topP, minP }: z.infer<z.ZodObject<typeof Sampling>>) => ({
  maxNewTokens, temperature, topK, topP, minP,
});

/**
 * How messages become tokens: `chat`, the model's own chat template; `alpaca`, the papers' plain one; `auto`, `chat` where the model has a
 * template and else `alpaca`.
 */
export const TemplateOption = z.enum(['auto', 'chat', 'alpaca']).default('auto');

/** What the run computes on. Default: what HEED_DEVICE says, else the CPU. */
export const DeviceOption = z.enum(DEVICES).optional();

/** The keys that every recipe has. `method` and `data` come from their own rooms. */
export const sharedSections = {
  /** A folder, a `.gguf` file, a hub id, or the name of a known model. */
  model: z.string().min(1).default('SmolLM2-135M-Instruct'),
  /** What the frozen matrices are in memory: f32, the codes of a GGUF file, or rounded once to 8 or 4 bits. */
  precision: z.enum(PRECISIONS).default('f32'),
  device: DeviceOption,
  adapter: AdapterOptions.prefault({}),
  train: TrainOptions.prefault({}),
  /** Where the engine's work is done: `local:N`, `ray://HOST` (docs/scale.md). Default: in this process. Changes time, not the numbers. */
  cluster: ClusterOptions.nullish(),
  run: RunOptions,
} as const;
