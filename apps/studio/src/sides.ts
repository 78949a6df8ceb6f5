/** What is compared, in the address: the sides one to a line, the baseline first. */
import type { RunLine, Side } from './api.js';
import { addressOf, place, setParams } from './router.js';
import { nameOf } from './write.js';

const BEFORE = 'before:';

/** The sides that the address names. */
export const sidesOf = (params: URLSearchParams): Side[] => (params.get('runs') ?? '').split('\n').filter((side) => side !== '');

/** The sides of the page that is shown. */
export const sidesShown = (): Side[] => sidesOf(place.value.params);

export const setSides = (sides: readonly Side[]): void => setParams({ runs: sides.join('\n') });

/** The address of a comparison. */
export const comparisonOf = (sides: readonly Side[]): string => addressOf('compare', { runs: sides.join('\n') });

/** A run's model before training, as a side. */
export const beforeOf = (run: string): Side => `${BEFORE}${run}`;

export const runOf = (side: Side): string => (side.startsWith(BEFORE) ? side.slice(BEFORE.length) : side);

/** A side in words, as short as tells the sides apart. */
export function titleOf(side: Side, sides: readonly Side[]): string {
  const run = runOf(side);
  const alike = sides.some((other) => runOf(other) !== run && nameOf(runOf(other)) === nameOf(run));
  const name = alike ? run : nameOf(run);
  return side.startsWith(BEFORE) ? `before ${name}` : name;
}

/** The parameters of a request for a comparison. */
export const queryOf = (sides: readonly Side[]): string => sides.map((side) => `side=${encodeURIComponent(side)}`).join('&');

/** Colours and strokes of the sides, in their order: lines differ by both. */
export const LOOKS: readonly { readonly colour: string; readonly dash?: number[] }[] = [
  { colour: '--ink', dash: [6, 4] }, { colour: '--c1' }, { colour: '--c2', dash: [9, 3] }, { colour: '--c3', dash: [2, 3] },
  { colour: '--c4', dash: [9, 3, 2, 3] }, { colour: '--c5' }, { colour: '--c6', dash: [4, 4] }, { colour: '--soft', dash: [2, 2] },
];

/** Whether a run has anything to compare: a step, or answers. */
export const comparable = ({ steps, heldOut }: RunLine): boolean => steps > 0 || heldOut !== undefined;
