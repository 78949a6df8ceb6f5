/** What a recipe says of a server with OpenAI's interface. */
import { z } from 'zod';

import { hideKeys, isKeyField, looksLikeKey } from '../../run/keys.js';

const positive = z.int().min(1);

/** Fields of a request that Heed fills in itself. */
const OWN_FIELDS = [
  'model', 'messages', 'prompt', 'max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'n', 'seed', 'stop', 'stream',
  'logprobs', 'top_logprobs', 'response_format',
];

const Address = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

/** A further server of the same model: its address, or a section. */
const Replica = z.union([
  Address,
  z
    .looseObject({
      url: Address,
      /** How many requests it takes for each one that `url` takes. */
      weight: z.number().superRefine((weight, context) => {
        const message = `${weight} would send it nothing; expected more than 0, or leave the server out`;
        if (weight <= 0) context.addIssue({ code: 'custom', message });
      }).default(1),
    })
    .superRefine((replica, context) => {
      for (const key of Object.keys(replica).filter((name) => !['url', 'weight'].includes(name))) {
        const message = 'is one for all servers of an endpoint: write it beside `replicas`; another model is a judge of its own';
        if (isOption(key)) context.addIssue({ code: 'custom', path: [key], message });
        else context.addIssue({ code: 'unrecognized_keys', keys: [key], input: replica });
      }
    }),
]);

/** What is said of servers whatever is asked of them: where they are, and how much they take. */
export const SERVERS = {
  /** The address before `/chat/completions`: https://api.openai.com/v1, http://127.0.0.1:8000/v1. It names a judge in the store. */
  url: Address,
  /** Further servers of the same model. A request goes to the one that has the least to do for its weight. */
  replicas: z.array(Replica).min(1).optional(),
  /** As the server names it. */
  model: z.string().min(1),
  /** The environment variable that holds the key. Keys are never written into recipes. */
  keyFrom: z
    .string()
    .superRefine((name, context) => {
      // The message leaves the value out: it may be a key.
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || looksLikeKey(name)) {
        context.addIssue({
          code: 'custom',
          message: 'expected the name of an environment variable, not a key: '
            + 'export the key under a name such as OPENAI_API_KEY, and write that name here',
        });
      }
    })
    .optional(),
  /** Requests at a time at `url`; a replica takes as many times its weight, and at least 1. */
  concurrency: positive.default(8),
  /** At most `requests` requests in `seconds` seconds, to all servers together. */
  rate: z.strictObject({ requests: positive, seconds: z.number().positive().default(60) }).optional(),
  /** Seconds that a request may take, from the first byte sent to the last received. */
  timeout: z.number().positive().max(3600).default(120),
  /**
   * How often a request is tried again after 408, 409, 429, 5xx, a time-out or a broken connection. Where there are replicas, a try is
   * over when all that are well have failed.
   */
  retries: z.int().min(0).max(20).default(5),
  /** Seconds before the first retry; doubled for each further one, up to a minute. A server's Retry-After comes first. */
  backoff: z.number().positive().max(60).default(0.5),
  /**
   * Longest pause, in seconds, that a server may ask for (Retry-After); nothing is sent to it meanwhile. Where it asks for a longer
   * one, the questions fail with the reason `rate-limit`, and the next run asks them again. Default: 600.
   */
  patience: z.number().positive().max(86_400).optional(),
};
export type ServerOptions = z.infer<z.ZodObject<typeof SERVERS>>;

/** Further fields of every request, none of which Heed fills in itself (`own`) or holds a key. */
export const furtherFields = (own: readonly string[]) => z
  .record(z.string(), z.unknown())
  .superRefine((fields, context) => {
    if (own.some((field) => field in fields))
      context.addIssue({ code: 'custom', message: `these fields are filled in by Heed: ${own.join(', ')}` });
    const secret = keyIn(fields);
    if (secret !== undefined)
      context.addIssue({
        code: 'custom',
        message: `"${secret}" may hold a key, and recipes are kept and shown: name the key's environment variable with keyFrom`,
      });
  });

