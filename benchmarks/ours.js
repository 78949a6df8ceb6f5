// @ts-check
// One measurement of Heed in a process of its own, so that its peak memory is its own; driven line by line by bench.js.
//
// usage: node ours.js FILE   (JSON). Prints {"ready": ...}; for each line on stdin does the work once and prints {"seconds": ...}; at the
// end of stdin prints {"peakRss": ...}.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { input, lower, matmul, startEngine, view } from '../packages/tensor/dist/index.js';
import { createBranchScorer } from '../packages/heed/dist/generate/branch-scorer.js';
import { createGenerator } from '../packages/heed/dist/generate/generator.js';
import { d2o } from '../packages/heed/dist/method/d2o.js';
import { dpo } from '../packages/heed/dist/method/dpo.js';
import { bind } from '../packages/heed/dist/method/method.js';
import { sft } from '../packages/heed/dist/method/sft.js';
import { initialParameters, planAdapter } from '../packages/heed/dist/model/adapter.js';
import { architectureOf } from '../packages/heed/dist/model/architecture.js';
import { openCheckpoint } from '../packages/heed/dist/model/checkpoint/open.js';
import { createScorer } from '../packages/heed/dist/model/scorer.js';
import { makeMicroBatch } from '../packages/heed/dist/train/micro-batch.js';
import { splitPasses } from '../packages/heed/dist/train/passes.js';
import { openReferences } from '../packages/heed/dist/train/references.js';
import { allocateState, copiesOf } from '../packages/heed/dist/train/state.js';
import { createStepper } from '../packages/heed/dist/train/step.js';

/** A LoRA step as the trainer takes it: forward, backward, norm, clipping, AdamW. */
async function lora(engine, spec) {
  const { rank, alpha, targets, learningRate, clip } = spec.lora;
  const checkpoint = await openCheckpoint(spec.model);
  const plan = planAdapter(checkpoint.tensors.values(), { rank, alpha, targets, dropout: 0, rslora: false });
  const method = bind(sft);
  const stepper = await createStepper({
    engine, checkpoint, architecture: architectureOf(checkpoint), plan, method, clip, keep: spec.checkpointing,
    state: await allocateState(engine, initialParameters(plan, 0)),
    optimizer: { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0 },
  });
  const items = spec.rows.map((turns, index) => ({ index, where: `row ${index}`, sequences: { turns: [turns] }, columns: {} }));
  let step = 0;
  // The micro-batch is laid out anew each time, as in training.
  return async () => ({ loss: (await stepper.step([makeMicroBatch(method, items)], { learningRate, step: ++step, seed: 0 })).loss });
}

/**
 * A step of a method that compares with the base, which has scored the rows before the clock starts. The rows go through the model
 * `microBatch` at a time; without it, as many as the trainer takes where the recipe does not say.
 */
async function preference(engine, spec, method, items) {
  const { rank, alpha, targets, learningRate, clip } = spec.lora;
  const checkpoint = await openCheckpoint(spec.model);
  const architecture = architectureOf(checkpoint);
  const plan = planAdapter(checkpoint.tensors.values(), { rank, alpha, targets, dropout: 0, rslora: false });
  const state = await allocateState(engine, commonParameters(plan), copiesOf(method));
  const references = openReferences({ engine, model: { checkpoint, architecture }, method, plan, policy: state.parameters, copies: state.copies });
  await references.prepare(items);
  const stepper = await createStepper({
    engine, checkpoint, architecture, plan, method, clip, state, references, keep: spec.checkpointing,
    optimizer: { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0 },
  });
  let step = 0;
  return async () => {
    const batches = splitPasses(items, spec.microBatch).map((pass) => makeMicroBatch(method, pass));
    const { loss, gradientNorm, metrics } = await stepper.step(batches, { learningRate, step: ++step, seed: 0 });
    return { loss, gradientNorm, logps: [metrics.logp_chosen, metrics.logp_rejected], passes: batches.length };
  };
}

/**
 * An adapter that both sides can make, and that is not the identity: with a fresh one the policy equals its reference, and the loss is
 * ln 2 whatever the model does. The counterpart of `common_parameters` in peers/peer.py.
 */
