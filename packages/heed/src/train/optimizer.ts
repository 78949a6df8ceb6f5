import { type View, adamw, clipScale, normOfSquares, normShape, predictPeak, rowSquares, view } from '@heed/tensor';
import { scalarFeed } from './feeds.js';
import { PIECE, piecesOf } from './pieces.js';
import type { State } from './state.js';
import type { StepperSetup } from './stepper.js';

/** AdamW over the whole state, piece by piece, and the norm of its gradient. */
export interface Optimizer {
  /** The L2 norm of the gradient. */
  norm(): Promise<number>;
  /** Updates parameters and moments. `t` counts steps since the optimizer was started, this one included. */
  update(how: { readonly norm: number; readonly learningRate: number; readonly t: number }): Promise<void>;
  release(): Promise<void>;
}

/** Rows of a gradient, in the shape of `normShape`, that are taken at once. */
const rowsAtOnce = (width: number): number => Math.max(1, Math.floor(PIECE / width));

/** Compiles the optimizer of a state. */
export async function createOptimizer(
  { engine, state, optimizer: options, clip }: Pick<StepperSetup, 'engine' | 'state' | 'optimizer' | 'clip'>,
): Promise<Optimizer> {
  const { buffer, offset, shape: [n] } = state.gradients;
  const [rows, width] = normShape(n!);
  const rowSums = view(await engine.allocate('float32', rows));
  const programs = { squares: await engine.compile(rowSquares()), norm: await engine.compile(normOfSquares()) };
  const adam = await engine.compile(adamw(options));
  programs.norm.bind({ squares: rowSums });
  const pieces = updatesOf(state);
  return {
    async norm() {
      const step = rowsAtOnce(width);
      for (let row = 0; row < rows; row += step) {
        const count = Math.min(step, rows - row);
        await programs.squares.run(
          { x: view(buffer, [count, width], offset + row * width) }, { squares: view(rowSums.buffer, [count], row) },
        );
      }
      return (await programs.norm.run({})).norm!.data[0] as number;
    },
    async update({ norm, learningRate, t }) {
      const [beta1, beta2] = options.betas;
      for (const { feeds, into } of pieces) {
        await adam.run({
          ...feeds,
          gradientScale: scalarFeed(clip > 0 ? clipScale(norm, clip) : 1),
          learningRate: scalarFeed(learningRate),
          correction1: scalarFeed(1 - beta1 ** t),
          correction2: scalarFeed(1 - beta2 ** t),
        }, into);
      }
    },
    async release() {
      for (const session of [programs.squares, programs.norm, adam]) await session.release();
      await engine.free(rowSums.buffer);
    },
  };
}

/** What AdamW reads and writes, piece by piece. It works in place. */
function updatesOf(state: State): { feeds: Record<string, View>; into: Record<string, View> }[] {
  const [gradients, m, v] = [state.gradients, state.m, state.v].map((whole) => piecesOf(whole));
  return piecesOf(state.parameters).map((parameters, i) => ({
    feeds: { parameters, gradients: gradients![i]!, m: m![i]!, v: v![i]! },
    into: { new_parameters: parameters, new_m: m![i]!, new_v: v![i]! },
  }));
}

/** Bytes that the optimizer's programs take at most for a state of n numbers. */
export function predictOptimizer(n: number): number {
  const [rows, width] = normShape(n);
  const programs = [
    predictPeak(rowSquares(), { x: [Math.min(rows, rowsAtOnce(width)), width] }),
    predictPeak(normOfSquares(), { squares: [rows] }),
    predictPeak(adamw(), { parameters: [Math.min(n, PIECE)] }),
  ];
  return programs.reduce((total, { peak }) => total + peak, 0);
}

