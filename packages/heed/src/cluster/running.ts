import type { Link } from './link.js';

/** Workers that run, and how to reach them. */
export interface Running {
  readonly link: Link;
  /** The last lines that gateway and workers wrote on stderr. */
  errors(): Promise<string>;
  /** Waits until they have ended, after the link is closed. */
  close(): Promise<void>;
}

/** Lines of the workers' stderr that a message ends with. */
const SHOWN_LINES = 12;

/** The last lines of what workers said. */
export const lastLines = (said: string): string[] => said.trim().split('\n').slice(-SHOWN_LINES).filter((line) => line !== '');
