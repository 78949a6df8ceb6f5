import fc from 'fast-check';
import { expect, it } from 'vitest';
import { orderLeaves } from '../../src/onnx/order.js';
import { node } from '../programs.js';

it('puts the leaves last, the earliest at the very end', () => {
  const nodes = [node('A', ['x'], 'a'), node('Loss', ['a'], 'loss'), node('B', ['a'], ['b', 'unused']), node('G1', ['b'], 'g1'), node('G2', ['b', 'a'], 'g2')];
  expect(orderLeaves(nodes).map(({ op }) => op)).toEqual(['A', 'B', 'G2', 'G1', 'Loss']);
});

it('lets the leaf that needs least run first, wherever it was asked for', () => {
  // Gradients of a backward pass b2 → b1, asked for from the first layer on.
  const nodes = [node('B2', ['x'], 'b2'), node('B1', ['b2'], 'b1'), node('Acc1', ['a1'], 'c1'), node('G1', ['c1', 'b1'], 'g1'), node('Acc2', ['a2'], 'c2'), node('G2', ['c2', 'b2'], 'g2')];
  expect(orderLeaves(nodes).map(({ op }) => op)).toEqual(['B2', 'B1', 'Acc1', 'Acc2', 'G1', 'G2']);
});

it('keeps every node once and after those it reads', () => {
  const graph = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { maxLength: 40 });
  fc.assert(fc.property(graph, (picks) => {
    const nodes = picks.map((inputs, i) => node('Op', inputs.map((pick) => (i === 0 ? 'x' : `v${pick % i}`)), `v${i}`));
    const ordered = orderLeaves(nodes);
    expect([...ordered].sort((a, b) => nodes.indexOf(a) - nodes.indexOf(b))).toEqual(nodes);
    const seen = new Set(['x']);
    for (const { inputs, outputs } of ordered) {
      expect(inputs.every((input) => seen.has(input))).toBe(true);
      seen.add(outputs[0]!);
    }
  }));
});
