import { dirname } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { type LogRow, openLog, readLog } from '../run/metrics.js';

/** Takes a reply as soon as it is there, with the index of what was asked. */
export type OnReply<Reply> = (index: number, reply: Reply) => void;

/**
 * Replies to so many requests, each written to a file as it comes, so that a run that was stopped asks only for those that are missing. The
 * caller sees to it that the file's name says what was asked, and of whom.
 *
 * @param ask Is given the indices of the missing ones, in order; every one of them must be answered.
 */
export async function keptReplies<Reply>(
  file: string, count: number, ask: (missing: readonly number[], onReply: OnReply<Reply>) => Promise<void>,
): Promise<Reply[]> {
  const replies = new Map((await readLog(file)).map((row) => [row['index'] as number, row['reply'] as Reply]));
  const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !replies.has(i));
  if (missing.length > 0) {
    await mkdir(dirname(file), { recursive: true });
    const log = openLog<LogRow>(file);
    try {
      await ask(missing, (index, reply) => {
        replies.set(index, reply);
        log.append({ index, reply });
      });
    } finally {
      log.close();
    }
  }
  return Array.from({ length: count }, (_, i) => replies.get(i)!);
}
