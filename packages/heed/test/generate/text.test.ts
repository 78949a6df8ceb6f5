import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prefillGroups } from '../../src/generate/slots.js';
import { completionOf, startSequence } from '../../src/generate/sequence.js';
import { createTextStream } from '../../src/generate/text-stream.js';

// Tokens are bytes, so that characters and stop texts come in pieces.
const decode = (ids: readonly number[]): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(ids));
const encode = (text: string): number[] => [...new TextEncoder().encode(text)];

function feed(ids: readonly number[], stop: readonly string[]) {
  const stream = createTextStream(decode, stop);
  let out = '';
  let used = 0;
  for (const id of ids) {
    const { delta, stopped } = stream.push(id);
    out += delta;
    used++;
    if (stopped) break;
  }
  return { text: out + stream.end(), used, cut: stream.cut };
}

describe('the space before the first word', () => {
  // A SentencePiece vocabulary writes it in the first token and drops it from a text of its own.
  const words = [' a', ' b', 'c'];
  const spell = (ids: readonly number[], continues = false): string => {
    const text = ids.map((id) => words[id]).join('');
    return continues ? text : text.replace(/^ /, '');
  };
  it.each([[true, ' a bc'], [false, 'a bc'], [undefined, 'a bc']])('continues %s: %j, streamed or not', (continues, expected) => {
    let streamed = '';
    const sequence = startSequence({ prompt: [2], row: 0, continues }, 0, { maxNewTokens: 3, temperature: 0, seed: 0 },
      { decode: spell, stopIds: [], vocabulary: 3 }, { onToken: (_row, _sample, delta) => (streamed += delta) });
    for (const id of [0, 1, 2]) sequence.push({ id, logprob: -1 });
    expect([streamed, completionOf(sequence).text]).toEqual([expected, expected]);
  });
});

describe('createTextStream', () => {
  it('gives the decoded text in pieces that never change', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(feed(encode(text), []).text).toBe(decode(encode(text)));
    }));
  });

  it('ends before the first stop text, wherever tokens begin and end', () => {
    const unit = fc.constantFrom('a', 'b', 'é', '🐚');
    fc.assert(fc.property(fc.string({ unit }), fc.array(fc.string({ unit, minLength: 1, maxLength: 3 })), (text, stop) => {
      const first = Math.min(...stop.map((s) => text.indexOf(s)).filter((at) => at >= 0).map((at) => at));
      const { text: given, cut } = feed(encode(text), stop);
      if (first === Infinity) {
        expect(given).toBe(text);
        expect(cut).toBeUndefined();
        return;
      }
      // Of two stop texts the one that is complete first counts.
      expect(text.startsWith(given)).toBe(true);
      expect(cut!.text).toBe(given);
      expect(stop.some((s) => text.startsWith(given + s))).toBe(true);
      expect(decode(encode(text).slice(0, cut!.tokens))).toBe(given);
    }));
  });

  it('keeps the tokens that lie wholly before a stop text inside a token', () => {
    const words = ['The', ' end', '.\n\nUser', ':'];
    const stream = createTextStream((ids) => ids.map((id) => words[id]!).join(''), ['\nUser:']);
    const deltas = [0, 1, 2, 3].map((id) => stream.push(id));
    expect(deltas.map(({ delta }) => delta)).toEqual(['The', ' end', '.\n', '']);
    expect(deltas.map(({ stopped }) => stopped)).toEqual([false, false, false, true]);
    expect(stream.cut).toEqual({ text: 'The end.\n', tokens: 2 });
  });

  it('shows bytes that are no character, in the end', () => {
    expect(feed([0x61, 0xf0, 0x9f], []).text).toBe('a\uFFFD');
    expect(feed([0xff, 0xff, 0xff, 0xff, 0xff, 0x62], []).text).toBe('\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDb');
  });
});

describe('prefillGroups', () => {
  it('puts short prompts of similar length together and leaves none out', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 700 })), (lengths) => {
      const groups = prefillGroups(lengths, (n) => n);
      expect(groups.flat().sort((a, b) => a - b)).toEqual([...lengths].sort((a, b) => a - b));
      for (const group of groups) {
        const padded = Math.max(...group) * group.length;
        if (group.length > 1) expect(padded).toBeLessThanOrEqual(Math.min(512, 1.25 * group.reduce((a, b) => a + b, 0)));
      }
    }));
    expect(prefillGroups([30, 400, 31, 29], (n) => n)).toEqual([[29, 30, 31], [400]]);
  });
});
