import { expect, it } from 'vitest';
import { likelyOf, textOf } from '../../src/judge/endpoint/tokens.js';

const bytes = (text: string): number[] => [...Buffer.from(text)];

it.each([
  ['▁B', undefined, ' B'],
  ['ĠB', undefined, ' B'],
  ['<0x42>', undefined, 'B'],
  ['<0xC3><0xA9>', undefined, 'é'],
  ['Ċ', undefined, '\n'],
  ['token_id:33', bytes('B'), 'B'],
  ['ĠB', bytes(' B'), ' B'],
  // Some servers give the bytes of the spelling.
  ['▁B', bytes('▁B'), ' B'],
  ['B', [], 'B'],
  ['B', undefined, 'B'],
])('the token %j with the bytes %j says %j', (token, of, said) => {
  expect(textOf({ token, bytes: of })).toBe(said);
});

const at = (token: string, p: number, of?: string): { token: string; logprob: number; bytes?: number[] } =>
  ({ token, logprob: Math.log(p), ...(of === undefined ? {} : { bytes: bytes(of) }) });
const shown = (...args: Parameters<typeof likelyOf>): string[] =>
  likelyOf(...args).map(({ token, logprob }) => `${token}|${Math.exp(logprob).toFixed(2)}`);

it('counts a chosen token that is listed once, whatever it is written like', () => {
  // Not in the list: added.
  expect(shown(at('B', 0.6), [at('A', 0.3)])).toEqual(['A|0.30', 'B|0.60']);
  // In the list, as it is.
  expect(shown(at('B', 0.6), [at('B', 0.6), at('A', 0.3)])).toEqual(['B|0.60', 'A|0.30']);
  // In the list without its space, with the same probability.
  expect(shown(at(' B', 0.4), [at('B', 0.4), at('A', 0.1)])).toEqual(['B|0.40', 'A|0.10']);
  // In the list by its spelling.
  expect(shown(at(' B', 0.4), [at('▁B', 0.4), at('A', 0.1)])).toEqual([' B|0.40', 'A|0.10']);
  // The chosen one's probability after sampling, where all others were cut away: 1 + 0.7 + 0.2 is more than there is.
  expect(shown(at(' B', 1), [at('B', 0.7), at('A', 0.2)])).toEqual(['B|0.70', 'A|0.20']);
  // Two tokens with one text, of which the list holds the other.
  expect(shown(at(' B', 0.1), [at('B', 0.5), at('A', 0.2)])).toEqual(['B|0.50', 'A|0.20', ' B|0.10']);
});

it('keeps two tokens that spell the same, and drops one that is listed twice', () => {
  expect(shown(undefined, [at('B', 0.5), at('<0x42>', 0.1), at('B', 0.5)])).toEqual(['B|0.50', 'B|0.10']);
});
