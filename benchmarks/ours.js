// @ts-check
// One measurement of Heed in a process of its own, so that its peak memory is its own; driven line by line by bench.js.
//
// usage: node ours.js FILE   (JSON). Prints {"ready": ...}; for each line on stdin does the work once and prints {"seconds": ...}; at the
// end of stdin prints {"peakRss": ...}.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  TrainOptions,
  bind,
  createBranchScorer,
  createGenerator,
  createScorer,
  createTrainer,
  d2o,
  dpo,
  initialParameters,
  loadModel,
  openCheckpoint,
  planAdapter,
  sft,
  splitPasses,
} from '@heed/heed';
import { input, lower, matmul, startEngine, view } from '@heed/tensor';

/** More steps than a measurement takes. */
const STEPS = 1000;

/**
 * A training that takes one step at a call: `onStep` waits for the next call. Everything that a trainer does before its first step, such as
 * scoring the rows under the base, falls into the first call, which is a warm-up.
 */
async function stepByStep(engine, spec, { method, items, parametersOf }) {
  const { rank, alpha, targets, learningRate, clip } = spec.lora;
  const model = await loadModel(spec.model);
  const plan = planAdapter(model.checkpoint.tensors.values(), { rank, alpha, targets, dropout: 0, rslora: false });
  const { microBatch } = spec;
  const options = TrainOptions.parse({
    steps: STEPS,
    batch: items.length,
    microBatch,
    checkpointing: spec.checkpointing,
    learningRate,
    clip,
    schedule: 'constant',
  });
  const trainer = await createTrainer({ engine, model, method, plan, options, parameters: parametersOf(plan) });
  const order = Array.from({ length: STEPS }, () => items.map((_, i) => i));
  let begin = () => {};
  let done = (/** @type {import('@heed/heed').Step} */ _) => {};
  let failed = (/** @type {unknown} */ _) => {};
  const wait = () =>
    new Promise((resolve) => {
      begin = () => resolve(undefined);
    });
  let next = wait();
  next
    .then(() =>
      trainer.learn(items, {
        seed: 0,
        order,
        async onStep(step) {
          next = wait();
          done(step);
          await next;
        },
      }),
    )
    .catch((error) => failed(error));
  return () =>
    new Promise((resolve, reject) => {
      [done, failed] = [resolve, reject];
      begin();
    });
}

/** A LoRA step as the trainer takes it: forward, backward, norm, clipping, AdamW. The micro-batch is laid out anew each time. */
async function lora(engine, spec) {
  const items = spec.rows.map((turns, index) => ({ index, where: `row ${index}`, sequences: { turns: [turns] }, columns: {} }));
  const step = await stepByStep(
    engine,
    { ...spec, microBatch: items.length },
    { method: bind(sft), items, parametersOf: (plan) => initialParameters(plan, 0) },
  );
  return async () => ({ loss: (await step()).loss });
}

/**
 * A step of a method that compares with the base. The rows go through the model `microBatch` at a time; without it, as many as the trainer
 * takes where the recipe does not say.
 */
async function preference(engine, spec, method, items) {
  const step = await stepByStep(engine, spec, { method, items, parametersOf: commonParameters });
  const passes = splitPasses(items, spec.microBatch).length;
  return async () => {
    const { loss, gradientNorm, metrics } = await step();
    return { loss, gradientNorm, logps: [metrics.logp_chosen, metrics.logp_rejected], passes };
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
    for (const [
      {
        offset,
        shape: [rows, columns],
      },
      size,
    ] of [
      [a, 1 / Math.sqrt(inputs)],
      [b, 0.05],
    ]) {
      for (let i = 0; i < rows * columns; i++) parameters[offset + i] = size * unit(i);
    }
  }
  return parameters;
}

const dpoStep = (engine, spec) =>
  preference(
    engine,
    spec,
    bind(dpo, { beta: spec.beta }),
    spec.pairs.map(({ prompt, chosen, rejected }, index) => ({
      index,
      where: `pair ${index}`,
      columns: { soft_label: 1 },
      sequences: { chosen: [{ prompt, response: chosen }], rejected: [{ prompt, response: rejected }] },
    })),
  );

const d2oStep = (engine, { prompt, positives, negative, ...spec }) =>
  preference(engine, spec, bind(d2o, { k: positives.length, alpha: spec.alpha, beta: spec.beta }), [
    {
      index: 0,
      where: 'row 0',
      columns: {},
      sequences: { negative: [{ prompt, response: negative }], positives: positives.map((response) => ({ prompt, response })) },
    },
  ]);

const precisionOf = ({ precision }) => (precision === undefined ? {} : { precision });

async function generate(engine, spec) {
  const generator = await createGenerator(engine, await openCheckpoint(spec.model), {
    decode: () => '',
    stopIds: [],
    batch: spec.prompts.length,
    prepack: spec.prepack,
    ...precisionOf(spec),
  });
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
  const model = await loadModel(spec.model);
  const { answers } = spec;
  let runs = 0;
  const promptsOf = () => {
    const preamble = spec.preambles[runs++ % spec.preambles.length];
    return spec.rests.map((rest) => [...preamble, ...rest]);
  };
  if (spec.reuse) {
    const scorer = await createBranchScorer(engine, model, undefined, precisionOf(spec));
    return async () => ({
      choices: (await scorer.logProbs(promptsOf().map((prompt) => ({ prompt, answers })))).map((of) => of.map(([first]) => first)),
    });
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
const engine = await startEngine({ threads: spec.threads, ...(spec.device === undefined ? {} : { device: spec.device }) });
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
