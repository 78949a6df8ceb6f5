/** One person goes through a set: what is shown, what is said of it, and that it is kept. */
import { useEffect, useRef, useState } from 'preact/hooks';

import type { LabelSetLine, LabelStep, Said, ShownItem } from '../../api.js';
import { complain } from '../../parts/notices.js';
import { type ServerError, apiUrl, get, post } from '../../server.js';

/** What can be done with the item that is shown. */
export interface Labelling {
  readonly set?: LabelSetLine;
  readonly item?: ShownItem;
  /** What is said so far, as it is drawn. */
  readonly said: Said;
  /** The same, with keys that came since: they may come faster than the page is drawn. */
  latest(): Said;
  readonly error?: ServerError;
  /** Says more; it is kept as a draft at once. */
  change(more: Partial<Said>): void;
  /** Gives what is said, with this in addition, and goes on to the next item. */
  give(more?: Partial<Said>): void;
  skip(): void;
  /** Takes back the last item that was given or skipped. */
  undo(): void;
  visit(place: number): void;
}

/** @param first the place to begin at. Default: the first item of which this person said nothing. */
export function useLabelling(id: string, who: string, first?: number): Labelling {
  const [step, setStep] = useState<LabelStep>();
  const [error, setError] = useState<ServerError>();
  const [said, setSaid] = useState<Said>({});
  // What keys work on: they may come before the page is drawn anew, and must not meet the item before.
  const now = useRef<Said>({});
  const at = useRef<number | undefined>(undefined);
  const began = useRef(0);
  const busy = useRef(false);
  // Requests go one after the other: a draft that arrived late would stand where something was given.
  const tail = useRef<Promise<unknown>>(Promise.resolve());
  const waiting = useRef(false);

  const put = (next: Said): void => { now.current = next; setSaid(next); };
  const arrive = (next: LabelStep): void => {
    setStep(next);
    at.current = next.item?.place;
    put(next.item?.draft ?? next.item?.said ?? {});
    began.current = performance.now();
    scrollTo({ top: 0 });
  };
  const queue = (work: () => Promise<unknown>): Promise<unknown> => {
    const mine = tail.current.then(work);
    tail.current = mine.catch(() => undefined);
    return mine;
  };
  const move = (ask: () => Promise<LabelStep>, failed: (error: ServerError) => void = complain): void => {
    if (busy.current) return;
    busy.current = true;
    void queue(async () => arrive(await ask())).catch(failed).finally(() => { busy.current = false; });
  };
  const visit = (place?: number): void => move(() => get<LabelStep>(apiUrl('label/item', { set: id, who, place })), setError);
  useEffect(() => visit(first), [id, who, first]);

  const submit = (state: 'given' | 'skipped', more: Partial<Said> = {}): void => {
    const place = at.current;
    if (place === undefined || busy.current) return;
    put({ ...now.current, ...more });
    const seconds = Math.min(86_400, (performance.now() - began.current) / 1000);
    move(() => post<LabelStep>('label/submit', { set: id, who, place, said: now.current, state, seconds }));
  };
  return {
    set: step?.set, item: step?.item, said, error,
    latest: () => now.current,
    change(more) {
      const place = at.current;
      if (place === undefined) return;
      put({ ...now.current, ...more });
      // Keys that come while one is being kept are kept together.
      if (waiting.current) return;
      waiting.current = true;
      queue(async () => {
        waiting.current = false;
        // An item that was left meanwhile has been given, with all of it.
        if (at.current === place) await post('label/draft', { set: id, who, place, said: now.current });
      }).catch(complain);
    },
    give: (more) => submit('given', more),
    skip: () => submit('skipped'),
    undo: () => move(() => post<LabelStep>('label/undo', { set: id, who })),
    visit,
  };
}
