/** Feedback over HTTP: answers are kept as they are given, and what is said of them by their ids. */
import type { Completion } from '../generate/request.js';
import { FeedbackBody, FeedbackFault, readFeedback } from '../feedback/feedback.js';
import type { FeedbackStore } from '../feedback/store.js';
import { ApiError } from './api-error.js';
import type { Kept } from './ask.js';
import { parseBody } from './fields.js';

/** What an Idempotency-Key may be. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** @throws ApiError 404 for an answer that is not kept, 400 for anything else that does not fit */
export async function takeFeedback(store: FeedbackStore | undefined, json: unknown, key: string | undefined): Promise<object> {
  if (store === undefined)
    throw new ApiError(404, 'This server keeps no feedback. Start it with --feedback FILE.db.', { code: 'feedback_off' });
  if (key !== undefined && !KEY.test(key))
    throw new ApiError(400, 'Idempotency-Key must be 1 to 255 visible ASCII characters.', { param: 'Idempotency-Key' });
  const body = parseBody(FeedbackBody, json);
  try {
    return { feedback_id: await store.add(readFeedback(body), { key, dryrun: body.dryrun }) };
  } catch (error) {
    if (!(error instanceof FeedbackFault)) throw error;
    const [status, code] = error.unknown ? ([404, 'not_found'] as const) : ([400, 'invalid_value'] as const);
    throw new ApiError(status, error.message, { param: error.param, code });
  }
}

/** Keeps the choices of a reply before its last words are sent, so that feedback can refer to any id that a client has. */
export const keepAnswers = (
  store: FeedbackStore,
  { id, model, kept: { prompt, begun, metadata } }: { readonly id: string; readonly model: string; readonly kept: Kept },
  completions: readonly Pick<Completion, 'sample' | 'text' | 'finish'>[],
): Promise<void> => {
  const { episode_id: episode, ...tags } = metadata;
  return store.keep(completions.map(({ sample: choice, text, finish }) => (
    { id, choice, prompt, completion: begun + text, model, finish, episode, tags }
  )));
};
