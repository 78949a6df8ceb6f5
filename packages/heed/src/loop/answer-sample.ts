import type { Message } from '../data/rows.js';
import type { RunFolder } from '../run/folder.js';

/** An answer before or after training, as the report shows it. */
export interface ShownAnswer {
  /** Before the first round, or after the last. */
  readonly when: 'before' | 'after';
  /** A step behind the last, so that a resume drops the line and writes it again. */
  readonly step: number;
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly response: string;
  /** Absent where nothing rated it. */
  readonly verdict?: string | boolean | number;
  readonly reason?: string | null;
}

/** Writes an answer as a line of `samples.jsonl`, with the last turn of its prompt. */
export function logAnswer(run: Pick<RunFolder, 'samples'>, { when, step, id, prompt, response, verdict, reason }: ShownAnswer): void {
  run.samples.append({ kind: 'answer', when, step, id, prompt: prompt.at(-1)!.content, response, verdict, reason });
}
