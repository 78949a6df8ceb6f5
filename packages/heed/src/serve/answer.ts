/** One request's answer: whole, or as a stream of server-sent events. */
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';

import type { Completion, GenerationHooks, GenerationRequest } from '../generate/request.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { ApiError } from './api-error.js';
import type { FeedbackStore } from '../feedback/store.js';
import type { Ask, Prompt } from './ask.js';
import { keepAnswers } from './feedback.js';
import { type Replies, createReplies, usageOf } from './replies.js';
import type { Calling } from './tools.js';
import type { Voice } from './voices.js';

/** A line for each request, without its content, and what went wrong inside the server. */
export type Log = (line: string, kind: 'request' | 'failure') => void;

export interface Job {
  readonly ask: Ask;
  readonly prompts: readonly Prompt[];
  readonly requests: readonly GenerationRequest[];
  readonly maxNewTokens: number;
  readonly voice: Voice;
  /** How answers call functions, where they may. */
  readonly calling?: Calling;
  readonly tokenizer: Tokenizer;
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal;
  /** Aborted when the server ends what still runs. */
  readonly ending: AbortSignal;
  /** Called once, when all work for this request has ended. */
  leave(): void;
  readonly log: Log;
  /** Where answers are kept, if the server was asked to. */
  readonly feedback?: FeedbackStore;
}

export async function answer(c: Context, job: Job): Promise<Response> {
  if (job.ask.stream) return streamed(c, job);
  const { ask, prompts, voice, gone, ending, leave } = job;
  try {
    const completions = await completionsOf(job, { signal: AbortSignal.any([gone, ending]) });
    const scores =
      ask.logprobs && prompts[0]!.echo !== undefined
        ? await Promise.all(prompts.map(({ ids }) => voice.score(ids, ask.sampling.top ?? 0)))
        : [];
    const replies = repliesOf(job);
    await kept(job, replies.id, completions);
    return c.json(replies.whole(completions, usageOf(prompts, completions), scores));
  } catch (error) {
    // Nobody reads this; nginx's status for it tells it from the others in the log.
    if (gone.aborted) return new Response(null, { status: 499 });
    throw ending.aborted ? stopped() : error;
  } finally {
    leave();
  }
}

const repliesOf = ({ ask, prompts, voice, calling, tokenizer }: Job): Replies =>
  createReplies(ask, prompts, { tokenizer, model: voice.name, fingerprint: voice.fingerprint, calling });

/** With max_tokens: 0 nothing is generated: the request asks for the echoed prompts alone. */
async function completionsOf({ ask, requests, maxNewTokens, voice }: Job, hooks: GenerationHooks): Promise<readonly Completion[]> {
  if (maxNewTokens > 0) return voice.generator.generate(requests, { ...ask.sampling, maxNewTokens }, hooks);
  return requests.flatMap(({ row }) =>
    Array.from({ length: ask.n }, (_, sample) => ({ row, sample, ids: [], text: '', logprobs: [], finish: 'length' as const })),
  );
}

/** An answer that could not be kept is given all the same; the log says so. */
async function kept({ ask, voice, feedback, log }: Job, id: string, completions: readonly Completion[]): Promise<void> {
  if (feedback === undefined || ask.kept === undefined) return;
  await keepAnswers(feedback, { id, model: voice.name, kept: ask.kept }, completions).catch((error: unknown) => {
    log(`The answer ${id} could not be kept for feedback: ${error instanceof Error ? error.message : String(error)}`, 'failure');
  });
}

const stopped = (): ApiError => new ApiError(503, 'The server is shutting down.', { code: 'shutting_down' });

function streamed(c: Context, job: Job): Response {
  const { ask, prompts, requests, calling, ending, leave, log } = job;
  const replies = repliesOf(job);
  const gone = new AbortController();
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => gone.abort(new Error('The client has gone.')));
    // Events leave in the order in which they were made; the generator does not wait for the client.
    let sent: Promise<unknown> = Promise.resolve();
    const send = (event: object | undefined): void => {
      if (event !== undefined) sent = sent.then(() => stream.writeSSE({ data: JSON.stringify(event) }));
    };
    const index = ({ row, sample }: { readonly row: number; readonly sample: number }): number => row * ask.n + sample;
    try {
      for (let i = 0; i < requests.length * ask.n; i++) send(replies.first(i));
      const completions = await completionsOf(job, {
        signal: AbortSignal.any([job.gone, gone.signal, ending]),
        onToken: (row, sample, text, tokens) => {
          // Whether a text is a call is seen at its end.
          if (calling !== undefined) return;
          if (text !== '' || ask.logprobs) send(replies.delta(index({ row, sample }), text, tokens));
        },
        onCompletion: (completion) => {
          sent = sent.then(() => kept(job, replies.id, [completion]));
          if (calling !== undefined) send(replies.held(index(completion), completion));
          send(replies.last(index(completion), completion));
        },
      });
      if (ask.usage) send(replies.usage(usageOf(prompts, completions)));
      await sent;
      await stream.writeSSE({ data: '[DONE]' });
    } catch (error) {
      if (stream.aborted || gone.signal.aborted || job.gone.aborted) return;
      // The status has been sent: clients look for an error in the events.
      const told = ending.aborted ? stopped() : new ApiError(500, 'The server failed; its log says how.');
      if (!ending.aborted) log(error instanceof Error ? (error.stack ?? error.message) : String(error), 'failure');
      send(told.body);
      await sent;
    } finally {
      leave();
    }
  });
}
