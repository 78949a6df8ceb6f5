import { z } from 'zod';

/** Where the engine's work is done, as a recipe says it. */
export interface Cluster {
  /** Workers on this machine. */
  readonly workers: number;
}

const FORM = /^local:([1-9]\d{0,2})$/;

/** `local:N`: N workers on this machine. */
export const ClusterOptions = z.string().regex(FORM, 'expected local:N, such as local:2');

/** The parts of a cluster's address. */
export const clusterOf = (text: z.infer<typeof ClusterOptions>): Cluster => ({ workers: Number(FORM.exec(text)![1]) });
