import type { Reply } from './record.js';
import type { Entry, LabelStore } from './store.js';

/**
 * Writes replies to the store as they come; those that arrive during a transaction share the next one.
 *
 * @param settle Told what stands under a key once that is on disk.
 */
export function createBatchWriter(
  store: LabelStore, settle: (key: string, reply: Reply) => void,
): { add(entry: Entry): void; close(): Promise<void> } {
  let queue: Entry[] = [];
  let fault: { error: unknown } | undefined;
  let writing: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    await Promise.resolve(); // the replies of one batch come together
    while (queue.length > 0 && fault === undefined) {
      const entries = queue;
      queue = [];
      try {
        const standing = await store.put(entries);
        for (const { key, reply } of entries) settle(key, standing.get(key) ?? reply);
      } catch (error) {
        fault = { error };
      }
    }
    writing = undefined;
  };
  return {
    add(entry) {
      queue.push(entry);
      writing ??= write();
    },
    /** @throws what a transaction threw. */
    async close() {
      while (writing !== undefined) await writing;
      if (fault !== undefined) throw fault.error;
    },
  };
}
