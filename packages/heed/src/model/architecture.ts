import type { Table, Tensor } from '@heed/tensor';
import type { HfConfig, RawConfig } from './checkpoint/config.js';
import type { GgufReading } from './checkpoint/gguf/reading.js';
import type { RopeConfig } from './rope.js';

/** What activations are kept between the forward and the backward pass. */
export type Checkpointing = 'none' | 'selective' | 'full';

/** Layers that see the last `window` positions only, their own among them. */
export interface LocalAttention {
  readonly window: number;
  readonly layers: readonly boolean[];
}

/** What attention needs to know of an architecture. */
export interface HeadShape {
  readonly heads: number;
  readonly keyHeads: number;
  readonly headSize: number;
  /** Factor of the scores, usually headSize^−½. */
  readonly scale: number;
  readonly local?: LocalAttention;
}

/** A decoder's dimensions, from config.json. */
export interface Dimensions extends HeadShape {
  readonly layers: number;
  readonly width: number;
  readonly innerWidth: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly epsilon: number;
  readonly rope: RopeConfig;
  /** The rotation of the local layers, where it is another than that of the global ones. */
  readonly localRope?: RopeConfig;
  /** Whether the embeddings are the head too. */
  readonly tied: boolean;
}

/** A model's dimensions, and the definition of how they are computed with. */
export interface Architecture extends Dimensions {
  readonly definition: ArchitectureDefinition;
}

/** Access to weights while tracing. The architecture does not know whether they are frozen, merged or with an adapter. */
export interface Weights {
  /** A frozen tensor by its Hugging Face name. */
  tensor(name: string): Tensor;
  /** A frozen matrix that is read in parts, by its Hugging Face name: embeddings, or the head. */
  table(name: string): Table;
  /** x·Wᵀ (+ bias where the checkpoint has one), by module name without ".weight". */
  linear(module: string, x: Tensor): Tensor;
}

/** Cosines and sines by position, [≥ M, turned/2] each. */
export interface RopeTables {
  readonly cosine: Tensor;
  readonly sine: Tensor;
}

/** The tokens that a decoder works on, one a row, in any order: only attention knows which belong together. */
export interface Rows extends RopeTables {
  readonly ids: Tensor; // int32 [M]
  readonly positions: Tensor; // int64 [1, M]: rows of the tables
  readonly local?: RopeTables;
}

/** Attention of one layer over flat rows: q [M, heads·d], k and v [M, keyHeads·d], positions already applied → [M, heads·d]. */
export type Attend = (layer: number, q: Tensor, k: Tensor, v: Tensor) => Tensor;

/** A decoder over flat token rows → hidden rows [M, H] before the final norm, since only the rows that a loss reads need that. */
export type Decoder = (config: Dimensions, weights: Weights, rows: Rows, attend: Attend, keep: Checkpointing) => Tensor;

/** Shapes of tensors by name. Their order is the order of an adapter's parameters. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** One architecture, whole: which models it serves, what their config.json and weights look like, and how they are computed. */
export interface ArchitectureDefinition {
  /** The `model_type` of the config.json that it serves. */
  readonly type: string;
  /** What config.json may leave unsaid: the defaults of transformers' configuration class. Default: Llama's. */
  readonly defaults?: RawConfig;
  /**
   * Which layers see the last `sliding_window` tokens only. A file's `layer_types` go before a function, and behind `every layer`.
   * Default, and where the answer is undefined: no layer does, whatever the file says.
   */
  readonly windowed?: (config: RawConfig) => 'every layer' | ((layer: number) => boolean) | undefined;
  /** The config.json of the text part, where the given one is that of a larger model around it (one that sees images too). */
  readonly textPart?: (config: RawConfig) => RawConfig | undefined;
  /** The name of a tensor where the text part is alone, from its name in a file of the larger model. */
  readonly tensorName?: (stored: string) => string;
  /** Reads the dimensions. @throws UserError for a setting that changes the computation in a way that is not known */
  readonly dimensions: (config: HfConfig) => Dimensions;
  /** The tensors of one layer, by name behind `model.layers.N.`. Embeddings, final norm and head are every architecture's. */
  readonly layerTensors: (config: HfConfig) => Shapes;
  /** Traces the layers. */
  readonly decoder: Decoder;
  /** The norm before the head. Default: the RMS norm of `model.norm`. */
  readonly finalNorm?: (config: Dimensions, weights: Weights, x: Tensor) => Tensor;
  /** How llama.cpp's GGUF files of this architecture are read. Default: they are refused. */
  readonly gguf?: GgufReading;
}

/**
 * Defines an architecture. Those that come with Heed are in `architectures/`, one file each; `openCheckpoint` and `loadModel` take
 * others in `architectures`.
 *
 * ```ts
 * const mine = defineArchitecture({ ...architectures.llama, type: 'my_llama', defaults: { rope_theta: 500_000 } });
 * const model = await loadModel('./my-model', { architectures: [mine] });
 * ```
 */
export const defineArchitecture = (definition: ArchitectureDefinition): ArchitectureDefinition => definition;

/** A checkpoint's dimensions and how they are computed with. @throws UserError for a setting in config.json that Heed cannot run */
export const architectureOf = ({
  config,
  definition,
}: {
  readonly config: HfConfig;
  readonly definition: ArchitectureDefinition;
}): Architecture => ({ ...definition.dimensions(config), definition });
