/** What a controller may choose: ways of drawing an answer's tokens, by name. */
import { z } from 'zod';
import type { Steering } from '../generate/options.js';
import type { Tokenizer } from '../text/tokenizer.js';

/** One way: temperature, filters and logit masks. */
export const ActionOptions = z.strictObject({
  /** 0 takes the likeliest token. */
  temperature: z.number().min(0),
  topK: z.int().min(1).optional(),
  topP: z.number().gt(0).max(1).optional(),
  minP: z.number().min(0).max(1).optional(),
  /** No n-gram of prompt and answer comes a second time. */
  noRepeatNgram: z.int().min(1).optional(),
  /** Texts that must not come. Each is meant with a space before it and without; case counts. */
  badWords: z.array(z.string().min(1)).min(1).optional(),
  /** `add` is added to the logits of the tokens that end the turn, once the answer has `after` tokens. */
  endBias: z.strictObject({ add: z.number(), after: z.int().min(0) }).optional(),
});
export type ActionOptions = z.infer<typeof ActionOptions>;

/** Few actions, since each needs its share of the answers that are learnt from. */
const MOST = 12;
const NAME = /^[A-Za-z][\w-]*$/;

/** `actions:` of a recipe: 2 to 12 ways by names of the user's own. */
export const ActionsOptions = z.record(z.string(), ActionOptions).superRefine((actions, context) => {
  const names = Object.keys(actions);
  const add = (message: string, path: string[] = []): void => context.addIssue({ code: 'custom', path, message });
  if (names.length < 2 || names.length > MOST)
    add(`expected 2 to ${MOST} actions, such as { cool: { temperature: 0.3 }, hot: { temperature: 1 } }`);
  for (const name of names.filter((one) => !NAME.test(one)))
    add('expected a name of letters, digits, _ and -, with a letter first', [name]);
  const seen = new Map<string, string>();
  for (const [name, action] of Object.entries(actions)) {
    const same = seen.get(JSON.stringify(action));
    if (same !== undefined) add(`is the same as ${same}; leave one of them out`, [name]);
    seen.set(JSON.stringify(action), name);
  }
});
export type ActionsOptions = z.infer<typeof ActionsOptions>;

/** What an action decides, undecided: an action that is silent on one of these switches it off. */
const OFF = {
  topK: undefined, topP: undefined, minP: undefined, repetitionPenalty: undefined, noRepeatNgram: undefined, badWords: undefined,
  logitBias: undefined, endBias: undefined,
};

/** The action as the sampler takes it. Words become tokens, each with a space before it and without. */
export function samplingOf({ badWords, ...action }: ActionOptions, tokenizer: Pick<Tokenizer, 'encode'>): Steering {
  const words = badWords?.flatMap((word) => [word, ` ${word}`]).map((text) => [...tokenizer.encode(text)]);
  return { ...OFF, ...action, badWords: words };
}
