// @ts-check
// What each judge is taught and asked: sizes of the parts, what is set beside its recipe. One setting, which two cores can afford; none
// other was tried.
const common = ['data.junk=skip', 'data.maxTokens=256', 'data.onLong=skip', 'train.checkpointEvery=0', 'train.checkpointing=none'];

/** `teach`: no more rows than the steps go through, so that the baseline learns from the same ones. */
export const JUDGES = {
  toxicity: { data: 'surge_toxicity.jsonl', sizes: { heldOut: 300, dev: 52 }, set: [...common, 'train.steps=60'] },
  refusal: { data: 'xstest_completions.jsonl', sizes: { heldOut: 320, dev: 60 }, teach: 320, set: [...common, 'train.steps=40'] },
  truthfulness: { data: 'truthfulqa_judge.jsonl', sizes: { heldOut: 400, dev: 100 }, teach: 560, set: [...common, 'train.steps=70'] },
};

const BOTH = ['untaught', 'taught'];
JUDGES.preferences = {
  data: 'hh_harmless_base.jsonl',
  words: 60,
  sizes: { heldOut: 100, dev: 20 },
  set: [...common, 'train.steps=60'],
  others: { 'gemma-3-270m': { model: 'gemma-3-270m' } },
  // Rationales are short and the pairs few where a model writes: the pairs are the first of the same held-out ones.
  table: [
    { ask: 'direct, 0-shot', judges: [...BOTH, 'gemma-3-270m'], how: { n: 100 } },
    { ask: 'direct, 2-shot', judges: BOTH, how: { n: 60, shots: 2 } },
    { ask: 'CoT, 0-shot, greedy', judges: BOTH, how: { n: 20, maxNewTokens: 32 } },
    { ask: 'CoT, 2-shot, greedy', judges: BOTH, how: { n: 20, shots: 2, maxNewTokens: 32 } },
    ...[1, 4, 16].map((samples) => ({
      ask: `CoT, 0-shot, self-consistency ${samples}`,
      judges: BOTH,
      how: { n: 10, maxNewTokens: 32, temperature: 0.7, samples },
    })),
  ],
};
