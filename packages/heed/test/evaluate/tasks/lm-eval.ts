import { fileURLToPath } from 'node:url';
import { json } from '../../model/support.js';

/** An item as lm-evaluation-harness asked it, and what its model replied. */
export interface OracleItem {
  readonly context: string;
  readonly choices?: readonly string[];
  readonly logLikelihoods?: readonly number[];
  readonly text?: string;
}

/** What it found out of a task. */
export interface Oracle {
  /** `acc,none`, `acc_stderr,none`, … */
  readonly metrics: Readonly<Record<string, number>>;
  readonly items: readonly OracleItem[];
}

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/evaluate/${name}`, import.meta.url));

/** What tools/oracles/benchmarks.py wrote. */
export const oracle = <T>(name: string): T => json<T>(fixture(name));
/** The rows that it was given. */
export const example = (name: string): string => fileURLToPath(new URL(`../../../../../examples/evaluate/${name}`, import.meta.url));
