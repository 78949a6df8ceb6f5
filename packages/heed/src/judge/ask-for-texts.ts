import { speechOf } from '../text/thoughts.js';
import { refusalIn } from '../text/refusal.js';
import { type AskHooks, type Failure, type Respondent, type TextQuestion, type TextReply, failed } from './respondent.js';

/**
 * Asks for texts and gives what is said in them, without thoughts (`speechOf`). A reply that ends within its thoughts is a failure
 * (`cut-off`), and so is one that holds nothing else (`empty`). The thoughts stay in the store, which keeps replies as they came.
 */
export async function askForTexts(
  respondent: Respondent, questions: readonly TextQuestion[], hooks?: AskHooks,
): Promise<(TextReply | Failure)[]> {
  const replies = await respondent.write(questions, hooks);
  const speeches = replies.map((reply) => (failed(reply) ? undefined : speechOf(reply.text)));
  // Where the prompt opens the thoughts, a reply that was cut off before they ended shows no mark of them.
  const openedBefore = speeches.some((speech) => speech?.openedBefore === true);
  return replies.map((reply, i) => {
    if (failed(reply)) return reply;
    const { text, unfinished, openedBefore: closed } = speeches[i]!;
    const limit = questions[i]!.maxNewTokens;
    const unmarked = openedBefore && !closed && text === reply.text;
    const cut = reply.finish === 'length' && (text.trim() === '' || unmarked);
    if (unfinished || cut) {
      return { failure: 'cut-off', detail: `still thinking after ${limit} tokens: raise the limit, or ${ADVICE}`, usage: reply.usage };
    }
    if (text.trim() === '' && reply.text.trim() !== '') return { failure: 'empty', detail: 'nothing but thoughts', usage: reply.usage };
    return { ...reply, text };
  });
}

/** What helps where thoughts take the room of an answer. */
export const ADVICE = 'turn thoughts off (of an endpoint: extra: {reasoning_effort: none}, or '
  + '{chat_template_kwargs: {enable_thinking: false}})';

/** A refusal in words as a failure; undefined where the text is none. `what` is what was asked for. */
export function refusalOf(text: string, what: string): Failure | undefined {
  const refusal = refusalIn(text);
  return refusal === undefined ? undefined : { failure: 'refused', detail: `a refusal instead of a ${what}: ${JSON.stringify(refusal)}` };
}