function commonParameters(plan) {
  const parameters = new Float32Array(plan.size);
  const unit = (i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 31 - 1;
  for (const { inputs, a, b } of plan.modules.values()) {
    for (const [{ offset, shape: [rows, columns] }, size] of [[a, 1 / Math.sqrt(inputs)], [b, 0.05]]) {
      for (let i = 0; i < rows * columns; i++) parameters[offset + i] = size * unit(i);
    }
  }
  return parameters;
}

const dpoStep = (engine, spec) =>
  preference(engine, spec, bind(dpo, { beta: spec.beta }), spec.pairs.map(({ prompt, chosen, rejected }, index) => ({
    index, where: `pair ${index}`, columns: { soft_label: 1 }, sequences: { chosen: [{ prompt, response: chosen }], rejected: [{ prompt, response: rejected }] },
  })));

const d2oStep = (engine, { prompt, positives, negative, ...spec }) =>
  preference(engine, spec, bind(d2o, { k: positives.length, alpha: spec.alpha, beta: spec.beta }), [{
    index: 0, where: 'row 0', columns: {}, sequences: { negative: [{ prompt, response: negative }], positives: positives.map((response) => ({ prompt, response })) },
  }]);

const precisionOf = ({ precision }) => (precision === undefined ? {} : { precision });

async function generate(engine, spec) {
  const generator = await createGenerator(engine, await openCheckpoint(spec.model), { decode: () => '', stopIds: [], batch: spec.prompts.length, prepack: spec.prepack, ...precisionOf(spec) });
  const requests = spec.prompts.map((prompt, row) => ({ prompt, row }));
  return async () => {
    const made = await generator.generate(requests, { maxNewTokens: spec.newTokens, temperature: 0, seed: 0 });
    const ids = made.map((completion) => completion.ids);
    const short = ids.find((row) => row.length !== spec.newTokens);
    if (short !== undefined) throw new Error(`generate made ${short.length} tokens, not ${spec.newTokens}`);
    return { ids, firstLogps: made.map(({ logprobs }) => logprobs[0]) };
  };
}

/** Two-way choices: log p of each answer's first token. Prompts begin alike; with `reuse` that beginning is computed once. */
async function label(engine, spec) {
  const checkpoint = await openCheckpoint(spec.model);
  const model = { checkpoint, architecture: architectureOf(checkpoint) };
  const { answers } = spec;
  let runs = 0;
  const promptsOf = () => {
    const preamble = spec.preambles[runs++ % spec.preambles.length];
    return spec.rests.map((rest) => [...preamble, ...rest]);
  };
  if (spec.reuse) {
    const scorer = await createBranchScorer(engine, model, undefined, precisionOf(spec));
    return async () => ({ choices: (await scorer.logProbs(promptsOf().map((prompt) => ({ prompt, answers })))).map((of) => of.map(([first]) => first)) });
  }
  const scorer = await createScorer(engine, model);
  return async () => {
    const flat = await scorer.logProbs(promptsOf().flatMap((prompt) => answers.map((response) => ({ prompt, response }))));
    return { choices: spec.rests.map((_, i) => answers.map((_, j) => flat[i * answers.length + j][0])) };
  };
}

async function gemm(engine, spec) {
  const sessions = [];
  for (const [m, k, n] of spec.shapes) {
    const session = await engine.compile(lower({ y: matmul(input('a', [m, k]), input('b', [k, n])) }));
    const a = await engine.upload(Float32Array.from({ length: m * k }, Math.random));
    const b = await engine.upload(Float32Array.from({ length: k * n }, Math.random));
    session.bind({ a: view(a, [m, k]), b: view(b, [k, n]) }, { y: view(await engine.allocate('float32', m * n), [m, n]) });
    sessions.push({ session, flops: 2 * m * k * n });
  }
  return async () => {
    const gflops = [];
    for (const { session, flops } of sessions) {
      const begin = performance.now();
      let done = 0;
      do {
        await session.run({});
        done++;
      } while (performance.now() - begin < spec.seconds * 1000);
      gflops.push((flops * done) / (performance.now() - begin) / 1e6);
    }
    return { gflops };
  };
}

const say = (message) => console.log(JSON.stringify(message));
const spec = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const engine = await startEngine({ threads: spec.threads });
const run = await { lora, dpo: dpoStep, d2o: d2oStep, generate, label, gemm }[spec.work](engine, spec);
say({ ready: true, threads: engine.threads, zeroCopy: engine.zeroCopy });
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
while (!(await lines.next()).done) {
  const begin = performance.now();
  const result = await run();
  say({ seconds: (performance.now() - begin) / 1000, ...result });
}
say({ peakRss: (await engine.memory()).peakRss });
await engine.close();
