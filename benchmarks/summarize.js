// @ts-check
// From single runs to the results file: medians, speeds, ratios, and whether both sides did the same work.
import { curveOf } from './curve.js';
import { median } from './median.js';
import { agreement } from './same-work.js';
import { GEMM_SHAPES, stepFlops, tokensIn } from './work.js';

const round = (x, digits = 4) => Number(x.toPrecision(digits));

/** seconds are medians; `range` is the fastest and the slowest run; `firstSeconds` is the very first one, a warm-up. */
function timing({ runs, first, peakRss, ready }, tokens) {
  const seconds = runs.map((run) => run.seconds);
  const middle = median(seconds);
  return {
    seconds: round(middle),
    range: [round(Math.min(...seconds)), round(Math.max(...seconds))],
    repetitions: seconds.length,
    firstSeconds: round(first.seconds, 3),
    tokensPerSecond: round(tokens / middle),
    peakRssMb: Math.round(peakRss / 2 ** 20),
    startupSeconds: round(ready.seconds, 3),
  };
}

const gemm = ({ runs }) =>
  Object.fromEntries(GEMM_SHAPES.map((shape, i) => [shape.join('x'), round(median(runs.map((run) => run.gflops[i])), 4)]));

/** The results as they are written: { machine, ours, peers, ratios, checks, curves }. */
export function summarize({ measured, startups, apart = [], machine, config, sizes, groups, warn }) {
  const ours = {};
  const peers = {};
  for (const { name, side, spec } of Object.values(groups).flat()) {
    const result = measured[name];
    if (result === undefined) continue;
    const into = side === 'ours' ? ours : peers;
    if (side === 'peers') machine.peers = { ...machine.peers, ...result.ready.versions };
    if (spec.work === 'gemm') into[name] = { gflops: gemm(result) };
    else into[name] = timing(result, tokensIn(spec));
    if (result.first.loss !== undefined) into[name].loss = result.first.loss;
    if (result.first.passes !== undefined) into[name].passes = result.first.passes;
    if (spec.work === 'label') into[name].labelsPerSecond = round(spec.rests.length / into[name].seconds);
    if (spec.work === 'dpo') into[name].pairsPerSecond = round(spec.pairs.length / into[name].seconds);
  }

  const flops = stepFlops(config, sizes);
  if (ours.gemm !== undefined) {
    // Median against median: both were measured in turn, in the same minutes.
    const peak = Math.max(...Object.values(ours.gemm.gflops)) * 1e9;
    ours.gemm.peakGflops = round(peak / 1e9);
    for (const name of ['lora-step', 'lora-step-none', 'lora-step-full-checkpoint']) {
      Object.assign(ours[name], { modelGflop: round(flops / 1e9), utilisation: round(flops / (ours[name].seconds * peak), 3) });
    }
  }
  if (startups.length > 0) {
    const warm = startups.length > 1 ? startups.slice(1) : startups;
    ours.startup = {
      toFirstStep: round(median(warm.map((s) => s.toFirstStep)), 3),
      toFirstStepDone: round(median(warm.map((s) => s.toFirstStepDone)), 3),
      first: round(startups[0].toFirstStep, 3),
    };
  }

  const ratios = {};
  const ratio = (our, peer, key) => {
    if (ours[our] !== undefined && peers[peer] !== undefined)
      ratios[key ?? `${our}/${peer}`] = round(peers[peer].seconds / ours[our].seconds, 3);
  };
  for (const peer of ['peft-f32', 'peft-bf16', 'peft-f32-trimmed-head', 'peft-bf16-trimmed-head']) ratio('lora-step', peer);
  for (const n of [1, 16]) {
    for (const dtype of ['bf16', 'f32']) {
      ratio(`generate-${n}`, `transformers-${dtype}-${n}`, `generate-${n}/transformers-${dtype}`);
      ratio(`generate-${n}-prepack`, `transformers-${dtype}-${n}`, `generate-${n}-prepack/transformers-${dtype}`);
    }
  }
  for (const peer of ['f32', 'bf16', 'f32-checkpointing', 'bf16-checkpointing']) {
    ratio('dpo', `trl-dpo-${peer}`, `dpo/trl-${peer}`);
    ratio('dpo-default-passes', `trl-dpo-${peer}`, `dpo-default-passes/trl-${peer}`);
  }
  ratio('d2o', 'peft-d2o-f32', 'd2o/peft-f32');
  for (const dtype of ['bf16', 'f32']) {
    for (const [our, key] of [
      ['label', ''],
      ['label-int8', '-int8'],
    ]) {
      ratio(our, `transformers-label-${dtype}`, `label${key}/transformers-${dtype}`);
      ratio(our, `transformers-label-reuse-${dtype}`, `label${key}-reuse/transformers-${dtype}`);
    }
    ratio('label-no-reuse', `transformers-label-${dtype}`, `label-no-reuse/transformers-${dtype}`);
  }
  const own = (a, b, key) => {
    if (ours[a] !== undefined && ours[b] !== undefined) ratios[key] = round(ours[b].seconds / ours[a].seconds, 3);
  };
  own('label-int8', 'label', 'label-int8/ours-f32');
  for (const n of [1, 16]) {
    ratio(`generate-int8-${n}`, `llama.cpp-${n}`, `generate-int8-${n}/llama.cpp`);
    own(`generate-int8-${n}`, `generate-f32-${n}`, `generate-int8-${n}/ours-f32`);
  }
  for (const other of apart) {
    Object.assign(ours, other.ours);
    Object.assign(ratios, other.ratios);
  }
  if (ours['lora-step'] !== undefined) {
    const full = ours['lora-step-full-checkpoint'].seconds;
    ratios['time: lora-step-full-checkpoint/lora-step'] = round(full / ours['lora-step'].seconds, 3);
    ratios['time: lora-step-full-checkpoint/lora-step-none'] = round(full / ours['lora-step-none'].seconds, 3);
  }
  const points = groups['d2o-k'].flatMap(({ name, spec }) => {
    if (ours[name] === undefined) return [];
    const { seconds, range, peakRssMb } = ours[name];
    return [
      {
        k: spec.positives.length,
        prompt: spec.prompt.length,
        responses: tokensIn(spec) - spec.prompt.length,
        seconds,
        range,
        peakRssMb,
      },
    ];
  });
  return {
    machine,
    ours,
    peers,
    ratios,
    checks: { ...agreement(measured, warn), ...Object.assign({}, ...apart.map((other) => other.checks)) },
    ...(points.length > 0 ? { curves: { 'd2o-k': curveOf(points) } } : {}),
  };
}
