// @ts-check
// The work that both sides do: shapes, tokens, and how many floating-point operations a training step needs.
import { CHOICE, labelGroups } from './work-label.js';

/** LoRA on all seven linears, in PEFT's words. */
const LORA = {
  rank: 16,
  alpha: 16,
  learningRate: 1e-4,
  clip: 1,
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};

/** Matrix products whose speed is the machine's: the inner width back to the model's, and the head. [m, k, n]. */
export const GEMM_SHAPES = [
  [1024, 1536, 576],
  [1024, 576, 49152],
];

/** Sizes of the work. `quick` is for checking that everything runs, its numbers mean nothing. */
export const sizesOf = (quick) =>
  quick
    ? {
        rows: 2,
        prompt: 16,
        response: 16,
        newTokens: 4,
        generatePrompt: 8,
        warmups: 1,
        repetitions: 1,
        gemmSeconds: 0,
        dpo: { pairs: 2, prompt: 8, response: 8 },
        d2o: { k: 3, prompt: 8, response: 8 },
        ks: [1, 3],
        label: { prompts: 3, preamble: 20, rest: 10, batch: 2 },
      }
    : {
        rows: 4,
        prompt: 128,
        response: 128,
        newTokens: 64,
        generatePrompt: 40,
        warmups: 2,
        repetitions: 5,
        often: { label: { warmups: 1, repetitions: 3 } },
        gemmSeconds: 0.3,
        dpo: { pairs: 4, prompt: 128, response: 128 },
        d2o: { k: 11, prompt: 64, response: 96 },
        ks: [1, 3, 7, 11, 23],
        label: { prompts: 16, ...CHOICE, batch: 8 },
      };

/** Arbitrary but fixed tokens, without repeated prefixes between rows: nothing that could be shared. */
function tokens(length, row, stride) {
  return Array.from({ length }, (_, j) => 100 + ((j * stride + row * 977 + 131 * row * j) % 40000));
}

/** Entries { name, side, spec }, by group; those of a group are measured together. */
export function entriesOf(model, { sizes, peers, trimmedHead, trlCheckpointing, gguf, bf16 = true }) {
  const rows = Array.from({ length: sizes.rows }, (_, i) => ({
    prompt: tokens(sizes.prompt, i, 7919),
    response: tokens(sizes.response, i, 104729),
  }));
  const lora = { work: 'lora', model, lora: LORA, rows };
  const ours = (name, spec) => ({ name, side: 'ours', spec });
  const peer = (name, spec) => (peers ? [{ name, side: 'peers', spec }] : []);
  const gemm = { work: 'gemm', shapes: GEMM_SHAPES, seconds: sizes.gemmSeconds };
  const groups = {
    lora: [
      ours('lora-step', { ...lora, checkpointing: 'selective' }),
      ...peer('peft-f32', { ...lora, dtype: 'f32' }),
      ours('lora-step-none', { ...lora, checkpointing: 'none' }),
      ...peer('peft-bf16', { ...lora, dtype: 'bf16' }),
      ours('lora-step-full-checkpoint', { ...lora, checkpointing: 'full' }),
      ...(trimmedHead
        ? [
            ...peer('peft-f32-trimmed-head', { ...lora, dtype: 'f32', trimmedHead }),
            ...peer('peft-bf16-trimmed-head', { ...lora, dtype: 'bf16', trimmedHead }),
          ]
        : []),
      ours('gemm', gemm),
      ...peer('torch-gemm-f32', { ...gemm, dtype: 'f32' }),
      ...peer('torch-gemm-bf16', { ...gemm, dtype: 'bf16' }),
    ],
    ...preferenceGroups(model, sizes, { ours, peer, trlCheckpointing }),
    ...labelGroups(model, sizes, { ours, peer, tokens, gguf }),
  };
  for (const n of [1, 16]) {
    const generate = {
      work: 'generate',
      model,
      newTokens: sizes.newTokens,
      prompts: Array.from({ length: n }, (_, row) => tokens(sizes.generatePrompt, row, 37)),
    };
    groups[`generate-${n}`] = [
      ours(`generate-${n}`, { ...generate, prepack: false }),
      ...peer(`transformers-bf16-${n}`, { ...generate, dtype: 'bf16' }),
      ours(`generate-${n}-prepack`, { ...generate, prepack: true }),
      ...peer(`transformers-f32-${n}`, { ...generate, dtype: 'f32' }),
    ];
  }
  return apartWithoutBf16(groups, bf16);
}

/**
 * Groups whose bf16 entries are many large products. Without bfloat16 in the CPU PyTorch emulates it, and one run takes minutes: they are
 * groups of their own then, and run once.
 */
