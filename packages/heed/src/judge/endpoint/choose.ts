/** The two ways to find out which answer a server's model would give: from log-probabilities, and from samples. */
import type { ChoiceQuestion, ChoiceReply, Failure } from '../respondent.js';
import { refusalIn } from '../../text/refusal.js';
import { speechOf } from '../../text/thoughts.js';
import { ADVICE } from '../ask-for-texts.js';
import { afterThoughts, whereAnswered } from './lead.js';
import { answerOf, echoOf, type Matched, matchAnswers, structuredAnswerOf } from './match.js';
import type { Likely, Place, Said } from './reply.js';
import { continues } from './request.js';
import { type Bill, type EndpointServer, rejects } from './server.js';

type Chosen = Omit<ChoiceReply, 'usage'>;

/** Most tokens of a sample. Some models repeat how the answer begins before they answer: "Preferred Response=1". */
const SAMPLE_TOKENS = 16;

/** Reads the log-probabilities of a server's likeliest tokens. */
export interface LogprobsReader {
  /** Returns undefined where only samples can answer the question. */
  choose(question: ChoiceQuestion, bill: Bill, signal?: AbortSignal): Promise<Chosen | Failure | undefined>;
}

/** @param topLogprobs how many of the likeliest tokens a request asks for, at least 1 */
export function createLogprobsReader(server: EndpointServer, topLogprobs: number): LogprobsReader {
  const { options, lacks } = server;
  const { api, samples } = options;
  const fields = { temperature: 1, ...(api === 'chat' ? { logprobs: true, top_logprobs: topLogprobs } : { logprobs: topLogprobs }) };
  let offered = false;
  /** Whether this model said something before an answer so far: if so, requests leave room for that from the beginning. */
  let leads = false;

  async function ask(
    question: ChoiceQuestion,
    more: string,
    further: boolean,
    bill: Bill,
    signal: AbortSignal | undefined,
  ): Promise<(Said & { readonly first: readonly Likely[] }) | Failure> {
    const sent = await server.post(question, {
      fields: further ? { ...fields, seed: 0 } : fields,
      tokens: further ? SAMPLE_TOKENS : 1,
      more,
      signal,
      urgent: more !== '',
    });
    bill.add(sent.took);
    if (rejects(sent, /log_?prob/i)) {
      lacks.add('logprobs');
      return { failure: 'no-logprobs', detail: 'the server refuses to give log-probabilities' };
    }
    const all = server.saidIn(sent);
    if ('failure' in all) return all;
    const [said] = all as readonly [Said];
    const { text, first, refusal } = said;
    if (refusal !== undefined) return { failure: 'refused', detail: refusal };
    offered ||= first !== undefined;
    // An empty answer has no log-probabilities, so it shows nothing of what the server offers.
    if (!offered && text !== '') lacks.add('logprobs');
    return first === undefined ? { failure: 'no-logprobs', detail: 'the reply has no log-probabilities' } : { ...said, first };
  }

  async function match(question: ChoiceQuestion, bill: Bill, signal: AbortSignal | undefined): Promise<Matched | Failure> {
    const { answers, begun = '' } = question;
    let places: readonly Place[] | undefined;
    let further = leads;
    const next = async (more: string): Promise<readonly Likely[] | Failure> => {
      const said = await ask(question, more, further, bill, signal);
      if ('failure' in said) return said;
      places = afterThoughts(said.places ?? [], hasThoughts(said));
      return hasThoughts(said) ? THINKING : said.first;
    };
    const matched = await matchAnswers(answers, next, { follow: continues(options), begun });
    if (!('unclear' in matched) || matched.leading !== true) return matched;
    if (!further) {
      leads = further = true;
      const again = await next('');
      if ('failure' in again) return again;
    }
    const answered = whereAnswered(places ?? [], echoOf(begun));
    return answered === undefined ? matched : matchAnswers<Failure>(answers, () => Promise.resolve(answered), { follow: false, begun });
  }

  return {
    async choose(question, bill, signal) {
      const matched = await match(question, bill, signal);
      if ('failure' in matched) return matched.failure === 'no-logprobs' && samples > 0 ? undefined : matched;
      if ('none' in matched) {
        const shown = matched.none.map(({ token, logprob }) => `${JSON.stringify(token)} ${Math.exp(logprob).toPrecision(2)}`).join(', ');
        return { failure: 'no-such-answer', detail: `none of the likeliest tokens is one of the answers: ${shown}` };
      }
      if ('unclear' in matched) {
        if (samples > 0) return undefined;
        return {
          failure: 'no-such-answer',
          detail: `${matched.unclear}, and the server is not asked to go on: set begun: continue or message, api: completions, or samples`,
        };
      }
      return { ...matched, source: 'logprobs' };
    },
  };
}

