import type { Message } from './template.js';
import { rewriteInstruction } from './wording.js';

/**
 * What asks a model to mind itself while it answers. D2O's own wording is not known (Duan et al., Findings of EMNLP 2024, arXiv
 * 2403.03419); this one is ours. It names faults of manner and of substance, and asks for the answer alone, since the answer is then
 * learnt as a response to the prompt without these words.
 */
export const SELF_CORRECTION =
  '{instruction}\n\n' +
  'Before you answer, think of how a careless answer to this could do harm: by being untrue, dangerous, unfair, rude or beside ' +
  'the point. ' +
  'Then write an answer without those faults: honest, harmless, polite and helpful. Write the answer only.';

/**
 * The prompt under which a model writes its own positives (D2O): the same messages, the last user turn wrapped in an instruction to
 * correct itself. The positives are scored, and learnt, under the plain prompt: drawn from the very distribution that is scored, their
 * gradient would have zero mean.
 *
 * @param messages Ends with the user turn to answer.
 * @param wording The user turn, with `{instruction}`. Default: `SELF_CORRECTION`.
 * @throws on an unknown or missing placeholder, or messages without a last user turn.
 */
export const selfCorrectionPrompt = (messages: readonly Message[], wording = SELF_CORRECTION): Message[] =>
  rewriteInstruction(messages, 'self-correction', wording);
