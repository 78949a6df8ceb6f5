/** The studio on a port. */
import { createAdaptorServer } from '@hono/node-server';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';

import { UserError } from '../errors.js';
import { isLoopback } from '../serve/access.js';
import { listen } from '../serve/listen.js';
import { PAGE, createStudio } from './app.js';
import { openContext } from './context.js';

/** How a studio listens. */
export interface StudioServerOptions {
  /** Default: 127.0.0.1. Any address that others can reach needs a token. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly token?: string;
  /** Takes what has gone wrong inside. */
  log?(line: string): void;
  /** Where the built page lies. Default: in this package. */
  readonly page?: string;
  /** The command line of `heed`, for runs that are started. Default: this one. */
  readonly heed?: readonly string[];
}

/** A studio that listens. */
export interface RunningStudio {
  /** `http://127.0.0.1:8322` */
  readonly url: string;
  /** The project folder, absolute. */
  readonly folder: string;
  /** Closes the streams and the port. Runs that were started go on. */
  stop(): Promise<void>;
}

/** @throws UserError where the folder is missing, the port is taken, the page is not built, or others could ask without a token */
export async function startStudio(
  folder: string, { host = '127.0.0.1', port, token: given, log, page = PAGE, heed }: StudioServerOptions,
): Promise<RunningStudio> {
  const token = given === '' ? undefined : given;
  if (!isLoopback(host) && token === undefined) {
    throw new UserError(`On ${host} others can reach the studio, which starts and deletes runs, so it needs a token.`, [
      'Set HEED_STUDIO_TOKEN in the environment; the page asks for it once.',
      'Or leave --host out: then only this machine can reach it.',
    ]);
  }
  if (!existsSync(join(page, 'index.html')))
    throw new UserError('The page of the studio is not built.', ['Build it: npm run build.']);
  const ending = new AbortController();
  const context = await openContext(folder, { signal: ending.signal, log, heed });
  const server = createAdaptorServer({ fetch: createStudio(context, { token, page }).fetch }) as Server;
  const url = await listen(server, host, port);
  return {
    url,
    folder: context.project.folder,
    async stop() {
      ending.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await context.models.close();
    },
  };
}
