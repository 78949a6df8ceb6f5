import { createHash } from 'node:crypto';
import type { AskHooks, ChoiceQuestion, ChoiceReply, Failure, Respondent, TextQuestion, TextReply } from './respondent.js';
import { createBudget } from './endpoint/budget.js';
import { chooseBySamples, createLogprobsReader } from './endpoint/choose.js';
import { createEndpointClient } from './endpoint/client.js';
import type { Said } from './endpoint/reply.js';
import { createBill, createEndpointServer } from './endpoint/server.js';
import { defineJudge } from './define.js';
import { keyOf } from './endpoint/key.js';
import { EndpointOptions } from './endpoint/options.js';

/** `endpoint`: a server with OpenAI's interface, or several that serve the same model. */
export const endpoint = defineJudge({
  name: 'endpoint',
  options: EndpointOptions,
  describe: ({ model, url, replicas = [] }) => `${model} at ${url}${replicas.length === 0 ? '' : ` and ${replicas.length} more`}`,
  open: async (options, { log }) => createEndpointRespondent(options, process.env, log),
});

/**
 * A respondent that is a server with OpenAI's interface, or several of one model (`replicas`). `choose` reads the log-probabilities of the
 * likeliest tokens where the server offers them, and otherwise counts the answers among some samples (`source` of the reply says which).
 * Where a server turns out not to offer log-probabilities, schemas, `max_tokens` or several samples a request, later requests leave that
 * out.
 *
 * Failures: `server-error` where the server is down, breaks, or refuses key, address or model; `refused` where it refuses the question;
 * `bad-response` where the reply does not follow the interface; the names of the others speak for themselves.
 *
 * @param environment holds the key under the name `keyFrom`. Default: process.env
 * @param note takes a line for people where one of several servers is set aside, or answers again. Default: silent
 * @throws UserError where `keyFrom` names a variable that is not set
 */
export function createEndpointRespondent(
  options: EndpointOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  note?: (line: string) => void,
): Respondent {
  const { api, samples, topLogprobs = api === 'chat' ? 20 : 5 } = options;
  const key = keyOf(options, environment);
  const budget = createBudget(options);
  const client = createEndpointClient(options, { key, budget, note });
  const server = createEndpointServer(options, client);
  const reader = createLogprobsReader(server, topLogprobs);
  const stop = new AbortController();

  async function chooseOne(question: ChoiceQuestion, signal?: AbortSignal): Promise<ChoiceReply | Failure> {
    const bill = createBill();
    const read = topLogprobs > 0 && !server.lacks.has('logprobs') ? await reader.choose(question, bill, signal) : undefined;
    const missing = samples > 0 ? undefined : ({ failure: 'no-logprobs', detail: 'the server gives no log-probabilities' } as const);
    const reply = read ?? missing ?? (await chooseBySamples(server, question, bill, signal));
    return { ...reply, usage: bill.total() };
  }

  async function writeOne(question: TextQuestion, signal?: AbortSignal): Promise<TextReply | Failure> {
    const { maxNewTokens, temperature, topK, topP, stop: ends, seed } = question;
    const bill = createBill();
    const sampling = { temperature, seed, top_p: topP, top_k: topK, stop: ends };
    const sent = await server.post(question, { fields: sampling, tokens: maxNewTokens, signal });
    bill.add(sent.took);
    const said = server.saidIn(sent);
    if ('failure' in said) return { ...said, usage: bill.total() };
    const [{ text, finish, refusal }] = said as readonly [Said];
    if (refusal !== undefined) return { failure: 'refused', detail: refusal.slice(0, 300), usage: bill.total() };
    return { text, finish: finish === 'length' ? 'length' : 'stop', usage: bill.total() };
  }

  async function each<Q, R extends object>(
    questions: readonly Q[],
    { onReply, signal }: AskHooks,
    one: (question: Q, signal: AbortSignal) => Promise<R | Failure>,
  ): Promise<(R | Failure)[]> {
    const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    return Promise.all(questions.map(async (question, index) => {
      const said = both.aborted ? CANCELLED : await one(question, both);
      const reply = 'failure' in said ? { ...said, detail: client.hide(said.detail) } : said;
      onReply?.(index, reply as R & (ChoiceReply | TextReply));
      return reply;
    }));
  }

  return {
    name: nameOf(options, topLogprobs),
    choose: (questions, hooks = {}) => each(questions, hooks, chooseOne),
    write: (questions, hooks = {}) => each(questions, hooks, writeOne),
    servers: client.counts,
    spentBefore: options.budget && (({ promptTokens: prompt, completionTokens: completion }) => budget.before({ prompt, completion })),
    async close() {
      stop.abort();
      client.close();
    },
  };
}

const CANCELLED: Failure = { failure: 'cancelled', detail: 'the run was stopped before this was asked' };

/** A name made of everything that changes replies. The key is left out. */
function nameOf({ url, model, api, begun, samples, structured, extra }: EndpointOptions, topLogprobs: number): string {
  const rest = JSON.stringify([api, begun, topLogprobs, samples, structured, extra ?? null]);
  return `endpoint:${url.replace(/\/+$/, '')} ${model} ${createHash('sha256').update(rest).digest('hex').slice(0, 8)}`;
}
