import type { Message } from './template.js';
import { rewriteInstruction } from './wording.js';

/** What asks a model to improve its own answer from a judgment. The papers give no wording; this one is ours. */
export const REFINEMENT =
  '{instruction}\n\n' +
  'An answer to this was:\n"""\n{response}\n"""\n\n' +
  'What was said about that answer: {judgment}\n\n' +
  'Write an improved answer: mend what was found wrong and keep what was right. Write the improved answer only.';

/**
 * The prompt under which a model refines a response (imitation learning from language feedback, Scheurer et al. 2023, arXiv 2303.16755):
 * the same messages, the last user turn showing instruction, response and judgment.
 *
 * @param messages Ends with the user turn that was answered.
 * @param response The answer that was judged. Not empty.
 * @param judgment What was written about it. Not empty.
 * @param wording The user turn, with `{instruction}`, `{response}` and `{judgment}`. Default: `REFINEMENT`.
 * @throws on an unknown or missing placeholder, an empty response or judgment, or messages without a last user turn.
 */
export const refinementPrompt = (messages: readonly Message[], response: string, judgment: string, wording = REFINEMENT): Message[] =>
  rewriteInstruction(messages, 'refinement', wording, { response, judgment });
