import { endpoint } from './endpoint.js';
import { human } from './human.js';
import { local } from './local.js';

/** Every kind of judge that answers questions. Adding one is a file and a line here. */
export const JUDGES = {
  local,
  endpoint,
  human,
} as const;
