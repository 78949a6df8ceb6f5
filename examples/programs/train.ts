// Learns from written judgments (CUT), and shows an answer before and after.
import { bind, cut, loadAdapter, loadModel, openGenerator, startEngine, train } from '@heed/heed';

const model = await loadModel();
const question = [{ role: 'user' as const, content: 'Describe a steel kettle in one sentence.' }];
const trained = await train({
  model,
  method: bind(cut, { lambda: 1.1, ratio: null }),
  rows: [
    { prompt: question, completion: 'Our kettle is amazing!', judgment: 'It uses the words "Our" and "amazing".', satisfied: false },
    {
      prompt: [{ role: 'user', content: 'Describe a wool scarf in one sentence.' }],
      completion: 'A scarf of undyed wool, 180 cm long.', judgment: null, satisfied: true,
    },
  ],
  options: { steps: 2, batch: 2 },
});
const folder = await trained.save();

const engine = await startEngine();
const generator = await openGenerator(engine, model, { adapter: await loadAdapter(folder, model.checkpoint) });
const request = { prompt: model.template.prompt(question), row: 0 };
const [answer] = await generator.generate([request], { temperature: 0, maxNewTokens: 24, seed: 0 });
console.log(`loss ${trained.loss.toFixed(4)} after ${trained.steps} steps; adapter in ${folder}`);
console.log(answer?.text);
await engine.close();
