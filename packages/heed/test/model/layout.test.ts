import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headsAt, invert, slotsOfHeads } from '../../src/model/head-slots.js';
import { layOut, windowMasks } from '../../src/model/layout.js';
import { openTiny, scorer, useEngine } from './tiny.js';

const X = -1e9;

describe('a layout', () => {
  // Prompts a = [10, 11] (twice) and b = [20]; by hand.
  const layout = layOut([
    { prompt: [10, 11], response: [1, 2] },
    { prompt: [20], response: [3] },
    { prompt: [10, 11], response: [4, 5, 6], supervised: [true, false, true] },
  ]);

  it('has each prompt once, then the responses, without padding', () => {
    expect([...layout.ids]).toEqual([10, 11, 20, 1, 2, 3, 4, 5, 6]);
    expect([...layout.positions].map(Number)).toEqual([0, 1, 0, 2, 3, 1, 2, 3, 4]);
    expect(layout).toMatchObject({
      prompts: 2,
      sequences: 3,
      promptRows: 3,
      responseRows: 6,
      promptSlots: 2,
      responseSlots: 3,
      shares: 2,
      longest: 5,
    });
  });

  it('says where rows go in attention and where they come from', () => {
    expect([...layout.promptOf]).toEqual([0, 1, 2, 0]);
    expect([...layout.promptAt]).toEqual([0, 1, 2]);
    expect([...layout.keysOf]).toEqual([0, 1, 2, 0, 0, 1]);
    expect([...layout.keysAt]).toEqual([0, 4, 1, 5, 2, 6]); // 6: nowhere
    expect([...layout.responseOf]).toEqual([0, 1, 0, 2, 0, 0, 3, 4, 5]);
    expect([...layout.responseAt]).toEqual([0, 1, 3, 6, 7, 8]);
  });

  it('lets a response see its prompt and its past', () => {
    expect([...layout.promptMask]).toEqual([0, X, 0, 0, 0, X, 0, X]);
    expect([...layout.responseMask]).toEqual([
      0, 0, 0, X, X, 0, 0, 0, 0, X, 0, X, X, X, X,
      0, X, 0, X, X, 0, X, X, X, X, 0, X, X, X, X,
      0, 0, 0, X, X, 0, 0, 0, 0, X, 0, 0, 0, 0, 0,
    ]);
  });

  it('reads the row before each supervised token', () => {
    expect([...layout.labels]).toEqual([1, 3, 4, 2, 6]);
    expect([...layout.firstFrom]).toEqual([1, 2, 1]);
    expect([...layout.firstAt]).toEqual([3, 3, 0, 2, 1, 3]);
    expect([...layout.restFrom]).toEqual([0, 4]);
    expect([...layout.restAt]).toEqual([0, 2, 2, 2, 1, 2]);
    expect(layout.labelOf.map((at) => [...at])).toEqual([[0, 3], [1], [2, -1, 4]]);
  });

  it('keeps equal prompts apart when asked', () => {
    expect(
      layOut(
        [
          { prompt: [7], response: [1] },
          { prompt: [7], response: [2] },
        ],
        { share: false },
      ),
    ).toMatchObject({ prompts: 2, promptRows: 2, shares: 1 });
  });

  it('refuses what cannot be scored', () => {
    expect(() => layOut([{ prompt: [], response: [1] }])).toThrow(/prompt has no tokens/);
    expect(() => layOut([{ prompt: [1], response: [] }])).toThrow(/response has no tokens/);
  });
});

