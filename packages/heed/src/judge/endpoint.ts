import { createHash } from 'node:crypto';
import { UserError } from '../errors.js';
import type { AskHooks, ChoiceQuestion, ChoiceReply, Failure, Respondent, TextQuestion, TextReply, Usage } from './asked.js';
import { type Sent, type Took, createEndpointClient } from './endpoint/client.js';
import { answerOf, matchAnswers, structuredAnswerOf } from './endpoint/match.js';
import { type Said, readReply } from './endpoint/reply.js';
import { address, continues } from './endpoint/request.js';
import type { EndpointOptions } from './options.js';

/** Tokens of a sample that is to give an answer: some servers' models say "Response 1." */
const SAMPLE_TOKENS = 16;

/**
 * A server with OpenAI's interface as one who can be asked. `choose` reads the log-probabilities of the likeliest tokens where the server
 * offers them, and takes the shares of some samples where it does not (the reply's `source` says which). What a server turns out not to
 * offer (log-probabilities, schemas, `max_tokens`, several samples a request) is not asked for again.
 *
 * Failures: `server-error` for a server that is down, breaks, or refuses key, address or model; `refused` where it refuses the question;
 * `bad-response` for anything that is not what its interface sends; the others say it by their names.
 *
 * @param environment where the key is looked up. Default: process.env
 * @throws UserError where `keyFrom` names a variable that is not set
 */
export function createEndpointRespondent(options: EndpointOptions, environment: Readonly<Record<string, string | undefined>> = process.env): Respondent {
  const { url, model, keyFrom, api, samples, structured, extra, topLogprobs = api === 'chat' ? 20 : 5 } = options;
  const key = keyFrom === undefined ? undefined : environment[keyFrom]?.trim();
  if (key === '' || (keyFrom !== undefined && key === undefined)) {
    throw new UserError(`The environment variable ${keyFrom}, which holds the key of ${url}, is not set.`, [`Set it: export ${keyFrom}=…`, 'Leave keyFrom out where the server wants no key.']);
  }
  const client = createEndpointClient(options, key);
  /** What this server turned out not to offer. */
  const lacks = new Set<'logprobs' | 'schema' | 'max_tokens' | 'n'>();
  let offered = false;
  const stop = new AbortController();

  async function post(question: ChoiceQuestion | TextQuestion, fields: Record<string, unknown>, { tokens, more = '', n = 1, signal, urgent = false }: {
    readonly tokens: number; readonly more?: string; readonly n?: number; readonly signal: AbortSignal | undefined; readonly urgent?: boolean;
  }): Promise<Sent> {
    for (;;) {
      const { path, body } = address(question, options, more);
      const limit = lacks.has('max_tokens') ? { max_completion_tokens: tokens } : { max_tokens: tokens };
      const sent = await client.post(path, { model, ...body, ...fields, ...limit, ...extra }, { completion: tokens * n, urgent, ...(signal === undefined ? {} : { signal }) });
      const rejected = 'reason' in sent && (sent.reason.status === 400 || sent.reason.status === 422);
      if (!rejected || lacks.has('max_tokens') || !/max_completion_tokens/.test(sent.reason.detail)) return sent;
      lacks.add('max_tokens');
    }
  }

  const saidIn = (sent: Sent): readonly Said[] | Failure => {
    if ('reason' in sent) return { failure: sent.reason.failure, detail: sent.reason.detail };
    const said = readReply(sent.json, api);
    return typeof said === 'string' ? { failure: 'bad-response', detail: said.slice(0, 300) } : said;
  };
  const rejects = (sent: Sent, what: RegExp): boolean => 'reason' in sent && (sent.reason.status === 400 || sent.reason.status === 422) && what.test(sent.reason.detail);

  async function byLogprobs(question: ChoiceQuestion, bill: Bill, signal?: AbortSignal): Promise<Omit<ChoiceReply, 'usage'> | Failure | undefined> {
    const fields = { temperature: 1, ...(api === 'chat' ? { logprobs: true, top_logprobs: topLogprobs } : { logprobs: topLogprobs }) };
    const matched = await matchAnswers<Failure>(question.answers, async (more) => {
      const sent = await post(question, fields, { tokens: 1, more, signal, urgent: more !== '' });
      bill.add(sent.took);
      if (rejects(sent, /log_?prob/i)) return { failure: 'no-logprobs', detail: 'the server refuses to give log-probabilities' };
      const said = saidIn(sent);
      if ('failure' in said) return said;
      const [{ first, refusal }] = said as readonly [Said];
      if (refusal !== undefined) return { failure: 'refused', detail: refusal };
      offered ||= first !== undefined;
      return first ?? { failure: 'no-logprobs', detail: 'the reply has no log-probabilities' };
    }, continues(options));
    if ('failure' in matched) {
      if (matched.failure !== 'no-logprobs') return matched;
      // An empty answer has none either.
      if (!offered) lacks.add('logprobs');
      return samples > 0 ? undefined : matched;
    }
    if ('none' in matched) {
      const shown = matched.none.map(({ token, logprob }) => `${JSON.stringify(token)} ${Math.exp(logprob).toPrecision(2)}`).join(', ');
      return { failure: 'no-such-answer', detail: `none of the likeliest tokens is one of the answers: ${shown}` };
    }
    if ('unclear' in matched) {
      if (samples > 0) return undefined;
      return { failure: 'no-such-answer', detail: `${matched.unclear}, and the server is not asked to go on: set begun: continue or message, api: completions, or samples` };
    }
    return { ...matched, source: 'logprobs' };
  }

  async function bySamples(question: ChoiceQuestion, bill: Bill, signal?: AbortSignal): Promise<Omit<ChoiceReply, 'usage'> | Failure> {
    const { answers } = question;
    const counts = answers.map(() => 0);
    let [taken, other] = [0, ''];
    for (let round = 0; taken < samples; round++) {
      const schema = structured && api === 'chat' && !lacks.has('schema');
      const n = lacks.has('n') ? 1 : samples - taken;
      const fields = { temperature: 1, seed: round, ...(n > 1 ? { n } : {}), ...(schema ? { response_format: schemaOf(answers) } : {}) };
      const sent = await post(question, fields, { tokens: schema ? 2 * SAMPLE_TOKENS : SAMPLE_TOKENS, n, signal, urgent: round > 0 });
      bill.add(sent.took);
      if (schema && rejects(sent, /response_format|json_schema|schema|structured/i)) {
        lacks.add('schema');
        continue;
      }
      if (n > 1 && rejects(sent, /\bn\b/)) {
        lacks.add('n');
        continue;
      }
      const said = saidIn(sent);
      if ('failure' in said) return said;
      if (n > 1 && said.length < n) lacks.add('n');
      for (const { text, refusal } of said.slice(0, n)) {
        taken++;
        const answer = refusal !== undefined ? -1 : schema ? structuredAnswerOf(text, answers) : answerOf(text, answers);
        if (answer >= 0) counts[answer]!++;
        else other = refusal ?? text;
      }
    }
    const given = counts.reduce((a, b) => a + b, 0);
    if (given === 0) return { failure: 'no-such-answer', detail: `none of ${samples} samples gives one of the answers; the last says ${JSON.stringify(other.slice(0, 80))}` };
    return { logprobs: counts.map((count) => Math.log(count / given)), mass: given / samples, source: 'samples' };
  }

  async function chooseOne(question: ChoiceQuestion, signal?: AbortSignal): Promise<ChoiceReply | Failure> {
    const bill = createBill();
    const read = topLogprobs > 0 && !lacks.has('logprobs') ? await byLogprobs(question, bill, signal) : undefined;
    const missing = samples > 0 ? undefined : ({ failure: 'no-logprobs', detail: 'the server gives no log-probabilities' } as const);
    const reply = read ?? missing ?? (await bySamples(question, bill, signal));
    return { ...reply, usage: bill.total() };
  }

  async function writeOne(question: TextQuestion, signal?: AbortSignal): Promise<TextReply | Failure> {
    const { maxNewTokens, temperature, topK, topP, stop: ends, seed } = question;
    const bill = createBill();
    const sampling = { temperature, seed, ...(topP === undefined ? {} : { top_p: topP }), ...(topK === undefined ? {} : { top_k: topK }), ...(ends === undefined ? {} : { stop: ends }) };
    const sent = await post(question, sampling, { tokens: maxNewTokens, signal });
    bill.add(sent.took);
    const said = saidIn(sent);
    if ('failure' in said) return { ...said, usage: bill.total() };
    const [{ text, finish, refusal }] = said as readonly [Said];
    if (refusal !== undefined) return { failure: 'refused', detail: refusal.slice(0, 300), usage: bill.total() };
    return { text, finish: finish === 'length' ? 'length' : 'stop', usage: bill.total() };
  }

  async function each<Q, R extends object>(questions: readonly Q[], { onReply, signal }: AskHooks, one: (question: Q, signal: AbortSignal) => Promise<R | Failure>): Promise<(R | Failure)[]> {
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
    async close() {
      stop.abort();
      client.close();
    },
  };
}

