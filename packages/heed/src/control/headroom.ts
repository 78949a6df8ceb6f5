/** What choosing per prompt could gain over the best fixed choice, before anything is learnt. */
import { indexOfMost } from './policy.js';

/** Rewards of answers: `[prompt][action][sample]`. */
export type RewardTable = readonly (readonly (readonly number[])[])[];

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The mean reward of each action over all prompts, each prompt counted once. */
export function staticMeans(table: RewardTable): number[] {
  return (table[0] ?? []).map((_, a) => mean(table.map((row) => mean(row[a]!))));
}

/** Headroom where the means are known: E_x max_a p(x, a) − max_a E_x p(x, a). */
export interface Headroom {
  /** The best fixed action's mean. */
  readonly fixed: number;
  /** The mean where each prompt gets its own best action. */
  readonly perPrompt: number;
  readonly headroom: number;
}

/** The headroom of exact means [prompt][action]. */
export function headroomOf(means: readonly (readonly number[])[]): Headroom {
  const fixed = Math.max(...staticMeans(means.map((row) => row.map((p) => [p]))));
  const perPrompt = mean(means.map((row) => Math.max(...row)));
  return { fixed, perPrompt, headroom: perPrompt - fixed };
}

/**
 * Headroom of sampled rewards, without the luck of the draw: actions are chosen on one half of each prompt's samples (the even ones, then
 * the odd ones) and valued on the other. Chosen and valued on the same samples, the maximum over actions of noisy means would show
 * headroom where there is none.
 *
 * @throws RangeError where an action has fewer than 2 samples
 */
export function splitHeadroom(table: RewardTable): Headroom {
  const half = (odd: number): number[][] =>
    table.map((row) => row.map((samples) => {
      if (samples.length < 2) throw new RangeError('splitHeadroom: each action needs 2 samples of each prompt or more');
      return mean(samples.filter((_, m) => m % 2 === odd));
    }));
  const [even, odd] = [half(0), half(1)];
  const valued = (chosen: number[][], valuing: number[][]): { fixed: number; perPrompt: number } => {
    const best = indexOfMost(staticMeans(chosen.map((row) => row.map((p) => [p]))));
    return {
      fixed: mean(valuing.map((row) => row[best]!)),
      perPrompt: mean(valuing.map((row, x) => row[indexOfMost(chosen[x]!)]!)),
    };
  };
  const ways = [valued(even, odd), valued(odd, even)];
  const [fixed, perPrompt] = [mean(ways.map((way) => way.fixed)), mean(ways.map((way) => way.perPrompt))];
  return { fixed, perPrompt, headroom: perPrompt - fixed };
}
