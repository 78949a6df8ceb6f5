/** Reads the turns of a chat from a terminal or a pipe: a line is a turn or a command. */
import { createInterface } from 'node:readline';

import type { Output } from './output.js';

export interface Turns {
  readonly out: Output;
  /** Shown at the start, where stdin is a terminal. */
  readonly banner: string;
  /** Answers one turn; `signal` is aborted by Ctrl-C. */
  answer(text: string, signal: AbortSignal): Promise<void>;
  reset(): void;
}

/** Reads stdin and has every turn answered, until the end of stdin or /quit. */
export async function readTurns({ out, banner, answer, reset }: Turns): Promise<void> {
  const input = process.stdin;
  const person = input.isTTY === true;
  // With --json nothing but the result goes to stdout.
  const screen = out.json ? process.stderr : process.stdout;
  const lines = createInterface({ input, output: person ? screen : undefined, terminal: person, prompt: '› ', crlfDelay: Infinity });
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
