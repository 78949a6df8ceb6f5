import type { Context } from './encode.js';
import type { Question } from './task.js';

/** What a shot shows. */
type Shot = Pick<Question, 'question' | 'answer'>;

/**
 * A question behind its shots. As text the description comes first and shots are joined by a blank line; as turns the description is the
 * system turn and each shot is a question and an answer.
 *
 * Source: lm-evaluation-harness 0.4.13, `lm_eval/api/task.py` (`fewshot_context`), with its default `fewshot_as_multiturn` under a chat
 * template.
 */
export function contextOf({ question, description = '' }: Question, shots: readonly Shot[], asTurns: boolean): Context {
  if (!asTurns) return { text: `${description}${shots.map((shot) => `${shot.question} ${shot.answer}\n\n`).join('')}${question}` };
  return {
    messages: [
      ...(description === '' ? [] : [{ role: 'system' as const, content: description }]),
      ...shots.flatMap((shot) => [
        { role: 'user' as const, content: shot.question }, { role: 'assistant' as const, content: shot.answer },
      ]),
      { role: 'user', content: question },
    ],
  };
}

/**
 * The shots of an item: the first of `dev` that are of its group, without the item itself.
 *
 * @returns undefined where there are too few
 */
export function shotsOf<Item extends Question>(item: Item, dev: readonly Item[], shots: number): readonly Item[] | undefined {
  const others = dev.filter((one) => one.group === item.group && one.question !== item.question);
  return others.length < shots ? undefined : others.slice(0, shots);
}
