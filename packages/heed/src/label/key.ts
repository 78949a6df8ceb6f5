/** What a question is known by in a label store. */
import { createHash } from 'node:crypto';
import type { Question, ChoiceQuestion, TextQuestion } from '../judge/respondent.js';

/** How a question is answered: by choosing or by writing. */
export type Kind = 'choose' | 'write';

/** What tells questions apart: who is asked, the prompt, the decoding and the seed. */
export function keyOf(respondent: string, kind: Kind, question: ChoiceQuestion | TextQuestion): string {
  return createHash('sha256').update(JSON.stringify([1, respondent, kind, canonical(question)])).digest('hex');
}

/** A list rather than an object, so that the order in which somebody wrote the fields does not count. */
function canonical(question: ChoiceQuestion | TextQuestion): unknown[] {
  const { messages, begun = '' }: Question = question;
  const prompt = [messages.map(({ role, content }) => [role, content]), begun];
  if ('answers' in question) return [...prompt, question.answers];
  const { maxNewTokens, temperature, topK = null, topP = null, stop = [], seed } = question;
  return [...prompt, maxNewTokens, temperature, topK, topP, stop, seed];
}
