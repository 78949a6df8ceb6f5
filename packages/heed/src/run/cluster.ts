import { z } from 'zod';

/** Where the engine's work is done, as a recipe says it. */
export type Cluster =
  | { readonly kind: 'local'; readonly workers: number }
  | { readonly kind: 'ray'; readonly host: string; readonly port: number };

/** The port of Ray's Jobs API where none is given. */
const JOBS_PORT = 8265;
const EXPECTED = 'expected local:N, with N from 1 to 999, or ray://HOST, the head of a Ray cluster';
const FORM = /^(?:local:([1-9]\d{0,2})|ray:\/\/([\w.-]+|\[[\da-fA-F:]+\])(?::(\d{1,5}))?\/?)$/;

/**
 * `local:N`: N workers on this machine. `ray://HOST` or `ray://HOST:PORT`: a worker on each machine of a Ray cluster, whose Jobs API is at
 * that port (8265).
 */
export const ClusterOptions = z.string(EXPECTED)
  .regex(FORM, EXPECTED)
  .refine((text) => Number(FORM.exec(text)?.[3] ?? 0) <= 65_535, 'has no port: ports go up to 65535');

/** The parts of a cluster's address. */
export function clusterOf(text: z.infer<typeof ClusterOptions>): Cluster {
  const [, workers, host, port] = FORM.exec(text)!;
  if (workers !== undefined) return { kind: 'local', workers: Number(workers) };
  return { kind: 'ray', host: host!.replace(/^\[(.*)\]$/, '$1'), port: port === undefined ? JOBS_PORT : Number(port) };
}
