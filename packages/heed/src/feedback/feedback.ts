/** What people say of an answer, as TensorZero's `POST /feedback` has it. */
import { z } from 'zod';

/** Names of metrics that mean something of themselves. */
export const COMMENT = 'comment';
export const DEMONSTRATION = 'demonstration';

const Text = z.strictObject({ type: z.literal('text'), text: z.string() });
const tags = z.record(z.string(), z.string());
const value = z.union([z.boolean(), z.number(), z.string(), z.array(Text).min(1)], {
  error: 'expected true or false, a number, a text, or a list of parts of type text',
});

/** The body of `POST /feedback`. */
export const FeedbackBody = z.strictObject({
  /** The `id` of an answer. */
  inference_id: z.string().min(1).optional(),
  /** Which choice of an answer with `n` > 1. */
  choice: z.int().min(0).optional(),
  /** The `metadata.episode_id` that the requests of a conversation carried. */
  episode_id: z.string().min(1).optional(),
  /** `comment`: words about the answer; `demonstration`: the answer as it should have been; any other: a vote or a score of that name. */
  metric_name: z.string().min(1).max(200),
  value,
  tags: tags.optional(),
  /** Check everything and keep nothing. */
  dryrun: z.boolean().default(false),
});
export type FeedbackBody = z.infer<typeof FeedbackBody>;
/** The body as it is written, defaults left out. */
export type FeedbackInput = z.input<typeof FeedbackBody>;

/** What kind of thing was said. */
export type Said = 'comment' | 'demonstration' | 'vote' | 'score';

/** One piece of feedback, checked. */
export interface Feedback {
  readonly metric: string;
  readonly said: Said;
  readonly value: boolean | number | string;
  readonly inference?: string;
  readonly choice?: number;
  readonly episode?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Why a piece of feedback cannot be taken. */
export class FeedbackFault extends Error {
  override readonly name = 'FeedbackFault';

  /** @param param The field of the body that is wrong. */
  constructor(message: string, readonly param: string, readonly unknown = false) {
    super(message);
  }
}

/** Most characters of a comment or a demonstration: more than any model here reads, and little enough for a database of answers. */
const MOST = 200_000;

/** @throws FeedbackFault naming the field that does not fit the others */
export function readFeedback(
  { inference_id: inference, choice, episode_id: episode, metric_name: metric, value: given, tags: labels = {} }: FeedbackBody,
): Feedback {
  const fault = (message: string, param: string): never => { throw new FeedbackFault(message, param); };
  if ((inference === undefined) === (episode === undefined)) fault('Give inference_id or episode_id: one of them.', 'inference_id');
  if (choice !== undefined && inference === undefined) fault('choice names a choice of an answer, so it needs inference_id.', 'choice');
  const words = Array.isArray(given) ? given.map(({ text }) => text).join('') : given;
  const about = { metric, inference, choice, episode, tags: labels };
  if (metric === COMMENT || metric === DEMONSTRATION) {
    if (typeof words !== 'string') return fault(`A ${metric} is a text, not ${JSON.stringify(given)}.`, 'value');
    if (words.trim() === '') return fault(`The ${metric} is empty.`, 'value');
    if (words.length > MOST) return fault(`The ${metric} has ${words.length} characters; at most ${MOST} are kept.`, 'value');
    if (metric === DEMONSTRATION && episode !== undefined)
      return fault('A demonstration is of one answer, so it needs inference_id.', 'episode_id');
    return { ...about, said: metric, value: words };
  }
  if (typeof words === 'string') {
    return fault(
      `value is a text, and ${metric} is neither ${COMMENT} nor ${DEMONSTRATION}: a metric of its own takes true, false or a number.`,
      'value',
    );
  }
  return { ...about, said: typeof words === 'boolean' ? 'vote' : 'score', value: words };
}
