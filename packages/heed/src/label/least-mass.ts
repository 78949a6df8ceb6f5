import { type AskHooks, type ChoiceReply, type Failure, failed, type Respondent } from '../judge/respondent.js';

/**
 * The same judge with a limit: a choice counts only where the judge gave the answers together at least this probability, and fails as
 * `no-such-answer` otherwise. A reply that does not know its mass counts. The limit stands in front of the store, which keeps what the
 * judge said, so another limit asks no question again.
 */
export function withLeastMass(judge: Respondent, least: number): Respondent {
  const limited = (reply: ChoiceReply | Failure): ChoiceReply | Failure => {
    if (failed(reply) || reply.mass === undefined || reply.mass >= least) return reply;
    const mass = Number(reply.mass.toPrecision(2));
    const found = `the answers together have a probability of ${mass}, and leastMass is ${least}`;
    return { failure: 'no-such-answer', detail: `the judge would most likely have said something else: ${found}`, usage: reply.usage };
  };
  return {
    name: judge.name,
    choose: async (questions, hooks = {}) => {
      const { onReply } = hooks;
      const onLimited: AskHooks['onReply'] = onReply && ((index, reply) => onReply(index, 'text' in reply ? reply : limited(reply)));
      return (await judge.choose(questions, { ...hooks, onReply: onLimited })).map(limited);
    },
    write: async (questions, hooks) => judge.write(questions, hooks),
    ...(judge.rest === undefined ? {} : { rest: async () => judge.rest!() }),
    close: async () => judge.close(),
  };
}
