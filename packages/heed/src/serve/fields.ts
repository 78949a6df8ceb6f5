/** The fields of a request that chat and completions share, and how a body that does not fit is refused. */
import { z } from 'zod';

import { nearest } from '../errors.js';
import type { SamplingOptions } from '../generate/options.js';
import { badRequest } from './api-error.js';

const count = z.int().min(1);
/** A feature that this server does not have: only the value that switches it off is taken. */
const off = (value: unknown) => z.unknown().refine((given) => JSON.stringify(given) === JSON.stringify(value), {
  error: 'is not supported by this server; leave it out',
});

export const SHARED = {
  model: z.string().min(1),
  n: count.max(128).default(1),
  seed: z.int().optional(),
  temperature: z.number().min(0).default(1),
  top_p: z.number().gt(0).max(1).default(1),
  stop: z
    .union([z.string().min(1), z.array(z.string().min(1)).max(16)], { error: 'expected a text, or at most 16 of them, none of them empty' })
    .optional(),
  stream: z.boolean().default(false),
  stream_options: z.strictObject({ include_usage: z.boolean().default(false), include_obfuscation: off(false).optional() }).optional(),
  // As vLLM and llama.cpp name them.
  top_k: z.union([z.literal(-1), count]).optional(),
  min_p: z.number().min(0).max(1).optional(),
  repetition_penalty: z.number().gt(0).optional(),
  // Say something about the caller, nothing about the answer.
  user: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  safety_identifier: z.string().optional(),
  prompt_cache_key: z.string().optional(),
  service_tier: z.enum(['auto', 'default']).optional(),
  store: off(false).optional(),
  frequency_penalty: off(0).optional(),
  presence_penalty: off(0).optional(),
  logit_bias: off({}).optional(),
};

interface Sampled {
  readonly seed?: number | undefined;
  readonly temperature: number;
  readonly top_p: number;
  readonly top_k?: number | undefined;
  readonly min_p?: number | undefined;
  readonly repetition_penalty?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
}

/** How the sampler is to choose; `maxNewTokens` is not known before the prompt is. Without a seed, `seed` is a fresh one. */
export function samplingOf(body: Sampled, freshSeed: () => number): Omit<SamplingOptions, 'maxNewTokens'> {
  const { seed = freshSeed(), temperature, top_p: topP, top_k: topK, min_p: minP, repetition_penalty: repetitionPenalty, stop = [] } = body;
  return {
    seed, temperature,
    ...(topP === 1 ? {} : { topP }),
    ...(topK === undefined || topK === -1 ? {} : { topK }),
    ...(minP === undefined ? {} : { minP }),
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
    stop: typeof stop === 'string' ? [stop] : stop,
  };
}

/** A body as its schema has it. Null is as good as absent. @throws ApiError 400 naming the first field that does not fit */
export function parseBody<T extends z.ZodObject>(schema: T, body: unknown): z.output<T> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw badRequest('The body must be a JSON object.');
  const given = withoutNulls(body);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = deepest(parsed.error.issues[0]!);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const at = pathText([...issue.path, key]);
    const near = issue.path.length > 0 ? undefined : nearest(key, Object.keys(schema.shape));
    throw badRequest(
      `Unrecognized request argument supplied: ${at}.${near === undefined ? '' : ` Did you mean ${near}?`}`,
      at,
      'unknown_parameter',
    );
  }
  const param = pathText(issue.path);
  if (valueAt(given, issue.path) === undefined) throw badRequest(`You must provide ${param}.`, param, 'missing_required_parameter');
  throw badRequest(`${param}: ${issue.message}`, param, 'invalid_value');
}

/** An object without the fields that are null, which clients write for fields that they leave out. */
export const withoutNulls = (object: object): object => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));

type Issue = z.core.$ZodIssue;

/** The alternative of a union that got furthest. Its message says what is wrong; the message of the union says only that something is. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flatMap((issues) => issues.slice(0, 1)).find(({ path }) => path.length > 0);
  return inner === undefined ? issue : deepest({ ...inner, path: [...issue.path, ...inner.path] });
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key], value);
}
