// The work that both sides do: shapes, tokens, and how many floating-point operations a training step needs.

/** LoRA on all seven linears, in PEFT's words. */
const LORA = {
  rank: 16, alpha: 16, learningRate: 1e-4, clip: 1,
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};

/** Matrix products whose speed is the machine's: the inner width back to the model's, and the head. [m, k, n]. */
export const GEMM_SHAPES = [[1024, 1536, 576], [1024, 576, 49152]];

/** Sizes of the work. `quick` is for checking that everything runs, its numbers mean nothing. */
export const sizesOf = (quick) =>
  quick
    ? { rows: 2, prompt: 16, response: 16, newTokens: 4, generatePrompt: 8, warmups: 1, repetitions: 1, gemmSeconds: 0 }
    : { rows: 4, prompt: 128, response: 128, newTokens: 64, generatePrompt: 40, warmups: 2, repetitions: 5, gemmSeconds: 0.3 };

/** Arbitrary but fixed tokens, without repeated prefixes between rows: nothing that could be shared. */
function tokens(length, row, stride) {
  return Array.from({ length }, (_, j) => 100 + ((j * stride + row * 977 + 131 * row * j) % 40000));
}

/** Entries { name, side, spec }, by group; those of a group are measured together. */
export function entriesOf(model, { sizes, peers, trimmedHead }) {
  const rows = Array.from({ length: sizes.rows }, (_, i) => ({ prompt: tokens(sizes.prompt, i, 7919), response: tokens(sizes.response, i, 104729) }));
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
      ...(trimmedHead ? [...peer('peft-f32-trimmed-head', { ...lora, dtype: 'f32', trimmedHead }), ...peer('peft-bf16-trimmed-head', { ...lora, dtype: 'bf16', trimmedHead })] : []),
      ours('gemm', gemm),
      ...peer('torch-gemm-f32', { ...gemm, dtype: 'f32' }),
      ...peer('torch-gemm-bf16', { ...gemm, dtype: 'bf16' }),
    ],
  };
  for (const n of [1, 16]) {
    const generate = { work: 'generate', model, newTokens: sizes.newTokens, prompts: Array.from({ length: n }, (_, row) => tokens(sizes.generatePrompt, row, 37)) };
    groups[`generate-${n}`] = [
      ours(`generate-${n}`, { ...generate, prepack: false }),
      ...peer(`transformers-bf16-${n}`, { ...generate, dtype: 'bf16' }),
      ours(`generate-${n}-prepack`, { ...generate, prepack: true }),
      ...peer(`transformers-f32-${n}`, { ...generate, dtype: 'f32' }),
    ];
  }
  return groups;
}

/**
 * Floating-point operations that a LoRA step cannot do without: forward, and backward to the inputs (frozen weights have no gradient of
 * their own), the adapters' three products both ways, causal attention over the pairs that may see each other, the head on supervised
 * rows. Recomputed activations do not count, nor does anything that is not a matrix product.
 */
export function stepFlops(config, { rows, prompt, response }) {
  const { hidden_size: width, intermediate_size: inner, num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: keyHeads, vocab_size: vocabulary } = config;
  const size = config.head_dim ?? width / heads;
  const linears = [[width, heads * size], [width, keyHeads * size], [width, keyHeads * size], [heads * size, width], [width, inner], [width, inner], [inner, width]];
  const length = prompt + response;
  const base = linears.reduce((sum, [i, o]) => sum + 4 * i * o, 0) * layers * rows * length;
  const lora = linears.reduce((sum, [i, o]) => sum + 6 * LORA.rank * (i + o), 0) * layers * rows * length;
  const pairs = (length * (length + 1)) / 2;
  const attention = 3 * 2 * 2 * pairs * heads * size * layers * rows;
  const head = 4 * width * vocabulary * rows * response;
  return base + lora + attention + head;
}
