/** A port to listen on, or why there is none. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { UserError } from '../errors.js';

/**
 * Listens.
 *
 * @param port 0 takes a free one.
 * @returns the server's URL, such as `http://127.0.0.1:8321`.
 * @throws UserError where the port is taken or not allowed, or the address is not this machine's
 */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((error: unknown) => {
    throw listenFailure(error, host, port);
  });
  const { port: taken } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host.replace(/^\[|\]$/g, '')}]` : host}:${taken}`;
}

/** What a failure to listen means for the user. */
function listenFailure(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new UserError(`Port ${port} on ${host} is in use.`, ['Choose another with --port, or 0 for a free one.']);
  if (code === 'EACCES')
    return new UserError(`Port ${port} on ${host} may not be used by this user.`, ['Choose one above 1023 with --port.']);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new UserError(`${host} is not an address of this machine.`, ['--host takes 127.0.0.1, 0.0.0.0 or an address of its own.']);
  return error;
}
