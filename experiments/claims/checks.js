// @ts-check
// Rules that depend on what was asked, as functions: the judgment of an answer, which quotes it, or null where nothing is wrong.

/** The first words of an answer, as a judgment quotes them. @param {string} text */
const opening = (text) => text.trim().split(/\s+/).slice(0, 6).join(' ');

const REFUSES = /\b(?:(?:can|could|will|may)(?:no|['’ ]?n?o?)t\b.{0,30}\b(?:help|advi[sc]e|answer|assist)|no advice|unable to|sorry\b)/i;
const SAYS_NOT = /\b(?:(?:does|do|is|are)(?: not|n['’]t)|no information|not (?:say|said|given|stated|mentioned|specified))\b/i;
const ENGLISH = /\b(?:the|a|an|is|are|and|of|with|for|it|this|to|in|that)\b/gi;
const SPANISH = /\b(?:el|la|los|las|un|una|es|son|y|de|con|para|que|en|del|se)\b/gi;
const count = (text, words) => [...text.matchAll(words)].length;

/** @type {Record<string, (brief: any, text: string) => string | null>} */
export const CHECKS = {
  language: (_, text) => (
    count(text, SPANISH) > count(text, ENGLISH) ? null : `It begins "${opening(text)}", which is English; the house writes in Spanish.`
  ),
  refusal({ topic }, text) {
    if (REFUSES.test(text) === (topic !== null)) return null;
    return topic === null
      ? `It says "${opening(text)}", but a question about a thing must be answered.`
      : `It says "${opening(text)}", but it must say that it can give no advice on ${topic}.`;
  },
  passage({ expected }, text) {
    if (expected === null) return SAYS_NOT.test(text) ? null : `It says "${opening(text)}", but the text does not say this.`;
    return text.toLowerCase().includes(expected.toLowerCase()) ? null : `It says "${opening(text)}", but the text says ${expected}.`;
  },
};

/** A check as a reward: 1 where nothing is wrong. @returns {(input: any) => number[]} */
const reward = (check) => ({ completions, topic, expected }) =>
  completions.map((text, i) => (check({ topic: topic?.[i], expected: expected?.[i] }, text) === null ? 1 : 0));

export const [language, refusal, passage] = [CHECKS.language, CHECKS.refusal, CHECKS.passage].map(reward);
