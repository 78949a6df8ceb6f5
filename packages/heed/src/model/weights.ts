import {
  type Dim, type Session, type Table, type Tensor, type View, add, addBias, cast, input, linear, loraBeside, loraLinear, mapped,
  matmul, mul, plus, tableOf, view,
} from '@heed/tensor';
import { UserError } from '../errors.js';
import type { AdapterPlan } from './adapter.js';
import type { Checkpoint } from './checkpoint/open.js';
import { type StoredTensor, isPacked } from './checkpoint/stored-tensor.js';
import { LAYOUT_SIZES } from './attention.js';
import type { Weights } from './decoder.js';
import { type Steps, stepProduct } from './packed-steps.js';
import { packedTable, widenedRows } from './packed-weights.js';

type Stored = Pick<Checkpoint, 'id' | 'tensors'>;

const storedIn = ({ id, tensors }: Stored, name: string): StoredTensor => {
  const stored = tensors.get(name);
  if (stored === undefined) throw new UserError(`${id} has no tensor "${name}".`);
  return stored;
};

/** Tensors as they are stored, mapped from their files; matrices in codes widened. */
const mappedTensors = (checkpoint: Stored) => (name: string): Tensor => {
  const stored = storedIn(checkpoint, name);
  if (isPacked(stored)) return widenedRows(stored);
  const { dtype, shape, file, offset, length } = stored;
  return mapped(dtype, shape, { file, offset, length });
};

/** A matrix whose parts are mapped one by one, so that none of them is copied. */
const mappedTables = (checkpoint: Stored) => (name: string): Table => {
  const stored = storedIn(checkpoint, name);
  if (isPacked(stored)) return packedTable(stored);
  const { dtype, file, offset, length, shape } = stored;
  const [height, width] = shape as [number, number];
  const row = length / height;
  return {
    ...tableOf(mapped(dtype, shape, { file, offset, length })),
    part(from, to) {
      const place = { file, offset: offset + from * row, length: (to - from) * row };
      return cast(mapped(dtype, [to - from, width], place), 'float32');
    },
  };
};

/** The checkpoint's own weights, mapped from its files. */
export function frozenWeights(checkpoint: Checkpoint): Weights {
  const tensor = mappedTensors(checkpoint);
  return {
    tensor,
    table: mappedTables(checkpoint),
    linear: (module, x) => addBias(linear(x, tensor(`${module}.weight`)), biasOf(checkpoint, module, tensor)),
  };
}

const biasOf = ({ tensors }: Stored, module: string, tensor: (name: string) => Tensor): Tensor | undefined =>
  tensors.has(`${module}.bias`) ? tensor(`${module}.bias`) : undefined;

/** Frozen weights with a trainable adapter: fed as inputs `a:<module>` and `b:<module>`. */
export interface AdaptedWeights extends Weights {
  /** The inputs in the order of `plan.modules`: A then B of each, then the heads. */
  readonly parameters: readonly {
    readonly name: string;
    readonly tensor: Tensor;
    readonly offset: number;
    readonly shape: readonly [number, number];
  }[];
  /** The weight [size, width] of each head, by its name; the last of the parameters, named `head:<name>`. */
  readonly heads: Readonly<Record<string, Tensor>>;
  /** Dropout masks that must be fed, one for each module, named `mask:<module>`; none without dropout. */
  readonly masks: readonly { readonly name: string; readonly module: string; readonly width: number }[];
}