/** The tokens of thoughts in place of an answer's. */
const THINKING: readonly Likely[] = [{ token: '<think>', logprob: 0 }];

/** Whether the listed tokens hold thoughts that the server sends beside the text. */
const hasThoughts = ({ thinks, text, places = [] }: Said): boolean =>
  thinks === true && places.map(({ token }) => token).join('').trim() !== text.trim();

/** Takes the shares of some samples, and keeps what they said. */
export async function chooseBySamples(
  server: EndpointServer,
  question: ChoiceQuestion,
  bill: Bill,
  signal?: AbortSignal,
): Promise<Chosen | Failure> {
  const { options: { api, samples, structured }, lacks } = server;
  const { answers, begun } = question;
  const counts = answers.map(() => 0);
  const texts: string[] = [];
  let [thinking, refused] = [0, 0];
  for (let round = 0; texts.length < samples; round++) {
    const schema = structured && api === 'chat' && !lacks.has('schema');
    const n = lacks.has('n') ? 1 : samples - texts.length;
    const fields = { temperature: 1, seed: round, ...(n > 1 ? { n } : {}), ...(schema ? { response_format: schemaOf(answers) } : {}) };
    const sent = await server.post(question, { fields, tokens: schema ? 2 * SAMPLE_TOKENS : SAMPLE_TOKENS, n, signal, urgent: round > 0 });
    bill.add(sent.took);
    if (schema && rejects(sent, /response_format|json_schema|schema|structured/i)) {
      lacks.add('schema');
      continue;
    }
    if (n > 1 && rejects(sent, /\bn\b/)) {
      lacks.add('n');
      continue;
    }
    const said = server.saidIn(sent);
    if ('failure' in said) return said;
    if (n > 1 && said.length < n) lacks.add('n');
    for (const { text, refusal, finish, thinks } of said.slice(0, n)) {
      texts.push(refusal ?? text);
      const { text: words, unfinished } = speechOf(text);
      if (unfinished || (words.trim() === '' && (thinks === true || finish === 'length'))) thinking++;
      const refuses = refusal !== undefined || refusalIn(words) !== undefined;
      if (refuses) refused++;
      const answer = schema ? structuredAnswerOf(words, answers, begun) : answerOf(words, answers, begun);
      if (answer >= 0 && !refuses) counts[answer]!++;
    }
  }
  const given = counts.reduce((a, b) => a + b, 0);
  if (given === 0) {
    const last = `the last says ${JSON.stringify(texts.at(-1)!.slice(0, 80))}`;
    if (refused === samples) return { failure: 'refused', detail: `all ${samples} samples refuse; ${last}`, texts };
    const still = thinking === 0 ? '' : `; ${thinking} were still thinking after ${SAMPLE_TOKENS} tokens: ${ADVICE}`;
    return { failure: 'no-such-answer', detail: `none of ${samples} samples gives one of the answers; ${last}${still}`, texts };
  }
  return { logprobs: counts.map((count) => Math.log(count / given)), mass: given / samples, source: 'samples', texts };
}

const schemaOf = (answers: readonly string[]): object => ({
  type: 'json_schema',
  json_schema: {
    name: 'answer',
    strict: true,
    schema: {
      type: 'object',
      properties: { answer: { type: 'string', enum: answers } },
      required: ['answer'],
      additionalProperties: false,
    },
  },
});
