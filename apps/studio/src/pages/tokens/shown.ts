/** Marked tokens as the page has them, wherever they come from. */
import type { Heatmap, Scored } from '../../api.js';

/** A token with what is known of it. */
export interface Known {
  readonly text: string;
  /** log q/p; null where it was not finite. */
  readonly ratio: number | null;
  /** Natural logarithms; absent in what a run has kept. */
  readonly logp?: number;
  readonly logq?: number;
  readonly quoted: boolean;
}

/** Where the tokens come from, in words, and the tokens. */
export interface Shown {
  readonly from: string;
  readonly tokens: readonly Known[];
}

export const ofScored = ({ tokens, speaker }: Scored): Shown => ({
  from: `scored by ${speaker.title}`,
  tokens: tokens.map(({ text, logp, logq, quoted }) => ({ text, logp, logq, quoted, ratio: logq - logp })),
});

export const ofHeatmap = ({ tokens, logRatio, step }: Heatmap, run: string): Shown => ({
  from: `as ${run} saw it${step === undefined ? '' : ` at step ${step}`}`,
  tokens: tokens.map((text, i) => ({ text, ratio: logRatio[i] ?? null, quoted: false })),
});

/** A token is inappropriate where q/p > λ (CUT, Xu et al. 2024, Eq. 5). */
export const isMarked = ({ ratio }: Known, lambda: number): boolean => ratio !== null && ratio > Math.log(lambda);

/** Where the shade is full: the 98th percentile of |log q/p|, at least 1. As in the report. */
export function fullShade(tokens: readonly Known[]): number {
  const sizes = tokens.flatMap(({ ratio }) => (ratio === null ? [] : [Math.abs(ratio)])).sort((a, b) => a - b);
  return Math.max(1, sizes[Math.floor(0.98 * (sizes.length - 1))] ?? 1);
}