const HEAVY = ['lora', 'dpo', 'generate-16', 'label'];
export const IN_BF16 = HEAVY.map((name) => `${name}-bf16`);

function apartWithoutBf16(groups, bf16) {
  const slow = ({ spec }) => !bf16 && spec.dtype === 'bf16';
  return {
    ...groups,
    ...Object.fromEntries(
      HEAVY.flatMap((name) => [
        [name, groups[name].filter((entry) => !slow(entry))],
        [`${name}-bf16`, groups[name].filter(slow).map((entry) => ({ ...entry, spec: { ...entry.spec, once: true } }))],
      ]),
    ),
  };
}

/** Methods that compare with a reference, whose rows share a prompt: pairs, and a negative beside K positives. */
function preferenceGroups(model, sizes, { ours, peer, trlCheckpointing }) {
  const { pairs, prompt, response } = sizes.dpo;
  // Low enough that the same rows over and over leave a loss to speak of: else the last repetitions have nothing but vanishing gradients.
  const lora = { ...LORA, learningRate: 1e-5 };
  const dpo = {
    work: 'dpo',
    model,
    lora,
    beta: 0.1,
    pairs: Array.from({ length: pairs }, (_, i) => ({
      prompt: tokens(prompt, i, 7919),
      chosen: tokens(response, i, 104729),
      rejected: tokens(response, pairs + i, 104729),
    })),
  };
  const selective = { checkpointing: 'selective' };
  const row = (k) => ({
    work: 'd2o',
    model,
    lora,
    alpha: 0.1,
    beta: 0.1,
    prompt: tokens(sizes.d2o.prompt, 0, 7919),
    negative: tokens(sizes.d2o.response, 0, 104729),
    positives: Array.from({ length: k }, (_, i) => tokens(sizes.d2o.response, 1 + i, 104729)),
  });
  return {
    dpo: [
      ours('dpo', { ...dpo, ...selective, microBatch: pairs }),
      ...peer('trl-dpo-f32', { ...dpo, dtype: 'f32' }),
      ours('dpo-default-passes', { ...dpo, ...selective }),
      ...peer('trl-dpo-bf16', { ...dpo, dtype: 'bf16' }),
      ...(trlCheckpointing
        ? [
            ...peer('trl-dpo-f32-checkpointing', { ...dpo, dtype: 'f32', checkpointing: true }),
            ...peer('trl-dpo-bf16-checkpointing', { ...dpo, dtype: 'bf16', checkpointing: true }),
          ]
        : []),
    ],
    d2o: [ours('d2o', { ...row(sizes.d2o.k), ...selective }), ...peer('peft-d2o-f32', { ...row(sizes.d2o.k), dtype: 'f32' })],
    'd2o-k': sizes.ks.map((k) => ours(`d2o-k-${k}`, { ...row(k), ...selective })),
  };
}

/** Distinct tokens of a piece of work, however often a side computes them: prompts once. */
export function tokensIn(spec) {
  if (spec.work === 'lora') return spec.rows.reduce((n, { prompt, response }) => n + prompt.length + response.length, 0);
  if (spec.work === 'dpo')
    return spec.pairs.reduce((n, { prompt, chosen, rejected }) => n + prompt.length + chosen.length + rejected.length, 0);
  if (spec.work === 'd2o') return [spec.prompt, spec.negative, ...spec.positives].reduce((n, ids) => n + ids.length, 0);
  if (spec.work === 'label') return spec.preambles[0].length + spec.rests.reduce((n, ids) => n + ids.length, 0);
  return spec.prompts.length * spec.newTokens;
}

/**
 * Floating-point operations that a LoRA step cannot do without: forward, and backward to the inputs (frozen weights have no gradient of
 * their own), the adapters' three products both ways, causal attention over the pairs that may see each other, the head on supervised
 * rows. Recomputed activations do not count, nor does anything that is not a matrix product.
 */
export function stepFlops(config, { rows, prompt, response }) {
  const {
    hidden_size: width,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    vocab_size: vocabulary,
  } = config;
  const size = config.head_dim ?? width / heads;
  const linears = [
    [width, heads * size],
    [width, keyHeads * size],
    [width, keyHeads * size],
    [heads * size, width],
    [width, inner],
    [width, inner],
    [inner, width],
  ];
  const length = prompt + response;
  const base = linears.reduce((sum, [i, o]) => sum + 4 * i * o, 0) * layers * rows * length;
  const lora = linears.reduce((sum, [i, o]) => sum + 6 * LORA.rank * (i + o), 0) * layers * rows * length;
  const pairs = (length * (length + 1)) / 2;
  const attention = 3 * 2 * 2 * pairs * heads * size * layers * rows;
  const head = 4 * width * vocabulary * rows * response;
  return base + lora + attention + head;
}
