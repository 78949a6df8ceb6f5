import { describeLearning } from './learns.js';

describeLearning([
  { method: '{name: sft}', learningRate: 2e-3, epochs: 3, reached: 0.6 }, // 86 %
  { method: '{name: kto, desirableWeight: 3}', learningRate: 6e-4, epochs: 4, reached: 0.6 }, // 80 %
  { method: '{name: dpo}', learningRate: 1.5e-3, epochs: 2, reached: 0.6 }, // 98 %
]);
