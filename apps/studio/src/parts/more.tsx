/** A list that is asked for piece by piece. */
import { useEffect, useState } from 'preact/hooks';

import type { Part } from '../api.js';
import { type ServerError, get } from '../server.js';

interface State<P> { readonly url: string; readonly part?: P; readonly error?: ServerError }

/** The first items of a list; `more` asks for the next ones. The list begins anew where the address or `turn` changes. */
export function useList<T, P extends Part<T>>(url: string, size: number, turn: unknown): State<P> & { more(): void } {
  const [state, set] = useState<State<P>>({ url });
  const [count, setCount] = useState(size);
  useEffect(() => setCount(size), [url, size]);
  useEffect(() => {
    const left = new AbortController();
    get<P>(`${url}&offset=0&limit=${count}`, left.signal).then(
      (part) => set({ url, part }),
      (error: ServerError) => { if (!left.signal.aborted) set({ url, error }); },
    );
    return () => left.abort();
  }, [url, count, turn]);
  // What another address said is never shown as what this one says.
  const current = state.url === url ? state : { url };
  return { ...current, more: () => setCount((n) => n + size) };
}

/** How many there are, and a button for more. */
export function More({ shown, total, more }: { readonly shown: number; readonly total: number; readonly more: () => void }) {
  if (shown >= total) return null;
  return (
    <p class="actions">
      <button type="button" onClick={more}>Show more</button> <span class="quiet">{shown} of {total} are shown</span>
    </p>
  );
}