/** Each server is named once. */
export function namedOnce(options: Pick<ServerOptions, 'url' | 'replicas'>, context: z.RefinementCtx): void {
  // An address with a fault was reported, and may hold a key.
  const urls = serversOf(options).map(({ url }) => (urlProblem(url) === undefined ? new URL(url).href.replace(/\/+$/, '') : undefined));
  urls.forEach((url, i) => {
    if (url === undefined) return;
    const message = `${url} is named twice; name each server once, and give a stronger one more weight`;
    if (urls.indexOf(url) < i) context.addIssue({ code: 'custom', path: ['replicas', i - 1], message });
  });
}

/** An endpoint: a server with OpenAI's interface, or several that serve the same model. */
export const EndpointOptions = z
  .strictObject({
    ...SERVERS,
    /** `completions`: /v1/completions, for base models: the prompt is the messages' text. */
    api: z.enum(['chat', 'completions']).default('chat'),
    /**
     * How a chat server is given the beginning of an answer. `ask`: at the end of the question (any server). `continue`: as an unfinished
     * turn of the assistant with `continue_final_message` (vLLM, SGLang). `message`: as such a turn without the flag (servers that
     * continue a last turn of the assistant by themselves).
     */
    begun: z.enum(['ask', 'continue', 'message']).default('ask'),
    /** How many of the likeliest tokens are asked for; 0: never ask, choose by samples. Default: 20, or 5 of `completions`. */
    topLogprobs: z.int().min(0).max(100).optional(),
    /** Samples to take where the log-probabilities are missing or do not show the answer. 0: the question fails there. */
    samples: z.int().min(0).max(128).default(8),
    /** Ask the server to allow only the given answers in samples (`response_format: json_schema`), where it can. */
    structured: z.boolean().default(false),
    /**
     * What may be spent on this judge by all runs with one label store. Once it is spent, further questions fail with the reason
     * `budget`. `tokens` counts prompts and replies together; `money` is in the currency of `prices`. A run adds its own spending to what
     * the store holds when it starts, so processes that label side by side do not see each other's spending.
     */
    budget: z.strictObject({ tokens: positive.optional(), money: z.number().positive().optional() }).optional(),
    /** Price of a million tokens. */
    prices: z
      .strictObject({ prompt: z.number().min(0), completion: z.number().min(0), currency: z.string().min(1).default('USD') })
      .optional(),
    /** Further fields of every request, such as `reasoning_effort`. */
    extra: furtherFields(OWN_FIELDS).optional(),
  })
  .superRefine(namedOnce)
  .refine(({ budget, prices }) => budget?.money === undefined || prices !== undefined, {
    path: ['prices'],
    message: 'a budget in money needs the prices of tokens',
  })
  .refine(({ api, begun }) => api === 'chat' || begun === 'ask', {
    path: ['begun'],
    message: 'api: completions continues any text, so begun says nothing there',
  })
  .refine(({ topLogprobs, samples }) => topLogprobs !== 0 || samples > 0, {
    path: ['samples'],
    message: 'with topLogprobs: 0 questions are answered by samples, so at least 1 is needed',
  });
export type EndpointOptions = z.infer<typeof EndpointOptions>;

const isOption = (key: string): boolean => key in EndpointOptions.shape;

/** All servers of an endpoint; `url` has weight 1. */
export const serversOf = (
  { url, replicas = [] }: Pick<ServerOptions, 'url' | 'replicas'>,
): readonly { readonly url: string; readonly weight: number }[] =>
  [url, ...replicas].map((one) => (typeof one === 'string' ? { url: one, weight: 1 } : { url: one.url, weight: one.weight }));

/** The field, at whatever depth, that holds a key by its name or its value. */
function keyIn(fields: object, path = ''): string | undefined {
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    const here = `${path}${name}`;
    if (isKeyField(name) || (typeof value === 'string' && hideKeys(value) !== value)) return here;
    const inside = typeof value === 'object' && value !== null ? keyIn(value, `${here}.`) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function urlProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return 'expected the address of a server, such as http://127.0.0.1:8000/v1';
  // The messages leave the values out: they may be keys.
  if (url.username !== '' || url.password !== '')
    return "expected an address without a name and password: name the key's environment variable with keyFrom";
  if (url.search !== '' || url.hash !== '') return "expected an address without ? and #: name the key's environment variable with keyFrom";
  if (/\/(chat\/)?completions\/?$/.test(url.pathname))
    return 'expected the address before /chat/completions and /completions, which usually ends with /v1';
  return undefined;
}
