import { type ChoiceReply, type Failure, failed, type Respondent } from '../judge/respondent.js';

/**
 * The same judge, with choices that count only where it gave the answers together at least this probability; the others fail as `no-such-answer`. It stands before
 * the store, which keeps what the judge said: with another limit nothing is asked again. A reply that does not know its mass counts.
 */
export function withLeastMass(judge: Respondent, least: number): Respondent {
  const held = (reply: ChoiceReply | Failure): ChoiceReply | Failure => {
    if (failed(reply) || reply.mass === undefined || reply.mass >= least) return reply;
    return { failure: 'no-such-answer', detail: `the judge would most likely have said something else: the answers together have a probability of ${Number(reply.mass.toPrecision(2))}, and leastMass is ${least}`, usage: reply.usage };
  };
  return {
    name: judge.name,
    choose: async (questions, hooks = {}) => {
      const { onReply } = hooks;
      const replies = await judge.choose(questions, { ...hooks, ...(onReply === undefined ? {} : { onReply: (index, reply) => onReply(index, 'text' in reply ? reply : held(reply)) }) });
      return replies.map(held);
    },
    write: async (questions, hooks) => judge.write(questions, hooks),
    close: async () => judge.close(),
  };
}
