import { expect } from 'vitest';
import type {
  AskHooks,
  ChoiceQuestion,
  ChoiceReply,
  Failure,
  Respondent,
  TextQuestion,
  TextReply,
  Usage,
} from '../../src/judge/respondent.js';

export const USAGE: Usage = { promptTokens: 10, completionTokens: 1, milliseconds: 2 };

/** What the last user turn says, with how the answer already begins. */
export const wordsOf = ({ messages, begun = '' }: ChoiceQuestion | TextQuestion): string => `${messages.at(-1)!.content}\n${begun}`;

/** A choice by probabilities rather than their logarithms. */
export const chose = (...p: number[]): ChoiceReply => ({
  logprobs: p.map(Math.log),
  source: 'logprobs',
  mass: p.reduce((a, b) => a + b, 0),
  usage: USAGE,
});
/** A number up to rounding, where a matcher is no type. */
export const near = (x: number): number => expect.closeTo(x, 12) as number;
export const said = (text: string, finish: TextReply['finish'] = 'stop'): TextReply => ({ text, finish, usage: USAGE });
export const broke = (failure: Failure['failure'] = 'timeout', detail = 'it took too long'): Failure => ({ failure, detail });

export interface Script {
  choose?(question: ChoiceQuestion, index: number): ChoiceReply | Failure;
  write?(question: TextQuestion, index: number): TextReply | Failure;
}

export interface Fake extends Respondent {
  /** Every question, as it was asked. */
  readonly choices: ChoiceQuestion[];
  readonly texts: TextQuestion[];
}

/** A respondent that answers by a script, at once, and remembers what it was asked. */
export function fake(script: Script, name = 'fake'): Fake {
  const choices: ChoiceQuestion[] = [];
  const texts: TextQuestion[] = [];
  const run = async <Q, R extends ChoiceReply | TextReply>(
    questions: readonly Q[],
    reply: ((q: Q, i: number) => R | Failure) | undefined,
    hooks: AskHooks = {},
  ): Promise<(R | Failure)[]> => {
    if (reply === undefined) throw new Error('The script has no answer to such a question.');
    await Promise.resolve();
    return questions.map((question, i) => {
      const one = reply(question, i);
      hooks.onReply?.(i, one);
      return one;
    });
  };
  return {
    name, choices, texts,
    choose(questions, hooks) {
      choices.push(...questions);
      return run(questions, script.choose, hooks);
    },
    write(questions, hooks) {
      texts.push(...questions);
      return run(questions, script.write, hooks);
    },
    close: () => Promise.resolve(),
  };
}
