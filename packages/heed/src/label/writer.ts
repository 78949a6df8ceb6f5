import type { Answer } from './record.js';
import type { Entry, LabelStore } from './store.js';

/** Stores replies as they come: those that arrive while a transaction is under way share the next one. */
export function createWriter(store: LabelStore, settle: (key: string, reply: Answer) => void): { add(entry: Entry): void; close(): Promise<void> } {
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
    async close() {
      while (writing !== undefined) await writing;
      if (fault !== undefined) throw fault.error;
    },
  };
}
