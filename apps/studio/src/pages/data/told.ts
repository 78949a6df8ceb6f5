import type { LookRequest } from '../../api.js';

/** What the reader has said of the file so far. */
export type Told = Omit<LookRequest, 'file' | 'speaker'>;
