import { UserError } from '../../errors.js';
import type { ServerOptions } from './options.js';

/**
 * The key of an endpoint's servers; undefined where they want none.
 *
 * @param environment holds it under the name `keyFrom`. Default: process.env
 * @throws UserError where `keyFrom` names a variable that is not set
 */
export function keyOf(
  { url, keyFrom }: Pick<ServerOptions, 'url' | 'keyFrom'>, environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const key = keyFrom === undefined ? undefined : environment[keyFrom]?.trim();
  if (key !== '' && (keyFrom === undefined || key !== undefined)) return key;
  throw new UserError(`The environment variable ${keyFrom}, which holds the key of ${url}, is not set.`, [
    `Set it: export ${keyFrom}=…`,
    'Leave keyFrom out where the server wants no key.',
  ]);
}
