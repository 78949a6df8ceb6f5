import type { Message } from '../../data/rows.js';
import type { Model } from '../../model/load.js';
import type { Tokenizer } from '../../text/tokenizer.js';
import { rstrip } from './python-text.js';

/** What an answer comes after: a text, or turns under the chat template. */
export type Context = { readonly text: string } | { readonly messages: readonly Message[] };

/** A context and the answers that may come after it, in tokens. */
export interface EncodedChoices {
  readonly prompt: readonly number[];
  readonly answers: readonly (readonly number[])[];
}

type Encoder = Pick<Model, 'tokenizer' | 'template'>;

const beginning = ({ addsBos, bosId }: Tokenizer): number[] => (addsBos && bosId !== undefined ? [bosId] : []);

/** A text in tokens as the model was trained to read one: with BOS before it where the tokenizer adds that. */
export const encodeText = (tokenizer: Tokenizer, text: string): number[] => [...beginning(tokenizer), ...tokenizer.encode(text)];

/** A context in tokens. @throws UserError where the template refuses the turns */
export const encodeContext = ({ tokenizer, template }: Encoder, context: Context): number[] =>
  ('text' in context ? encodeText(tokenizer, context.text) : template.prompt(context.messages));

/**
 * A context with each answer, as lm-evaluation-harness cuts them: blanks at the context's end belong to the answers, the whole text is
 * encoded at once, and the answer is what comes after as many tokens as the context has alone. Before an answer stands a blank, but none
 * under a chat template.
 *
 * Source: lm-evaluation-harness 0.4.13, `lm_eval/api/model.py` (`_encode_pair`) and `lm_eval/api/task.py` (`construct_requests`).
 */
export function encodeChoices(encoder: Encoder, context: Context, choices: readonly string[]): EncodedChoices {
  const { tokenizer, template } = encoder;
  if ('messages' in context) return afterTurns(tokenizer, template.prompt(context.messages), choices);
  const text = rstrip(context.text);
  const blanks = context.text.slice(text.length);
  const prompt = encodeText(tokenizer, text);
  return { prompt, answers: choices.map((choice) => encodeText(tokenizer, `${text}${blanks} ${choice}`).slice(prompt.length)) };
}

/** The same behind turns. They stay the tokens that the template made, and the blank tokens at their end move to the answers. */
function afterTurns(tokenizer: Tokenizer, turns: readonly number[], choices: readonly string[]): EncodedChoices {
  let end = turns.length;
  while (end > 1 && !tokenizer.isSpecial(turns[end - 1]!) && rstrip(tokenizer.decode([turns[end - 1]!], { continues: true })) === '') end--;
  const blanks = tokenizer.decode(turns.slice(end), { continues: true });
  return {
    prompt: turns.slice(0, end),
    answers: choices.map((choice) => tokenizer.encode(blanks + choice, { after: 'text' })),
  };
}
