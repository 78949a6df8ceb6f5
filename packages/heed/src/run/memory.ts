/** How much memory there is. */
import { freemem, totalmem } from 'node:os';

// Measured: Node 20 with everything imported, SmolLM2's tokenizer, the engine idle; and a compiled node with what is kept of its trace.
export const PROCESS_BYTES = 160e6;
export const NODE_BYTES = 8e3;

/** Bytes of the machine, or of the container's limit. */
export function memoryLimit(): number {
  const limit = 'constrainedMemory' in process ? process.constrainedMemory() : 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Bytes that this process can have, including those that it has already. The limit of a container counts. */
export function availableMemory(): number {
  // Node before 20.13 cannot say what is left within a container's limit.
  const free = 'availableMemory' in process ? process.availableMemory() : freemem();
  return free + process.memoryUsage.rss();
}
