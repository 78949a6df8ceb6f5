// @ts-check
// Whether both sides did the same work: a ratio between different work says nothing.

const round = (x, digits = 2) => Number(x.toPrecision(digits));
const apart = (a, b) => Math.abs(a - b) / Math.abs(b);

/** Entries of methods with a reference, and those they must agree with, all in f32. */
const SAME = [
  ['dpo', 'trl-dpo-f32'],
  ['dpo-default-passes', 'dpo'],
  ['d2o', 'peft-d2o-f32'],
];
/**
 * How far the first run may be apart: the adapter is no identity in it, so that all three depend on the weights,
 * the adapter and the reference. The gradient's norm is summed in 32 bits on our side.
 */
const LIMITS = { loss: 1e-3, logps: 1e-4, gradientNorm: 1e-2 };

/**
 * Choices and first tokens of generation: log-probabilities, and how far they may be apart in f32.
 *
 * @type {[string, string, number][]}
 */
const CHOICES = [
  ['label-no-reuse', 'label', 1e-3],
  ['transformers-label-f32', 'label', 1e-3],
  ['transformers-label-reuse-f32', 'label', 1e-3],
];
/**
 * Quantised in other ways, so that only the order of magnitude can be held to; but equal numbers would mean that nothing was quantised.
 *
 * @type {[string, string, number][]}
 */
const ROUGH = [
  ['label-int8', 'label', 1],
  ['transformers-label-bf16', 'label', 1],
  ['transformers-label-reuse-bf16', 'label', 1],
  ['generate-int8-1', 'generate-f32-1', 1],
  ['generate-int8-16', 'generate-f32-16', 1],
  ['llama.cpp-1', 'generate-f32-1', 1],
  ['llama.cpp-16', 'generate-f32-16', 1],
];

/** The largest distance between two entries' log-probabilities; undefined where one of them has none. */
function distance(firsts, name, other) {
  const [a, b] = [name, other].map((of) => (firsts[of]?.choices ?? firsts[of]?.firstLogps)?.flat());
  return a === undefined || b === undefined ? undefined : Math.max(...a.map((x, i) => Math.abs(x - b[i])));
}

function requireNear(firsts) {
  for (const [name, other, limit] of [...CHOICES, ...ROUGH]) {
    const apartBy = distance(firsts, name, other);
    if (apartBy === undefined) continue;
    if (!(apartBy <= limit))
      throw new Error(
        `${name} and ${other} do not do the same work: their log-probabilities are up to ${apartBy} apart where ${limit} is allowed.`,
      );
    if (apartBy === 0 && name.includes('int8'))
      throw new Error(`${name} has exactly the log-probabilities of ${other}: the option precision had no effect.`);
  }
}

/**
 * Holds the first runs of entries against each other as far as they are known, by entry name.
 *
 * @throws Error where two sides, or two ways of one side, do not do the same work
 */
export function requireSameWork(firsts) {
  requireNear(firsts);
  for (const [name, other] of SAME) {
    const [a, b] = [firsts[name], firsts[other]];
    if (a === undefined || b === undefined) continue;
    for (const [what, limit] of Object.entries(LIMITS)) {
      const [mine, theirs] = [a[what], b[what]].map((x) => [x].flat());
      const worst = Math.max(...mine.map((x, i) => apart(x, theirs[i])));
      if (worst <= limit) continue;
      throw new Error(
        `${name} and ${other} do not do the same work, so comparing them says nothing: in the first run ${what} is `
        + `${mine.join(', ')} against ${theirs.join(', ')}, ${worst.toExponential(1)} apart where ${limit} is allowed.`,
      );
    }
  }
}

/** How far the sides agree, for the results: losses, log-probabilities, and the tokens chosen in f32. */
export function agreement(measured, warn) {
  const checks = {};
  const [our, peer] = ['lora-step', 'peft-f32'].map((name) => measured[name]?.first.loss);
  if (our !== undefined && peer !== undefined) {
    checks['loss: relative difference to peft-f32'] = round(Math.abs(our - peer) / peer);
    if (Math.abs(our - peer) > 1e-3 * peer) warn(`the first loss is ${our}, PEFT's ${peer}: the sides do not do the same work`);
  }
  for (const [name, other] of [...SAME, ['dpo', 'trl-dpo-bf16']]) {
    const [a, b] = [measured[name], measured[other]];
    if (a === undefined || b === undefined) continue;
    checks[`${name}: first loss, relative difference to ${other}`] = round(apart(a.first.loss, b.first.loss));
    checks[`${name}: log-probabilities, relative difference to ${other}`] = round(
      Math.max(...a.first.logps.map((x, i) => apart(x, b.first.logps[i]))),
    );
    checks[`${name}: gradient's norm, relative difference to ${other}`] = round(apart(a.first.gradientNorm, b.first.gradientNorm));
    if (a.runs.length === b.runs.length)
      checks[`${name}: last loss, difference to ${other}`] = round(Math.abs(a.runs.at(-1).loss - b.runs.at(-1).loss));
  }
  const firsts = Object.fromEntries(Object.entries(measured).map(([name, { first }]) => [name, first]));
  for (const [name, other] of [...CHOICES, ...ROUGH]) {
    const apartBy = distance(firsts, name, other);
    if (apartBy === undefined) continue;
    checks[`${name}: log-probabilities, largest difference to ${other}`] = round(apartBy);
    const [a, b] = [firsts[name], firsts[other]];
    if (a.choices !== undefined)
      checks[`${name}: choices equal to ${other}`] =
        `${a.choices.filter(([x, y], i) => x > y === b.choices[i][0] > b.choices[i][1]).length} of ${a.choices.length}`;
    else
      checks[`${name}: tokens equal to ${other}`] = round(
        a.ids.flat().filter((id, i) => id === b.ids.flat()[i]).length / a.ids.flat().length,
        3,
      );
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
