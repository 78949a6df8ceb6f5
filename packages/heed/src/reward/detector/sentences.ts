/** Which sentences of a response a detector objects to. */
import { failed } from '../../judge/respondent.js';
import { type Span, sentencesOf } from '../../text/sentences.js';
import type { Rated, Reward, RewardItem, ValuedSpan } from '../reward.js';

/**
 * A reward whose values are at most 1, with the places that its values fall short at. The value of a response stays what it is. Each
 * sentence is rated alone as well, and what the response lacks of 1 is taken off at its sentences, in proportion to what each of them
 * lacks. A response of one sentence is not asked about twice.
 */
export function bySentence(reward: Reward): Reward {
  return {
    ...reward,
    async rate(items, hooks) {
      const whole = await reward.rate(items, hooks);
      const sentences = items.map(({ response }, i) => (failed(whole[i]!) ? [] : sentencesOf(response)));
      const asked = items.flatMap((item, i) => (sentences[i]!.length > 1 ? sentences[i]!.map(({ text }) => alone(item, text)) : []));
      const ratings = asked.length === 0 ? [] : await reward.rate(asked, { ...hooks, onProgress: undefined });
      let next = 0;
      return whole.map((one, i) => {
        if (failed(one)) return one;
        const own = sentences[i]!;
        if (own.length === 1) return { ...one, spans: blamed(own, [1], one) };
        const lacks = own.map((): number => {
          const rated = ratings[next++]!;
          return failed(rated) ? 0 : 1 - rated.value;
        });
        return { ...one, spans: blamed(own, lacks, one) };
      });
    },
  };
}

/** A sentence as a response of its own; the tokens were those of the whole. */
const alone = ({ ids: _, ...item }: RewardItem, response: string): RewardItem => ({ ...item, response });

function blamed(sentences: readonly Span[], lacks: readonly number[], { value }: Rated): ValuedSpan[] {
  const all = lacks.reduce((sum, one) => sum + one, 0);
  if (all === 0) return [];
  return sentences.map(({ start, end }, i) => ({ start, end, value: -(1 - value) * lacks[i]! / all }));
}
