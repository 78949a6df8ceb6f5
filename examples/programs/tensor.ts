// Traces f(x) = Σ x³, derives its gradient 3x², and has ONNX Runtime run both.
import { gradient, input, lower, mul, startEngine, sum } from '@heed/heed/tensor';

const x = input('x', [3]);
const f = sum(mul(x, mul(x, x)));
const [slope] = gradient(f, [x]);

const engine = await startEngine();
const session = await engine.compile(lower({ f, slope: slope! }));
const { f: value, slope: at } = await session.run({ x: { data: Float32Array.of(1, 2, 3), shape: [3] } });
console.log('f', value?.data, 'slope', at?.data);
await engine.close();
