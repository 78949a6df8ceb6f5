// @ts-check
// One policy-gradient step, with generation, reward, scoring of the reference and training apart: ours, and beside TRL's GRPOTrainer with
// --python PATH. Both in processes of their own, one after the other, so that each has its own peak memory. --beta above 0 weighs a KL
// term, for which both sides score the answers without the adapter; without it nothing is scored before training.
//
// usage: node benchmarks/policy-gradient.js [--python PATH] [--steps N] [--prompts N] [--samples N] [--tokens N] [--beta B] [--ours]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTrainer, initialParameters, loadModel, methodOf, openGenerator, planAdapter, TrainOptions } from '@heed/heed';
import { startEngine } from '@heed/tensor';
import { describeMachine } from './machine.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' }, ours: { type: 'boolean', default: false },
    steps: { type: 'string', default: '5' }, prompts: { type: 'string', default: '8' }, samples: { type: 'string', default: '4' },
    tokens: { type: 'string', default: '64' }, beta: { type: 'string', default: '0' },
  },
});
const work = {
  steps: Number(values.steps), prompts: Number(values.prompts), samples: Number(values.samples), tokens: Number(values.tokens),
  beta: Number(values.beta), promptTokens: 40, rank: 16, alpha: 32, learningRate: 1e-4,
};

/** Prompts of arbitrary ids that share nothing, the same on both sides. */
const idsOf = (row) => Array.from({ length: work.promptTokens }, (_, i) => 1000 + ((row * 7919 + i * 104729) % 40000));

/** The reward of both sides: a share of the ids, cheap, and different for different answers. */
const rewardOf = (ids) => ids.filter((id) => id % 2 === 0).length / ids.length;

/** The parts of a step, in their order; the step is all of them. */
const PARTS = ['generation', 'reward', 'scoring', 'training', 'step'];

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function ours() {
  const engine = await startEngine();
  const model = await loadModel('SmolLM2-135M-Instruct');
  const method = methodOf({ name: 'grpo', beta: work.beta });
  const targets = /** @type {const} */ (['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']);
  const lora = { rank: work.rank, alpha: work.alpha, targets: [...targets], dropout: 0, rslora: false };
  const plan = planAdapter(model.checkpoint.tensors.values(), lora);
  const options = TrainOptions.parse({ epochs: 1, batch: work.prompts, learningRate: work.learningRate, schedule: 'constant' });
  const trainer = await createTrainer({ engine, model, method, plan, options, parameters: initialParameters(plan, 0), moreRounds: true });
  // Without an end of turn every answer has all its tokens, on both sides.
  const endless = { ...model, template: { ...model.template, stopIds: [] } };
  const generator = await openGenerator(engine, endless, { plan, batch: work.prompts * work.samples });
  const steps = [];
  for (let k = 0; k < work.steps + 2; k++) {
    const started = performance.now();
    await generator.setAdapter(trainer.policy);
    const requests = Array.from({ length: work.prompts }, (_, row) => ({ prompt: idsOf(row), row, samples: work.samples }));
    const answers = await generator.generate(requests, { maxNewTokens: work.tokens, temperature: 1, seed: k });
    await generator.rest();
    const generated = performance.now();
    const rewards = answers.map(({ ids }) => rewardOf(ids));
    const rewarded = performance.now();
    const groups = answers.map(({ row }) => row);
    const credits = method.credit(answers.map(({ ids, logprobs }, i) => (
      { group: groups[i], reward: rewards[i], tokens: ids.length, logp: logprobs })));
    const items = requests.map(({ prompt, row }) => {
      const own = answers.flatMap((answer, i) => (answer.row === row ? [{ ...answer, ...credits[i] }] : []));
      const zeros = own.map(({ ids }) => ids.map(() => 0));
      return {
        index: row, where: `prompt ${row}`,
        sequences: { completions: own.map(({ ids }) => ({ prompt, response: ids })) },
        columns: {
          max_tokens: own.map(() => work.tokens), advantages: own.map(({ advantages }) => advantages),
          sampled: own.map(({ logprobs }) => logprobs), reference: zeros, returns: zeros, values: zeros,
        },
      };
    });
    const preparing = performance.now();
    if (work.beta > 0) {
      const { base } = await trainer.read(items, { reference: true });
      for (const item of items) item.columns.reference = base.get(item)['logp:completions'].map((numbers) => Array.from(numbers));
    }
    const scored = performance.now();
    await trainer.learn(items, { seed: k, order: [items.map((_, i) => i)] });
    const ended = performance.now();
    // The first two compile: without and with the adapter.
    const [generation, reward, scoring, step] =
      [generated - started, rewarded - generated, scored - preparing, ended - started].map((ms) => ms / 1000);
    if (k >= 2) steps.push({ generation, reward, scoring, training: step - generation - reward - scoring, step });
  }
  const { peakRss } = await engine.memory();
  await engine.close();
  return { ...mediansOf(steps), peakGb: Number((peakRss / 1e9).toFixed(2)) };
}

const mediansOf = (steps) => Object.fromEntries(PARTS.map((name) => [name, Number(median(steps.map((one) => one[name])).toFixed(3))]));

/** Runs a side in a process of its own → what it printed last. */
function apart(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}.`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

if (values.ours) console.log(JSON.stringify(await ours()));
else {
  const machine = describeMachine();
  const passed = ['steps', 'prompts', 'samples', 'tokens', 'beta'].flatMap((name) => [`--${name}`, String(work[name])]);
  const results = { machine, work, ours: apart(process.execPath, [fileURLToPath(import.meta.url), '--ours', ...passed]) };
  if (values.python !== undefined) {
    const model = await loadModel('SmolLM2-135M-Instruct');
    const spec = { ...work, model: model.checkpoint.folder, rows: Array.from({ length: work.prompts }, (_, row) => idsOf(row)) };
    const peer = fileURLToPath(new URL('peers/policy_gradient.py', import.meta.url));
    results.trl = apart(values.python, [peer, JSON.stringify(spec)]);
    const ratio = (name) => Number((results.trl[name] / results.ours[name]).toFixed(2));
    // The reward is a line of code on both sides; a ratio of its times would say nothing.
    const compared = ['generation', ...(work.beta > 0 ? ['scoring'] : []), 'training', 'step', 'peakGb'];
    results.ratios = Object.fromEntries(compared.map((name) => [name, ratio(name)]));
  }
  console.log(JSON.stringify(results, null, 2));
}