/** The checkpoint's weights with LoRA on the planned modules (merged into the weight where there is no dropout). */
export function adaptedWeights(checkpoint: Checkpoint, plan: AdapterPlan, options: { readonly dropout: boolean }): AdaptedWeights {
  const frozen = frozenWeights(checkpoint);
  const rows: Dim = plus(LAYOUT_SIZES.Mp, LAYOUT_SIZES.Mr);
  const parameters: AdaptedWeights['parameters'][number][] = [];
  const masks: AdaptedWeights['masks'][number][] = [];
  const factors = new Map<string, readonly [Tensor, Tensor]>();
  const dropout = options.dropout && plan.options.dropout > 0;
  for (const { name, a, b } of plan.modules.values()) {
    const pair = [input(`a:${name}`, a.shape), input(`b:${name}`, b.shape)] as const;
    factors.set(name, pair);
    parameters.push({ name: `a:${name}`, tensor: pair[0], ...a }, { name: `b:${name}`, tensor: pair[1], ...b });
  }
  const heads = Object.fromEntries(plan.heads.map(({ name, size, width }) => [name, input(`head:${name}`, [size, width])]));
  for (const { name, offset, size, width } of plan.heads) {
    parameters.push({ name: `head:${name}`, tensor: heads[name]!, offset, shape: [size, width] });
  }
  return {
    parameters,
    masks,
    heads,
    tensor: frozen.tensor,
    table: frozen.table,
    linear(module, x) {
      const pair = factors.get(module);
      if (pair === undefined) return frozen.linear(module, x);
      const [a, b] = pair;
      const { inputs, scale } = plan.modules.get(module)!;
      const weight = frozen.tensor(`${module}.weight`);
      const bias = biasOf(checkpoint, module, frozen.tensor);
      if (!dropout) return addBias(loraLinear(x, weight, a, b, scale), bias);
      masks.push({ name: `mask:${module}`, module, width: inputs });
      // The mask holds 0 or 1; PyTorch scales what is kept by 1/(1 − p).
      const kept = mul(cast(input(`mask:${module}`, [rows, inputs], 'uint8'), 'float32'), 1 / (1 - plan.options.dropout));
      return addBias(loraBeside(x, mul(x, kept), weight, a, b, scale), bias);
    },
  };
}

/** Frozen weights whose adapted modules are fed already merged, as inputs `w:<module>` [out, in]: for generation. */
export function mergedInputs(checkpoint: Checkpoint, plan: AdapterPlan): Weights {
  const frozen = frozenWeights(checkpoint);
  const made = new Map<string, Tensor>();
  return {
    tensor: frozen.tensor,
    table: frozen.table,
    linear(module, x) {
      const shape = plan.modules.get(module);
      if (shape === undefined) return frozen.linear(module, x);
      const weight = made.get(module) ?? input(`w:${module}`, [shape.outputs, shape.inputs]);
      made.set(module, weight);
      return addBias(matmul(x, weight, { transB: true }), biasOf(checkpoint, module, frozen.tensor));
    },
  };
}

/**
 * The weights of a checkpoint in codes, for programs without gradients, compiled with `prepack`. A matrix with `steps` is multiplied in
 * its codes, which suits few rows and rounds the rows; the others are widened for the run and multiplied in float32. An adapter of float32
 * lies beside them where there is a plan, fed as inputs `a:<module>` and `b:<module>`: merging it would widen every matrix, or round it.
 */
export function packedWeights(
  checkpoint: Checkpoint, { plan, steps = new Map() }: { readonly plan?: AdapterPlan; readonly steps?: Steps } = {},
): Weights {
  const frozen = frozenWeights(checkpoint);
  const product = (module: string, x: Tensor): Tensor => {
    const factors = steps.get(module), stored = storedIn(checkpoint, `${module}.weight`);
    if (factors === undefined || !isPacked(stored)) return linear(x, frozen.tensor(`${module}.weight`));
    return stepProduct(x, stored, factors);
  };
  return {
    ...frozen,
    linear(module, x) {
      const base = product(module, x);
      const lora = plan?.modules.get(module);
      const y =
        lora === undefined
          ? base
          : add(
              base,
              matmul(matmul(x, input(`a:${module}`, lora.a.shape), { transB: true }), input(`b:${module}`, lora.b.shape), {
                transB: true,
                alpha: lora.scale,
              }),
            );
      return addBias(y, biasOf(checkpoint, module, frozen.tensor));
    },
  };
}

/** What `packedWeights` is fed of an adapter. */
export const besideFeeds = ({ modules }: AdapterPlan, parameters: View): Record<string, View> => {
  const part = (at: { readonly offset: number; readonly shape: readonly number[] }): View =>
    view(parameters.buffer, at.shape, parameters.offset + at.offset);
  return Object.fromEntries([...modules.values()].flatMap(({ name, a, b }) => [[`a:${name}`, part(a)], [`b:${name}`, part(b)]]));
};

/** Binds those of an adapter's views that a program reads: a head that it does not read is no input of it. */
export function bindRead(session: Session, views: Readonly<Record<string, View>>): void {
  const read = new Set(session.program.inputs.map(({ name }) => name));
  session.bind(Object.fromEntries(Object.entries(views).filter(([name]) => read.has(name))));
}

/** Where each parameter of an adapter lies in the flat array. */
export const boundParameters = (weights: AdaptedWeights, parameters: View, prefix = ''): Record<string, View> =>
  Object.fromEntries(weights.parameters.map((p) => [`${prefix}${p.name}`, view(parameters.buffer, p.shape, parameters.offset + p.offset)]));

