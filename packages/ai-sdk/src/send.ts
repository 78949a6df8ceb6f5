/** Feedback on an answer, into a store or to a server. */
import { FeedbackBody, FeedbackFault, type FeedbackInput, type FeedbackStore, UserError, readFeedback } from '@heed/heed/feedback';

/** A `heed serve --feedback` that keeps the answers itself. */
export interface FeedbackServer {
  /** The server's address with `/v1`, as `createHeed` takes it. */
  readonly baseURL: string;
  /** The server's token. Default: none. */
  readonly apiKey?: string;
}

/**
 * Says something of an answer: `{ inference_id, metric_name, value }`, with the fields of `POST /v1/feedback`.
 *
 * @param to The store that `captureFeedback` keeps answers in, or the server that answered.
 * @param options `key`: the same key a second time changes nothing, and gives the same id.
 * @returns The feedback's id. What it stands for is on disk.
 * @throws FeedbackFault naming the field that does not fit: an answer that is not known, a value of the wrong type
 * @throws UserError where the server cannot be reached or refuses the token
 */
export async function sendFeedback(
  to: Pick<FeedbackStore, 'add'> | FeedbackServer, feedback: FeedbackInput, { key }: { readonly key?: string } = {},
): Promise<string> {
  if ('baseURL' in to) return post(to, feedback, key);
  const { success, data, error } = FeedbackBody.safeParse(feedback);
  if (!success) {
    const [{ path, message } = { path: [], message: '' }] = error.issues;
    throw new FeedbackFault(`${path.join('.') || 'The feedback'}: ${message}`, path.join('.'));
  }
  return to.add(readFeedback(data), { dryrun: data.dryrun, key });
}

/** What the server says: the id, or what is wrong. */
interface Reply {
  readonly feedback_id?: string;
  readonly error?: { readonly message?: string; readonly param?: string | null };
}

async function post({ baseURL, apiKey }: FeedbackServer, feedback: FeedbackInput, key: string | undefined): Promise<string> {
  const url = `${baseURL.replace(/\/$/, '')}/feedback`;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    body: JSON.stringify(feedback),
  }).catch((error: unknown) => {
    throw new UserError(`The server at ${url} cannot be reached.`, ['Is heed serve --feedback running there?'], { cause: error });
  });
  const { feedback_id: id, error } = await response.json().catch(() => ({})) as Reply;
  if (response.ok && id !== undefined) return id;
  const message = error?.message ?? `The answer of ${url} is none of heed serve: HTTP ${response.status}.`;
  const param = error?.param ?? undefined;
  if (param !== undefined) throw new FeedbackFault(message, param, response.status === 404);
  throw new UserError(message);
}
