import fc from 'fast-check';
import { expect, it } from 'vitest';
import { orderNodes } from '../../src/onnx/order.js';
import { executionOrder } from '../../src/memory.js';
import { node } from '../programs.js';

it('puts the leaves last, the earliest at the very end', () => {
  const nodes = [
    node('A', ['x'], 'a'),
    node('Loss', ['a'], 'loss'),
    node('B', ['a'], ['b', 'unused']),
    node('G1', ['b'], 'g1'),
    node('G2', ['b', 'a'], 'g2'),
  ];
  expect(orderNodes(nodes).map(({ op }) => op)).toEqual(['A', 'B', 'G2', 'G1', 'Loss']);
});

it('lets the leaf that needs least run first, wherever it was asked for', () => {
  // Gradients of a backward pass b2 → b1, asked for from the first layer on.
  const nodes = [
    node('B2', ['x'], 'b2'),
    node('B1', ['b2'], 'b1'),
    node('Acc1', ['a1'], 'c1'),
    node('G1', ['c1', 'b1'], 'g1'),
    node('Acc2', ['a2'], 'c2'),
    node('G2', ['c2', 'b2'], 'g2'),
  ];
  expect(orderNodes(nodes).map(({ op }) => op)).toEqual(['B2', 'Acc1', 'Acc2', 'B1', 'G1', 'G2']);
});

it('puts what needs little before what needs more, so that it runs later: weights are widened one by one', () => {
  // ONNX Runtime goes into the last producer of a node first: the layer below runs before this layer's weight is widened.
  const nodes = [
    node('Layer1', ['x'], 'h1'),
    node('Widen1', ['w1'], 'f1'),
    node('Product1', ['h1', 'f1'], 'y1'),
    node('Widen2', ['w2'], 'f2'),
    node('Product2', ['y1', 'f2'], 'y2'),
  ];
  const ordered = orderNodes(nodes).map(({ op }) => op);
  expect(ordered).toEqual(['Layer1', 'Widen1', 'Widen2', 'Product1', 'Product2']);
  expect(executionOrder(orderNodes(nodes)).map(({ op }) => op)).toEqual(['Widen1', 'Layer1', 'Product1', 'Widen2', 'Product2']);
});

it('keeps every node once and after those it reads', () => {
  const graph = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { maxLength: 40 });
  fc.assert(fc.property(graph, (picks) => {
    const nodes = picks.map((inputs, i) => node('Op', inputs.map((pick) => (i === 0 ? 'x' : `v${pick % i}`)), `v${i}`));
    const ordered = orderNodes(nodes);
    expect([...ordered].sort((a, b) => nodes.indexOf(a) - nodes.indexOf(b))).toEqual(nodes);
    const seen = new Set(['x']);
    for (const { inputs, outputs } of ordered) {
      expect(inputs.every((input) => seen.has(input))).toBe(true);
      seen.add(outputs[0]!);
    }
  }));
});
