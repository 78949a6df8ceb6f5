/** What the server says: its own types. */
export type * from '../../../packages/heed/src/studio/api.js';
