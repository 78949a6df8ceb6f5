/** Asking the server. */
import { signal } from '@preact/signals';
import { useCallback, useEffect, useState } from 'preact/hooks';

import type { Refusal } from './api.js';

/** A request that was refused, in the server's words. */
export class ServerError extends Error {
  constructor(message: string, readonly status: number, readonly hints: readonly string[] = []) {
    super(message);
  }
}

/** Whether the server asks for its token. */
export const locked = signal(false);

/** The address of a request under `api/`. */
export function apiUrl(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return `api/${path}${given.length === 0 ? '' : `?${new URLSearchParams(given)}`}`;
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  const answer = await fetch(url, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new ServerError('The studio does not answer: was it ended in the terminal?', 0);
  });
  if (answer.ok) return (await answer.json()) as T;
  const unread: Refusal = { error: { message: `${answer.status} ${answer.statusText}` } };
  const { error } = await answer.json().then((body) => body as Refusal, () => unread);
  if (answer.status === 401) locked.value = true;
  throw new ServerError(error.message, answer.status, error.hints);
}

/** @throws ServerError where the request is refused or nobody answers */
export const get = <T>(url: string, signal?: AbortSignal): Promise<T> => ask<T>(url, { signal });

/** @throws ServerError where the request is refused or nobody answers */
export const post = <T>(path: string, body: object): Promise<T> =>
  ask<T>(`api/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

/** What was asked for. The last value stays while it is asked for again. */
export interface Loaded<T> {
  readonly value?: T;
  readonly error?: ServerError;
  again(): void;
}

/**
 * Asks for an address whenever it changes; nothing while it is undefined. What another address said is never shown as what this one
 * says.
 */
export function useServer<T>(url: string | undefined): Loaded<T> {
  const [state, set] = useState<{ url?: string; value?: T; error?: ServerError }>({});
  const [turn, next] = useState(0);
  useEffect(() => {
    if (url === undefined) return;
    const left = new AbortController();
    get<T>(url, left.signal).then(
      (value) => set({ url, value }),
      (error: ServerError) => {
        if (!left.signal.aborted) set((before) => ({ url, error, ...(before.url === url && { value: before.value }) }));
      },
    );
    return () => left.abort();
  }, [url, turn]);
  const again = useCallback(() => next((n) => n + 1), []);
  const { value, error } = state.url === url ? state : {};
  return { value, error, again };
}

/** Calls again and again while the page is looked at. */
export function useEvery(milliseconds: number, call: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) call(); }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds, call]);
}

/** Sends a file. @throws ServerError where it is refused or nobody answers */
export const send = <T>(url: string, file: File): Promise<T> =>
  ask<T>(url, { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: file });

/** What was posted for. */
export interface Posted<T, B> extends Omit<Loaded<T>, 'again'> {
  /** The body that `value` answers. */
  readonly body?: B;
  /** Whether an answer is under way. */
  readonly waits: boolean;
}

/** Posts a body whenever it changes; nothing while it is undefined. The last value stays meanwhile. */
export function usePosted<T, B extends object = object>(path: string, body: B | undefined): Posted<T, B> {
  const [state, set] = useState<{ text?: string; value?: T; body?: B; error?: ServerError }>({});
  const text = body === undefined ? undefined : JSON.stringify(body);
  useEffect(() => {
    if (body === undefined) return;
    let left = false;
    post<T>(path, body).then(
      (value) => { if (!left) set({ text, value, body }); },
      (error: ServerError) => { if (!left) set((before) => ({ ...before, text, error })); },
    );
    return () => { left = true; };
  }, [path, text]);
  const { value, error, body: answered } = text === undefined ? {} as typeof state : state;
  return { value, error, body: answered, waits: text !== undefined && state.text !== text };
}

/**
 * Posts, and takes the server-sent events of the answer as they come. An EventSource cannot post.
 *
 * @throws ServerError where it is refused; what `fetch` throws where `signal` aborts it
 */
export async function streamed(
  path: string, body: object, signal: AbortSignal, take: (event: string, data: unknown) => void,
): Promise<void> {
  const answer = await fetch(`api/${path}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal,
  });
  if (!answer.ok) {
    const { error } = (await answer.json()) as Refusal;
    throw new ServerError(error.message, answer.status, error.hints);
  }
  let rest = '';
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const events = (rest + piece.value).split('\n\n');
    rest = events.pop()!;
    for (const event of events) {
      const field = (name: string): string | undefined => new RegExp(`^${name}: ?(.*)$`, 'm').exec(event)?.[1];
      const data = field('data');
      if (data !== undefined) take(field('event') ?? 'message', JSON.parse(data));
    }
  }
}
