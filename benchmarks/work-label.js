// @ts-check
// The work of judges and of int8 weights: two-way choices behind a common preamble, and generation beside llama.cpp.

/** Tokens of a choice: the preamble that all prompts begin with, and what follows it in each. */
export const CHOICE = { preamble: 250, rest: 150 };

/**
 * Groups of `entriesOf`. `gguf` is the quantised file that the default model's weights were read from; without it there is no llama.cpp.
 */
export function labelGroups(model, sizes, { ours, peer, tokens, gguf }) {
  const { prompts, preamble, rest, batch } = sizes.label;
  const label = {
    work: 'label',
    model,
    batch,
    // Runs take turns between two, so that none finds the preamble of the one before it.
    preambles: [0, 1].map((which) => tokens(preamble, 100 + which, 7919)),
    rests: Array.from({ length: prompts }, (_, row) => tokens(rest, row, 104729)),
    answers: [[33], [34]],
  };
  const groups = {
    label: [
      ours('label', { ...label, reuse: true }),
      ...peer('transformers-label-bf16', { ...label, dtype: 'bf16' }),
      ...peer('transformers-label-reuse-bf16', { ...label, dtype: 'bf16', reuse: true }),
      ours('label-int8', { ...label, reuse: true, precision: 'int8' }),
      ours('label-no-reuse', label),
      ...peer('transformers-label-f32', { ...label, dtype: 'f32' }),
      ...peer('transformers-label-reuse-f32', { ...label, dtype: 'f32', reuse: true }),
    ],
  };
  for (const n of [1, 16]) {
    const generate = {
      work: 'generate',
      model,
      newTokens: sizes.newTokens,
      prompts: Array.from({ length: n }, (_, row) => tokens(sizes.generatePrompt, row, 37)),
    };
    groups[`generate-int8-${n}`] = [
      ours(`generate-int8-${n}`, { ...generate, precision: 'int8' }),
      ...(gguf === undefined ? [] : peer(`llama.cpp-${n}`, { ...generate, gguf, script: 'llama' })),
      ours(`generate-f32-${n}`, generate),
    ];
  }
  return groups;
}