const CANCELLED: Failure = { failure: 'cancelled', detail: 'the run was stopped before this was asked' };

/** Everything that changes replies, and no key. */
function nameOf({ url, model, api, begun, samples, structured, extra }: EndpointOptions, topLogprobs: number): string {
  const rest = JSON.stringify([api, begun, topLogprobs, samples, structured, extra ?? null]);
  return `endpoint:${url.replace(/\/+$/, '')} ${model} ${createHash('sha256').update(rest).digest('hex').slice(0, 8)}`;
}

const schemaOf = (answers: readonly string[]): object => ({
  type: 'json_schema',
  json_schema: { name: 'answer', strict: true, schema: { type: 'object', properties: { answer: { type: 'string', enum: answers } }, required: ['answer'], additionalProperties: false } },
});

interface Bill {
  add(took: Took): void;
  total(): Usage;
}

/** Adds up what the requests of a question took. */
function createBill(): Bill {
  let [promptTokens, completionTokens, milliseconds] = [0, 0, 0];
  let cost: number | undefined;
  return {
    add({ tokens, milliseconds: time, cost: price }) {
      promptTokens += tokens.prompt;
      completionTokens += tokens.completion;
      milliseconds += time;
      if (price !== undefined) cost = (cost ?? 0) + price;
    },
    total: () => ({ promptTokens, completionTokens, milliseconds, ...(cost === undefined ? {} : { cost }) }),
  };
}
