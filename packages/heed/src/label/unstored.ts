/** A respondent without a store, for one who keeps its answers itself: what is asked is counted, and nothing is remembered. */
import type { Respondent } from '../judge/asked.js';
import { keeps } from './lasting.js';
import type { Answer } from './record.js';
import type { Asking, StoredRespondent } from './stored.js';

export function unstored(inner: Respondent): StoredRespondent {
  const asking: Asking = { questions: 0, reused: 0, asked: 0, promptTokens: 0, completionTokens: 0, milliseconds: 0, earlier: { promptTokens: 0, completionTokens: 0 } };
  const counted = <R extends Answer>(replies: readonly R[]): readonly R[] => {
    asking.questions += replies.length;
    asking.asked += replies.filter(keeps).length;
    return replies;
  };
  return {
    ...inner,
    asking,
    choose: async (questions, hooks) => counted(await inner.choose(questions, hooks)),
    write: async (questions, hooks) => counted(await inner.write(questions, hooks)),
  };
}
