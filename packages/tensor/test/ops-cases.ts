import { readFileSync } from 'node:fs';
import { type Dim, plus, sym, times } from '../src/dims.js';
import type { DType } from '../src/onnx/model.js';
import * as elementwise from '../src/ops/elementwise.js';
import * as products from '../src/ops/matmul.js';
import * as model from '../src/ops/model.js';
import * as reduce from '../src/ops/reduce.js';
import * as shaping from '../src/ops/shape.js';
import { tableOf } from '../src/ops/table.js';
import * as labelled from '../src/ops/token-log-probs.js';
import { type Tensor, detach } from '../src/tensor.js';
import type { Build, Given } from './gradient-check.js';

/** One case of fixtures/ops.json, made by tools/oracles/tensor_ops.py. */
export interface Case {
  readonly op: string;
  readonly note: string;
  readonly args: Partial<Args>;
  readonly inputs: readonly Given[];
  readonly shape: readonly number[];
  readonly seed: readonly number[];
  readonly output: readonly number[];
  readonly gradients: readonly (readonly number[] | null)[];
}

export interface Points {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly derivative: readonly number[];
}

/** "2*n+1" as a dimension. */
const dim = (text: string | number): Dim =>
  typeof text === 'number'
    ? text
    : plus(
        ...text.split('+').map((term) => times(...term.split('*').map((factor) => (/^\d+$/.test(factor) ? Number(factor) : sym(factor))))),
      );

const fixture = JSON.parse(readFileSync(new URL('fixtures/ops.json', import.meta.url), 'utf8')) as {
  cases: (Omit<Case, 'inputs'> & { inputs: (Omit<Given, 'dims'> & { dims: (string | number)[] })[] })[];
  points: Record<string, Points>;
};
export const points = fixture.points;
/** Log-probabilities and logits are the same whether a head is worked through by rows or by pieces of the vocabulary. */
const both = <C extends { op: string; note: string; args: Partial<Args> }>(c: C): readonly C[] => {
  const inPieces = { ...c, note: `${c.note}, vocabulary in 3`, args: { ...c.args, vocabularyPieces: 3 } };
  if (c.op === 'linear') return [c, { ...c, op: 'headLogits' }, { ...inPieces, op: 'headLogits' }];
  return c.op === 'tokenLogProbs' ? [c, inPieces] : [c];
};
export const cases: readonly Case[] = fixture.cases.flatMap(both).map((c) => ({
  ...c,
  inputs: c.inputs.map((given) => ({ ...given, dims: given.dims.map(dim) })),
}));

/** Everything that src/ops exports, by name. */
export const exported: Readonly<Record<string, unknown>> = { ...elementwise, ...products, ...model, ...reduce, ...shaping, ...labelled };

/** The args that cases have; which of them are there depends on the operation. */
interface Args {
  readonly alpha: number;
  readonly axes: readonly number[] | null;
  readonly axis: number;
  readonly epsilon: number;
  readonly heads: number;
  readonly high: number;
  readonly keep: boolean;
  readonly low: number | null;
  readonly order: readonly number[];
  readonly parts: readonly (string | number)[];
  readonly s: number;
  readonly shape: readonly (string | number)[];
  readonly stored: DType;
  readonly kept?: boolean;
  readonly vocabularyPieces?: number;
  readonly through: DType;
  readonly transA: boolean;
  readonly transB: boolean;
  readonly went: 'once' | 'atMostOnce' | 'often' | null;
}

/** Argument lists that are not just the inputs. */
const special: Readonly<Record<string, (x: Tensor[], a: Args) => Tensor>> = {
  addBias: ([x, bias], a) => model.addBias(x!, stored(bias!, a.stored)),
  atLeast: ([a, b]) => elementwise.toFloat(elementwise.atLeast(a!, b!)),
  cast: ([x], a) => elementwise.cast(elementwise.cast(x!, a.through), 'float32'),
  clamp: ([x], a) => elementwise.clamp(x!, a.low ?? -Infinity, a.high),
  concat: (x, a) => shaping.concat(x, a.axis),
  expandTo: ([x], a) => shaping.expandTo(x!, dims(a.shape)),
  greater: ([a, b]) => elementwise.toFloat(elementwise.greater(a!, b!)),
  headRows: ([x], a) => products.headRows(x!, a.heads),
  headLogits: ([x, w], a) => labelled.headLogits(x!, tableOf(stored(w!, a.stored)), a.vocabularyPieces),
  linear: ([x, w], a) => products.linear(x!, stored(w!, a.stored)),
  loraBeside: ([x, dropped, w, f, g], a) => products.loraBeside(x!, dropped!, stored(w!, a.stored), f!, g!, a.s),
  loraLinear: ([x, w, f, g], a) => products.loraLinear(x!, stored(w!, a.stored), f!, g!, a.s),
  matmul: ([x, y], a) => products.matmul(x!, y!, a),
  max: ([x], a) => reduce.max(x!, a.axis, a.keep),
  mean: ([x], a) => reduce.mean(x!, a.axes!, a.keep),
  mergedWeight: ([w, f, g], a) => products.mergedWeight(stored(w!, a.stored), f!, g!, a.s),
  reshape: ([x], a) => shaping.reshape(x!, dims(a.shape)),
  rmsNorm: ([x, w], a) => model.rmsNorm(x!, w!, a.epsilon),
  rope: ([x, positions, cos, sin], a) => model.rope(x!, positions!, cos!, sin!, a.heads),
  split: ([x], a) => {
    const parts = shaping.split(x!, a.axis, dims(a.parts));
    return shaping.concat([parts[2]!, parts[0]!], a.axis);
  },
  sum: ([x], a) => reduce.sum(x!, a.axes ?? undefined, a.keep),
  sumTo: ([x], a) => reduce.sumTo(x!, dims(a.shape)),
  takeRows: ([x, index, inverse], a) => shaping.takeRows(x!, index!, a.went === null ? undefined : { index: inverse!, went: a.went }),
  onlyKept: ([x, kept]) => reduce.softmax(model.onlyKept(x!, kept!)),
  tokenLogProbs([hidden, head, ...rest], a) {
    const pieces = a.kept ? rest.length / 2 : rest.length;
    const options = { kept: rest.slice(pieces), pieces: a.vocabularyPieces };
    return labelled.tokenLogProbs(hidden!, tableOf(stored(head!, a.stored)), rest.slice(0, pieces), options);
  },
  transpose: ([x], a) => shaping.transpose(x!, a.order),
  zeros: ([x], a) => elementwise.mul(shaping.zeros(dims(a.shape)), detach(x!)),
};

const dims = (shape: readonly (string | number)[]): Dim[] => shape.map(dim);
/** A frozen weight as a file would hold it. */
const stored = (weight: Tensor, dtype: DType): Tensor => (dtype === 'float32' ? weight : detach(elementwise.cast(weight, dtype)));

export function builder({ op, args }: Pick<Case, 'op' | 'args'>): Build {
  const make = special[op];
  return make === undefined ? (exported[op] as Build) : (...inputs) => make(inputs, args as Args);
}
