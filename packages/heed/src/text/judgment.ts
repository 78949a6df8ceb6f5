import type { Message, Template } from './template.js';
import { rewriteInstruction } from './wording.js';

const PREAMBLE = 'Below is an instruction that describes a task. Write a response to the instruction and the response should match the ' +
  'corresponding judgment.';

/** The wording for the plain template: its preamble and sections are added by `alpacaTemplate`. Together: CUT's T_judge. */
export const ALPACA_WORDING = '{instruction}\n\n### Judgment:\n{judgment}';

/**
 * The wording for chat models, ours. On 32 judged answers of SmolLM2-135M it told quoted tokens from others better (AUC 0.79) than
 * T_judge's words in a user turn did (0.74): a chat model has seen instructions in words, not in sections.
 */
export const CHAT_WORDING = '{instruction}\n\nWrite an answer that deserves this judgment: {judgment}';

/**
 * The prompt under a written judgment (CUT's Align-N; Xu et al., ACL 2024, arXiv 2312.14591, figures 5 and 6): the same messages, the
 * last user turn rewritten to show the judgment. `alpacaTemplate(…).prompt` of the result is exactly the paper's T_judge.
 *
 * @param messages Ends with the user turn that was answered.
 * @param judgment What was written about the answer. Not empty.
 * @param format The template that will read the messages.
 * @param wording The user turn, with `{instruction}` and `{judgment}` once or more each. Default: that of the format.
 * @throws on an unknown or missing placeholder, an empty judgment, or messages without a last user turn.
 */
export function judgedPrompt(
  messages: readonly Message[], judgment: string, format: Template['name'], wording = format === 'alpaca' ? ALPACA_WORDING : CHAT_WORDING,
): Message[] {
  const judged = rewriteInstruction(messages, 'judgment', wording, { judgment });
  // The plain template says what the judgment is for in its preamble, where a system message stands.
  const preamble: Message[] = format === 'alpaca' && messages.length === 1 ? [{ role: 'system', content: PREAMBLE }] : [];
  return [...preamble, ...judged];
}
