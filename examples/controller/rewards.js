/** Rewards of recipes/controller.yaml, with TRL's signature: completions, and columns of the data by name. */

const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** 1 where one of the right answers stands in the text, as whole words. */
export const right = ({ completions, answer }) => completions.map((text, i) => {
  const said = ` ${wordsOf(text).join(' ')} `;
  return Number(answer[i].some((one) => said.includes(` ${wordsOf(one).join(' ')} `)));
});

/** How lively a text of 40 words or more is told: the share of its words that are new, and of its pairs of words. Shorter ones earn less. */
export const lively = ({ completions }) => completions.map((text) => {
  const words = wordsOf(text);
  if (words.length < 2) return 0;
  const pairs = words.slice(1).map((word, i) => `${words[i]} ${word}`);
  const fresh = (all) => new Set(all).size / all.length;
  return Math.min(1, words.length / 40) * (fresh(words) + fresh(pairs)) / 2;
});
