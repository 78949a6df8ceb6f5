/** Reward functions of one's own, with TRL's signature: a number for each completion, or null where the function does not apply. */

const wordsOf = (text) => text.split(/\s+/).filter((word) => word !== '').length;

/** A cost: words above 25, in tens. */
export const words = ({ completions }) => completions.map((text) => Math.max(0, wordsOf(text) - 25) / 10);
