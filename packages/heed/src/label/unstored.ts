/** A respondent without a store, for one who keeps its answers itself: what is asked is counted, and nothing is remembered. */
import type { Respondent } from '../judge/respondent.js';
import { keeps } from './lasting.js';
import type { Answer } from './record.js';
import type { Asking, StoredRespondent } from './asking.js';

/** @param asking Where it is counted. People's answers take no tokens. */
export function unstored(inner: Respondent, asking: Asking): StoredRespondent {
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
