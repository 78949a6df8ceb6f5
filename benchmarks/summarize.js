// From single runs to the results file: medians, speeds, ratios, and whether both sides did the same work.
import { GEMM_SHAPES, stepFlops } from './work.js';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

const round = (x, digits = 4) => Number(x.toPrecision(digits));

/** seconds are medians; `range` is the fastest and the slowest run; `firstSeconds` is the very first one, a warm-up. */
function timing({ runs, first, peakRss, ready }, tokens) {
  const seconds = runs.map((run) => run.seconds);
  const middle = median(seconds);
  return {
    seconds: round(middle), range: [round(Math.min(...seconds)), round(Math.max(...seconds))], repetitions: seconds.length, firstSeconds: round(first.seconds, 3),
    tokensPerSecond: round(tokens / middle), peakRssMb: Math.round(peakRss / 2 ** 20), startupSeconds: round(ready.seconds, 3),
  };
}

const gemm = ({ runs }) => Object.fromEntries(GEMM_SHAPES.map((shape, i) => [shape.join('x'), round(median(runs.map((run) => run.gflops[i])), 4)]));

/** The results as they are written: { machine, ours, peers, ratios, checks }. */
export function summarize({ measured, startups, machine, config, sizes, groups, warn }) {
  const ours = {};
  const peers = {};
  for (const { name, side, spec } of Object.values(groups).flat()) {
    const result = measured[name];
    if (result === undefined) continue;
    const into = side === 'ours' ? ours : peers;
    if (side === 'peers') machine.peers ??= result.ready.versions;
    if (spec.work === 'gemm') into[name] = { gflops: gemm(result) };
    else if (spec.work === 'lora') into[name] = { ...timing(result, sizes.rows * (sizes.prompt + sizes.response)), loss: result.first.loss };
    else into[name] = timing(result, spec.prompts.length * sizes.newTokens);
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
    ours.startup = { toFirstStep: round(median(warm.map((s) => s.toFirstStep)), 3), toFirstStepDone: round(median(warm.map((s) => s.toFirstStepDone)), 3), first: round(startups[0].toFirstStep, 3) };
  }

  const ratios = {};
  const ratio = (our, peer, key) => {
    if (ours[our] !== undefined && peers[peer] !== undefined) ratios[key ?? `${our}/${peer}`] = round(peers[peer].seconds / ours[our].seconds, 3);
  };
  for (const peer of ['peft-f32', 'peft-bf16', 'peft-f32-trimmed-head', 'peft-bf16-trimmed-head']) ratio('lora-step', peer);
  for (const n of [1, 16]) {
    for (const dtype of ['bf16', 'f32']) {
      ratio(`generate-${n}`, `transformers-${dtype}-${n}`, `generate-${n}/transformers-${dtype}`);
      ratio(`generate-${n}-prepack`, `transformers-${dtype}-${n}`, `generate-${n}-prepack/transformers-${dtype}`);
    }
  }
  if (ours['lora-step'] !== undefined) {
    const full = ours['lora-step-full-checkpoint'].seconds;
    ratios['time: lora-step-full-checkpoint/lora-step'] = round(full / ours['lora-step'].seconds, 3);
    ratios['time: lora-step-full-checkpoint/lora-step-none'] = round(full / ours['lora-step-none'].seconds, 3);
  }
  return { machine, ours, peers, ratios, checks: sameWork(measured, warn) };
}

/** Both sides must give the same loss before anything is learned (B = 0), and choose the same tokens in f32. */
function sameWork(measured, warn) {
  const checks = {};
  const [our, peer] = ['lora-step', 'peft-f32'].map((name) => measured[name]?.first.loss);
  if (our !== undefined && peer !== undefined) {
    checks['loss: relative difference to peft-f32'] = round(Math.abs(our - peer) / peer, 2);
    if (Math.abs(our - peer) > 1e-3 * peer) warn(`the first loss is ${our}, PEFT's ${peer}: the sides do not do the same work`);
  }
  for (const n of [1, 16]) {
    const [mine, theirs] = [`generate-${n}`, `transformers-f32-${n}`].map((name) => measured[name]?.first.ids);
    if (mine === undefined || theirs === undefined) continue;
    const same = mine.flatMap((row, i) => row.map((id, j) => Number(id === theirs[i][j])));
    const share = same.reduce((a, b) => a + b, 0) / same.length;
    checks[`tokens equal to transformers-f32: generate-${n}`] = round(share, 3);
    if (share < 0.9) warn(`generate-${n}: only ${Math.round(100 * share)} % of the tokens are those of transformers in f32`);
  }
  return checks;
}
