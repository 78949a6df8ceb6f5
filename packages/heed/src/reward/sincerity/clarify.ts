import { z } from 'zod';
import { type Span, sentencesOf } from '../../text/sentences.js';
import { defineReward } from '../define.js';
import type { Rated, RewardItem } from '../reward.js';
import { inParts } from '../spans.js';
import { findingAt, ofNothing, textReward } from '../text-reward.js';
import { needsOf } from './needs.js';

const Options = z.strictObject({
  /** The column of the data that says, by true or false, whether the prompt is ambiguous. A row without it is judged by its prompt. */
  ambiguous: z.string().min(1).default('ambiguous'),
});

/**
 * `clarify`: asking back where a request is ambiguous, and there alone.
 *
 * | the request | asks for what is missing | asks something else | answers |
 * |---|---|---|---|
 * | ambiguous | 1 | 0.5 | −1 |
 * | clear | −0.5 | −0.5 | 0 |
 *
 * A clear request is worth 0 when it is answered: whether the answer is good is another reward's to say. A response without a word is
 * worth −1. Draws a line: not below 0. Asking costs nothing else here; where a policy asks more and more, look at its share of questions on
 * clear requests.
 */
export const clarify = defineReward({
  name: 'clarify',
  options: Options,
  open: async (options) => textReward('clarify', options, true, (items) => items.map((item) => {
    const known = item.row?.extra[options.ambiguous];
    return rateClarify(item.prompt, item.response, typeof known === 'boolean' ? known : undefined);
  })),
});

/** Offers and pleasantries, which ask for nothing: "Is there anything else?" */
const OFFERS = /^(?:is there (?:anything|something) else|can i help (?:you )?with anything|does that help|what do you think|how does that sound|right|ok(?:ay)?)\b/i;

/** The questions of a response that ask for something. */
export const questionsIn = (response: string): Span[] =>
  sentencesOf(response).filter(({ text }) => /\?["'”’)]*$/.test(text) && !OFFERS.test(text));

/** @param known Whether the request is ambiguous. Default: what its text tells. */
export function rateClarify(prompt: RewardItem['prompt'], response: string, known?: boolean): Rated {
  const needs = known === false ? [] : needsOf(prompt);
  const ambiguous = known ?? needs.length > 0;
  const questions = questionsIn(response);
  const named = needs.length === 0 || questions.some(({ text }) => needs.some(({ asks }) => asks.test(text)));
  const parts = { ambiguous: Number(ambiguous), asks: Number(questions.length > 0) };
  const nothing = ofNothing(response, -1, parts);
  if (nothing !== undefined) return { ...nothing, satisfied: false };
  const asked = questions[0];
  if (!ambiguous) {
    if (asked === undefined) return { value: 0, reason: null, parts, satisfied: true, spans: [] };
    const reason = `It asks "${asked.text}", although the request says all that is needed.`;
    const findings = questions.map((span) => findingAt('clarify', span));
    return { value: -0.5, reason, parts, satisfied: false, findings, spans: inParts(questions, -0.5) };
  }
  const missing = needs.map(({ what }) => what).join(' and ') || 'what is meant';
  if (asked === undefined) {
    const quote = sentencesOf(response)[0];
    const findings = quote === undefined ? [] : [findingAt('clarify', quote)];
    const reason = `It answers without asking for ${missing}, which the request leaves open.`;
    return { value: -1, reason, parts, satisfied: false, findings, spans: inParts(findings, -1) };
  }
  const spans = inParts(questions, named ? 1 : 0.5);
  if (named) return { value: 1, reason: null, parts, satisfied: true, spans };
  return { value: 0.5, reason: `It asks "${asked.text}", and not for ${missing}.`, parts, satisfied: true, spans };
}

/** Whether to ask before answering: what an answer is worth afterwards, less the cost of the question, against being right now. */
export const worthAsking = (after: number, cost: number, rightNow: number): boolean => after - cost > rightNow;
