import { type View, view } from '@heed/tensor';

/** Numbers that are updated, read or written at once, 1 MB: nothing beside a state of many millions is then as large as the state. */
export const PIECE = 2 ** 18;

/** A vector cut into pieces of at most `size` numbers, in order. */
export function piecesOf({ buffer, offset, shape: [n] }: View, size = PIECE): View[] {
  return Array.from({ length: Math.ceil(n! / size) }, (_, i) => view(buffer, [Math.min(size, n! - i * size)], offset + i * size));
}
