/** Lines that the reports of several labelers share. */
import { finePercent as percent, withInterval } from '../run/numbers.js';
import type { Estimate } from '../run/statistics.js';
import type { Calibration, PositionBias, Verdicts } from './statistics.js';

/** `75.0 % [60.1, 85.8], n = 40`. */
export const share = (estimate: Estimate): string => `${withInterval(estimate, percent)}, n = ${estimate.n}`;

export const fixed = (x: number): string => x.toFixed(3);

/** A list with this line, or an empty list where there is nothing to say. */
export const lineIf = (say: boolean, line: () => string): string[] => (say ? [line()] : []);

/** How much probability the judge gave to the answers together; `answers` names them. */
export const massLine = (mass: number | undefined, answers: string): string[] =>
  (mass === undefined ? [] : [`probability of ${answers} together: ${fixed(mass)}`]);

export const samplesLine = (n: number): string[] =>
  lineIf(n > 0, () => `replies counted from samples, for want of log-probabilities: ${n}`);

/** Verdicts of yes or no beside people's. */
export function verdictLines(human: Verdicts | undefined): string[] {
  if (human === undefined) return [];
  const { accuracy, balanced, majority, yes, no } = human;
  return [
    `agrees with people:    ${share(accuracy)}; the commoner verdict alone: ${percent(majority)}`,
    `  mean of both classes: ${share(balanced)}; one verdict for all: 50.0 %`,
    `  satisfied where people were: ${yes.saidYes} of ${yes.n}; where they were not: ${no.saidYes} of ${no.n}`,
  ];
}

/** Whether the judge prefers a place. */
export function positionLines(position: PositionBias | undefined): string[] {
  if (position === undefined) return [];
  const { same, first, p } = position;
  const biased = Math.round(same.mean * same.n);
  const test = p < 1e-4 ? p.toExponential(1) : p.toFixed(4);
  const places = biased === 0 ? '' : `; of these the first in ${first} of ${biased} (binomial p = ${test})`;
  return [`same place preferred in both orders:  ${share(same)}${places}`];
}

/** Probabilities beside what people said. */
export function calibrationLines(calibration: Calibration | undefined): string[] {
  if (calibration === undefined) return [];
  const { bins, ece, brier } = calibration;
  const shown = bins.map(({ from, to, seen, n }) => (
    { name: `${from.toFixed(1)}–${to.toFixed(1)}`, value: seen, note: `${fixed(seen)}  n = ${n}` }
  ));
  return [`calibration error ${fixed(ece)}, Brier ${fixed(brier)}`, ...barLines('what people said where the label was', shown)];
}

const WIDTH = 30;

/** A bar chart of values from 0 to 1. */
export const barLines = (
  title: string, bars: readonly { readonly name: string; readonly value: number; readonly note: string }[],
): string[] => [title, ...bars.map(({ name, value, note }) => `  ${name} ${'█'.repeat(Math.round(value * WIDTH)).padEnd(WIDTH)} ${note}`)];
