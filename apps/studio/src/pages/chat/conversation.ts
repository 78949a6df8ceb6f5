/** A conversation with several models, each of which has its own answers in it. */
import { type Signal, signal, useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

import type { ChatDone, ChatRefused, ChatText, Turn } from '../../api.js';
import { complain } from '../../parts/notices.js';
import { streamed } from '../../server.js';

/** How tokens are chosen. */
export interface Sampling {
  readonly maxTokens: number;
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

/** What a model has said to a message so far. */
export interface Answer {
  readonly text: string;
  /** There once it has ended. */
  readonly done?: ChatDone;
  readonly refused?: string;
  readonly stopped?: boolean;
}

/** A message, and the answer of each model to it. */
export interface Exchange {
  readonly message: string;
  readonly answers: readonly { readonly speaker: string; readonly answer: Signal<Answer> }[];
}

export interface Conversation {
  readonly turns: readonly Exchange[];
  readonly busy: boolean;
  readonly options: Signal<Sampling>;
  ask(message: string, speakers: readonly string[]): Promise<void>;
  stop(): void;
  clear(): void;
}

/** @param answered Called when answers have been kept. */
export function useConversation(answered: () => void): Conversation {
  const turns = useSignal<readonly Exchange[]>([]);
  const busy = useSignal(false);
  const options = useSignal<Sampling>({ maxTokens: 256, temperature: 0.7, topP: 1, seed: 0 });
  const running = useRef<AbortController>(undefined);

  /** What a model has heard and said so far. Messages that it has no whole answer to are left out of its past. */
  const pastOf = (speaker: string): Turn[] => turns.value.flatMap(({ message, answers }) => {
    const said = answers.find((one) => one.speaker === speaker)?.answer.value.done;
    return said === undefined ? [] : [{ role: 'user' as const, content: message }, { role: 'assistant' as const, content: said.text }];
  });

  async function ask(message: string, speakers: readonly string[]): Promise<void> {
    const conversations = speakers.map((speaker) => [...pastOf(speaker), { role: 'user' as const, content: message }]);
    const answers = speakers.map((speaker) => ({ speaker, answer: signal<Answer>({ text: '' }) }));
    turns.value = [...turns.value, { message, answers }];
    busy.value = true;
    running.current = new AbortController();
    const change = (speaker: string, more: (before: Answer) => Answer): void => {
      const own = answers.find((one) => one.speaker === speaker)!.answer;
      own.value = more(own.value);
    };
    try {
      await streamed('chat', { speakers, conversations, ...options.value }, running.current.signal, (event, data) => {
        if (event === 'text') change((data as ChatText).speaker, (before) => ({ ...before, text: before.text + (data as ChatText).text }));
        if (event === 'done') change((data as ChatDone).speaker, () => ({ text: (data as ChatDone).text, done: data as ChatDone }));
        if (event === 'refused')
          change((data as ChatRefused).speaker, (before) => ({ ...before, refused: (data as ChatRefused).message }));
      });
    } catch (error) {
      if (!running.current.signal.aborted) complain(error);
    } finally {
      for (const { answer } of answers)
        if (answer.value.done === undefined && answer.value.refused === undefined) answer.value = { ...answer.value, stopped: true };
      busy.value = false;
      answered();
    }
  }

  return {
    turns: turns.value, busy: busy.value, options, ask,
    stop: () => running.current?.abort(),
    clear: () => { if (!busy.value) turns.value = []; },
  };
}
