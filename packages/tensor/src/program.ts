import type { Dim, Shape } from './dims.js';
import type { DType, OnnxModel } from './onnx/model.js';

/** A named, typed place where data enters or leaves a program. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** The type of a value inside a program. */
export type ValueInfo = Omit<Port, 'name'>;

/** A traced graph, lowered and ready to be compiled by an engine. */
export interface Program {
  /** `model.inputs` lists the ports of `inputs` and of `sizes`; `model.outputs` those of `outputs`, in order. */
  readonly model: OnnxModel;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** int64 vectors that the runtime computes from the bound dimensions and feeds by itself (reshape targets, splits). */
  readonly sizes: readonly { readonly name: string; readonly values: readonly Dim[] }[];
  /** The type of what each node gives, by its name in the model. ONNX Runtime is not told: it is for predicting memory. */
  readonly values: ReadonlyMap<string, ValueInfo>;
  /** Folder of the files that initializers refer to, if any do. */
  readonly folder?: string;
}
