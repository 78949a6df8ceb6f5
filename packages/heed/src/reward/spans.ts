import type { ValuedSpan } from './reward.js';

/** What places earned together, in equal parts; none where there is no place: the value then belongs to the response as a whole. */
export const inParts = (places: readonly Pick<ValuedSpan, 'start' | 'end'>[], value: number): ValuedSpan[] =>
  places.map(({ start, end }) => ({ start, end, value: value / places.length }));
