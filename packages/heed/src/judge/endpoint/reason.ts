import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import type { Failure } from '../respondent.js';
import { UnreadableBody } from './body.js';

/** Why a request failed, and whether trying again may help. */
export interface Reason {
  readonly failure: Failure['failure'];
  readonly detail: string;
  readonly again: boolean;
  /** The pause that the server asks for, in milliseconds. */
  readonly after?: number;
  readonly status?: number;
  /** The reply was lost, but the server may have done the work and charge for it. */
  readonly lost?: true;
}

/** Whether a failure is about the server, so that another server may answer the same question. */
export const isAboutServer = ({ failure }: Reason): boolean => ['server-error', 'timeout', 'bad-response', 'rate-limit'].includes(failure);

const TOO_LONG = /context[ _]?(length|size|window)|maximum context|too many tokens|prompt is too long|context_length_exceeded/i;

/**
 * Reads an error that the client threw. The caller must still take keys out of the detail.
 *
 * @param seconds How long a reply was waited for.
 * @param url The server's.
 */
export function reasonOf(error: unknown, seconds: number, url: string): Reason {
  if (error instanceof APIUserAbortError) return { failure: 'cancelled', detail: 'the run was stopped', again: false, lost: true };
  if (error instanceof APIConnectionTimeoutError)
    return { failure: 'timeout', detail: `no complete reply within ${seconds} s`, again: true, lost: true };
  if (error instanceof APIConnectionError) return connectionReason(error, url);
  if (error instanceof APIError && typeof error.status === 'number') return statusReason(error as StatusError);
  if (error instanceof SyntaxError)
    return { failure: 'bad-response', detail: `the reply is not JSON: ${error.message}`, again: true, lost: true };
  throw error;
}

type StatusError = APIError & { readonly status: number };

function connectionReason(error: APIConnectionError, url: string): Reason {
  const chain = causes(error);
  const unreadable = chain.find((one) => one instanceof UnreadableBody);
  if (unreadable !== undefined) return { failure: 'bad-response', detail: unreadable.message, again: false, lost: true };
  const codes = chain.map((one) => (one as NodeJS.ErrnoException).code).filter((code) => typeof code === 'string');
  const refused = codes.some((code) => ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code));
  const told = codes[0] ?? chain.at(-1)!.message;
  return {
    failure: 'server-error',
    detail: refused ? `the server at ${url} cannot be reached (${told})` : `the connection to ${url} broke (${told})`,
    again: true,
    lost: refused ? undefined : true,
  };
}

function statusReason(error: StatusError): Reason {
  const { status, headers } = error;
  const said = `HTTP ${status}: ${messageOf(error)}`;
  const after = waitOf(headers);
  if (status === 429) {
    // A quota that is used up does not come back by waiting.
    const spent = error.code === 'insufficient_quota';
    return { failure: spent ? 'budget' : 'rate-limit', detail: said, again: !spent, status, after };
  }
  if (status === 408) return { failure: 'timeout', detail: said, again: true, status, after };
  if (status === 409 || status >= 500) return { failure: 'server-error', detail: said, again: true, status, after };
  if (status === 413 || TOO_LONG.test(said) || error.code === 'context_length_exceeded')
    return { failure: 'too-long', detail: said, again: false, status };
  // A wrong key, address or model is about the run and not about the question.
  if ([401, 402, 403, 404, 405].includes(status)) return { failure: 'server-error', detail: said, again: false, status };
  return { failure: 'refused', detail: said, again: false, status };
}

/** The server's own words about the error. A proxy's page of HTML is left out. */
function messageOf(error: StatusError): string {
  const body: { readonly message?: unknown; readonly detail?: unknown } = error.error ?? {};
  const given = [body.message, body.detail].find((text) => typeof text === 'string');
  const text = given ?? error.message.replace(/^\d+\s*/, '');
  return looksLikeHtml(text) ? 'a page of HTML' : text;
}

export const looksLikeHtml = (text: string): boolean => /^\s*<(!doctype|html|head|body)/i.test(text);

/** `Retry-After` (seconds or a date) or `retry-after-ms`, in milliseconds. */
function waitOf(headers: Headers | undefined): number | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') ?? NaN);
  if (milliseconds >= 0) return milliseconds;
  const header = headers?.get('retry-after');
  if (header === null || header === undefined) return undefined;
  const seconds = Number(header);
  if (seconds >= 0) return 1000 * seconds;
  const until = Date.parse(header);
  return Number.isNaN(until) ? undefined : Math.max(0, until - Date.now());
}

function causes(error: Error): Error[] {
  const chain: Error[] = [];
  for (let one: unknown = error; one instanceof Error && chain.length < 10; one = one.cause) chain.push(one);
  return chain;
}
