// @ts-check
// Asks a judge as `judge: { local: … }` of a recipe does.
import { failed, LocalOptions, openRespondent } from '@heed/heed';

/** The probability of the first of two answers, by question. @throws Error where a question cannot be answered: all rows count */
export async function askAll(local, questions, answers) {
  const judge = await openRespondent({ local: LocalOptions.parse(local) });
  try {
    const replies = await judge.choose(questions.map((question) => ({ ...question, answers })));
    return replies.map((reply, i) => {
      if (failed(reply)) throw new Error(`question ${i}: ${reply.failure}: ${reply.detail}`);
      const [one, two] = reply.logprobs;
      return { first: 1 / (1 + Math.exp(two - one)), mass: reply.mass };
    });
  } finally {
    await judge.close();
  }
}