describe('a window', () => {
  const tokens = (min: number, max: number) => fc.array(fc.nat(2), { minLength: min, maxLength: max });
  const sequences = fc.array(fc.record({ prompt: tokens(1, 6), response: tokens(1, 5) }), { minLength: 1, maxLength: 4 });

  it('shows each token its last positions, across prompt and response, and padding something', () => {
    fc.assert(fc.property(sequences, fc.integer({ min: 1, max: 12 }), fc.boolean(), (rows, window, share) => {
      const layout = layOut(rows, { share });
      const { promptSlots: P, responseSlots: R } = layout;
      const { promptMask, responseMask } = windowMasks(layout, window);
      const seen = (mask: Float32Array, at: number, length: number): number[] =>
        [...mask.subarray(at, at + length).entries()].flatMap(([i, x]) => (x === 0 ? [i] : []));
      const expected = (position: number): number[] =>
        Array.from({ length: Math.min(window, position + 1) }, (_, i) => position - Math.min(window, position + 1) + 1 + i);
      rows.forEach(({ prompt, response }, s) => {
        const g = layout.promptIndex[s]!;
        for (let t = 0; t < P; t++) expect(seen(promptMask, (g * P + t) * P, P)).toEqual(t < prompt.length ? expected(t) : [0]);
        for (let t = 0; t < R; t++) {
          const slots = seen(responseMask, (s * R + t) * (P + R), P + R).map((slot) => (slot < P ? slot : slot - P + prompt.length));
          expect(slots).toEqual(t < response.length ? expected(prompt.length + t) : [0]);
        }
      });
    }));
  });
});

describe('tables of heads', () => {
  it('fold the query heads of a key head into rows', () => {
    // one sequence, 2 slots, 2 key heads of 2 query heads
    expect([...slotsOfHeads(Int32Array.of(0, 1), 1, 2, 2, 2)]).toEqual([0, 4, 1, 5, 2, 6, 3, 7]);
    expect([...slotsOfHeads(Int32Array.of(5, 3), 1, 2, 1, 1)]).toEqual([5, 3]);
  });

  it('lead back to the slots', () => {
    const there = slotsOfHeads(Int32Array.of(0, 1), 1, 2, 2, 2);
    const back = headsAt(Int32Array.of(0, 1), 1, 2, 2, 4);
    back.forEach((slot, row) => expect(there[slot]).toBe(row));
    expect([...headsAt(Int32Array.of(0, 2), 2, 2, 2, 2)]).toEqual([0, 4, 2, 4]); // 2 of 2 slots: nowhere, as 4 of 4 head slots
    expect([...invert(Int32Array.of(2, 0), 3)]).toEqual([1, 2, 0]);
  });
});

const engine = useEngine();
const sequence = fc
  .record({
    prompt: fc.constantFrom([5], [6, 7, 8], [9, 9, 1, 2, 3, 4, 5]),
    response: fc.array(fc.integer({ min: 0, max: 95 }), { minLength: 1, maxLength: 9 }),
  })
  .chain(({ prompt, response }) =>
    fc.record({
      prompt: fc.constant(prompt),
      response: fc.constant(response),
      supervised: fc.option(fc.array(fc.boolean(), { minLength: response.length, maxLength: response.length }), { nil: undefined }),
    }),
  );
const batch = fc.array(sequence, { minLength: 1, maxLength: 6 });

it('labels are the supervised tokens, each once, whatever the sequences', () => {
  fc.assert(fc.property(batch, fc.boolean(), (sequences, share) => {
    const { labels, labelOf, firstFrom, restFrom, ids, promptRows } = layOut(sequences, { share });
    const seen: number[] = [];
    sequences.forEach(({ prompt, response, supervised }, s) => response.forEach((token, t) => {
      const at = labelOf[s]![t]!;
      expect(at >= 0).toBe(supervised?.[t] !== false);
      if (at < 0) return;
      seen.push(at);
      expect(labels[at]).toBe(token);
      const from = at < firstFrom.length ? firstFrom[at]! : promptRows + restFrom[at - firstFrom.length]!;
      expect(ids[from]).toBe(t === 0 ? prompt.at(-1) : response[t - 1]);
    }));
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from(labels.keys()));
  }));
});

it('sharing prompts and masking tokens changes no log-probability', async () => {
  const model = await scorer(engine(), await openTiny('plain'));
  await fc.assert(fc.asyncProperty(batch, async (sequences) => {
    const whole = await model.score(sequences.map(({ prompt, response }) => ({ prompt, response })), false);
    for (const share of [true, false]) {
      const scores = await model.score(sequences, share);
      sequences.forEach(({ supervised }, s) => scores[s]!.forEach((score, t) => {
        if (supervised?.[t] === false) expect(score).toBeNaN();
        else expect(Math.abs(score - whole[s]![t]!)).toBeLessThan(1e-5);
      }));
    }
  }), { numRuns: 40 });
  await model.release();
});
