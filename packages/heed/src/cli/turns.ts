/** What a user says in a chat: lines of a terminal or a pipe, and the commands among them. */
import { createInterface } from 'node:readline';

import type { Output } from './output.js';

export interface Turns {
  readonly out: Output;
  /** Said at the start, where a person sits at a terminal. */
  readonly banner: string;
  /** Answers one turn; `signal` is aborted by Ctrl-C. */
  answer(text: string, signal: AbortSignal): Promise<void>;
  reset(): void;
}

/** Reads stdin and has every turn answered, until its end or /quit. */
export async function readTurns({ out, banner, answer, reset }: Turns): Promise<void> {
  const input = process.stdin;
  const person = input.isTTY === true;
  // With --json stdout is the result's alone.
  const lines = createInterface({ input, ...(person ? { output: out.json ? process.stderr : process.stdout } : {}), terminal: person, prompt: '› ', crlfDelay: Infinity });
  let answering: AbortController | undefined;
  let open = true;
  lines.once('close', () => { open = false; });
  lines.on('SIGINT', () => {
    if (answering === undefined) lines.close();
    else answering.abort();
  });
  if (person) out.note(banner);
  const ask = (): void => { if (person && open) lines.prompt(); };
  try {
    ask();
    for await (const line of lines) {
      const text = line.trim();
      if (text === '/quit' || text === '/exit') break;
      if (text === '/reset') {
        reset();
        out.note('[a new conversation]');
      } else if (/^\/[a-z]+$/.test(text)) {
        out.note(`[there is no command ${text}; there are /reset and /quit]`);
      } else if (text !== '') {
        answering = new AbortController();
        await answer(text, answering.signal);
        answering = undefined;
      }
      ask();
    }
    if (person) out.note('');
  } finally {
    lines.close();
  }
}
