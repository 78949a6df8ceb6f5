import type { ChoiceQuestion, Failure, TextQuestion, Usage } from '../respondent.js';
import type { EndpointOptions } from './options.js';
import type { EndpointClient, Sent, Took } from './client.js';
import { type Said, readReply } from './reply.js';
import { address } from './request.js';

/** A request: its fields and its limits. */
export interface Posting {
  /** Fields of the body besides the question and the limit. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Most tokens of an answer. */
  readonly tokens: number;
  /** The part of the answer that is known already. */
  readonly more?: string;
  /** Answers wanted. Default: 1. */
  readonly n?: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether the question is answered in part already. */
  readonly urgent?: boolean;
}

/** Puts questions to a server, and remembers what the server turned out not to offer. */
export interface EndpointServer {
  readonly options: EndpointOptions;
  readonly lacks: Set<'logprobs' | 'schema' | 'max_tokens' | 'n'>;
  post(question: ChoiceQuestion | TextQuestion, posting: Posting): Promise<Sent>;
  /** The answers in what came back, or why there are none. */
  saidIn(sent: Sent): readonly Said[] | Failure;
}

export function createEndpointServer(options: EndpointOptions, client: EndpointClient): EndpointServer {
  const { model, api, extra } = options;
  const lacks: EndpointServer['lacks'] = new Set();
  return {
    options, lacks,
    async post(question, { fields, tokens, more = '', n = 1, signal, urgent = false }) {
      for (;;) {
        const { path, body } = address(question, options, more);
        const limit = lacks.has('max_tokens') ? { max_completion_tokens: tokens } : { max_tokens: tokens };
        const sent = await client.post(
          path,
          { model, ...body, ...fields, ...limit, ...extra },
          { completion: tokens * n, urgent, signal },
        );
        if (lacks.has('max_tokens') || !rejects(sent, /max_completion_tokens/)) return sent;
        lacks.add('max_tokens');
      }
    },
    saidIn(sent) {
      if ('reason' in sent) return { failure: sent.reason.failure, detail: sent.reason.detail };
      const said = readReply(sent.json, api);
      return typeof said === 'string' ? { failure: 'bad-response', detail: said.slice(0, 300) } : said;
    },
  };
}

/** Whether the server refused a request because of something that it names. */
export const rejects = (sent: Sent, what: RegExp): boolean =>
  'reason' in sent && (sent.reason.status === 400 || sent.reason.status === 422) && what.test(sent.reason.detail);

export interface Bill {
  add(took: Took): void;
  total(): Usage;
}

/** Adds up what the requests of a question took. */
export function createBill(): Bill {
  let [promptTokens, completionTokens, milliseconds] = [0, 0, 0];
  let cost: number | undefined;
  return {
    add({ tokens, milliseconds: time, cost: price }) {
      promptTokens += tokens.prompt;
      completionTokens += tokens.completion;
      milliseconds += time;
      if (price !== undefined) cost = (cost ?? 0) + price;
    },
    total: () => ({ promptTokens, completionTokens, milliseconds, cost }),
  };
}
