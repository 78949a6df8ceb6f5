import {
  type Engine, MachineLost, type Request, type RunRequest, type Team, type Thread, type View, despiteLosses, engineOver,
} from '@heed/tensor';
import type { Sent } from './frames.js';
import { UserError } from '../errors.js';
import { type Asking, LinkLost, StateLost, WorkerLost } from './link.js';
import type { Attempt } from './rates.js';
import { type Running, lastLines } from './running.js';
import type { RemoteWeights } from './weights.js';

/** Buffers and sessions with smaller numbers are on all workers alike; larger ones belong to one (workers/ray/heed_worker/members.py). */
const OWN = 2 ** 40;
/** Numbers that the engines of single workers have, one engine after the other. */
const EACH = 2 ** 32;

/** What a team's engine needs to know. */
export interface TeamSetup extends Running {
  /** Where workers find weights. Default: in the same files as this process. */
  readonly weights?: RemoteWeights;
  /** Called where work begins that may be lost. Default: nobody counts. */
  attempt?(worker?: number): Attempt;
}

/** The engine of a cluster's workers. Closing it closes the connection, and ends what `close` ends. */
export function openTeam(setup: TeamSetup): Engine {
  const { link } = setup;
  let closed = false;
  /** Losses as whoever uses engines knows them. */
  const asKnown = async (error: unknown): Promise<never> => {
    if (error instanceof WorkerLost) throw new MachineLost(error.message, { cause: error });
    if (!closed && (error instanceof StateLost || error instanceof LinkLost)) throw lostForUser(error, await setup.errors());
    throw error;
  };
  const weights = setup.weights && { place: (folder: string) => setup.weights!.place(folder).catch(asKnown) };
  const ask: Ask = async (asking) => {
    try {
      return await link.ask(asking);
    } catch (error) {
      return asKnown(error);
    }
  };
  const thread: Thread = {
    ask: routed(ask, weights, 'all'),
    async close() {
      closed = true;
      link.close();
      await setup.close();
    },
  };
  return engineOver(thread, { threads: link.threads, team: (holds) => createTeam({ ...setup, weights }, ask, holds) });
}

type Ask = (asking: Asking) => Promise<readonly Sent[]>;

function lostForUser(error: Error, errors: string): UserError {
  return new UserError([error.message, ...lastLines(errors)].join('\n'), [
    'Give the same command again with --resume: it goes on from the last checkpoint.',
    'Without the cluster: cluster=null.',
  ], { cause: error });
}

function createTeam({ link, weights, attempt }: TeamSetup, ask: Ask, holds: (buffer: View['buffer']) => boolean): Team {
  let engines = 0;
  const opened = new Map<number, { readonly life: number; readonly engine: Engine }>();
  const total = (): number => link.standing.losses.reduce((a, b) => a + b, 0);
  return {
    size: link.workers,
    member(index) {
      const life = link.standing.losses[index]!;
      const known = opened.get(index);
      if (known?.life === life) return known.engine;
      const thread: Thread = { ask: routed(ask, weights, index, life), close: () => Promise.resolve() };
      const engine = engineOver(thread, { threads: link.threads, from: OWN + EACH * engines++, shares: holds });
      opened.set(index, { life, engine });
      return engine;
    },
    async sum(view, count) {
      const packed = Float64Array.of(0, view.buffer.id, view.offset, view.shape.length, ...view.shape);
      await ask({ request: { kind: 'sum', view: packed, count }, to: 'all', again: false });
    },
    again(work, index) {
      let tried: Attempt | undefined;
      return despiteLosses(async () => {
        tried = attempt?.(index);
        const before = total();
        const result = await work();
        // The work went through, but what the lost worker held of it is gone.
        if (index === undefined && total() !== before) throw new MachineLost('A worker of the cluster was lost.');
        return result;
      }, () => tried?.repeat());
    },
  };
}

/** Answers the requests of an engine: by all workers, or by one in one of its lives. */
function routed(ask: Ask, weights: RemoteWeights | undefined, to: number | 'all', life?: number): Thread['ask'] {
  // A worker that did not have the run before knows no plan.
  const plans = new Map<number, RunRequest['plan']>();
  return async (given) => {
    if (given.kind === 'start') return false;
    // What is mapped from files of this machine is mapped from copies of them there.
    const request = given.kind !== 'compile' || given.folder === undefined || weights === undefined
      ? given : { ...given, folder: undefined, digest: await weights.place(given.folder) };
    if (request.kind === 'run') return run(request);
    if (request.kind === 'release') plans.delete(request.session);
    if (to !== 'all') return valueOf(request, await ask({ request, to, life, again: request.kind === 'read' }));
    // What all hold alike one can read.
    if (request.kind === 'read') return valueOf(request, await ask({ request, to: 0, again: true }));
    return valueOf(request, await ask({ request, to, again: false }));
  };

  async function run({ bind, bindInto, ...rest }: RunRequest): Promise<unknown> {
    const plan = rest.plan ?? plans.get(rest.session);
    plans.set(rest.session, plan);
    const request = { ...rest, plan };
    if (to !== 'all') return ask({ request: { ...request, bind, bindInto }, to, life, again: !rest.writes });
    if (rest.writes && rest.on === undefined) return ask({ request: { ...request, bind, bindInto }, to, again: false });
    // Views that stay are for all of them, also where one runs alone. Both are sent at once, so that they stay together.
    const bound = bind === undefined && bindInto === undefined
      ? undefined : ask({ request: { kind: 'bind', session: rest.session, bind, bindInto }, to: 'all', again: false });
    const done = ask({ request, to: rest.on ?? 0, again: !rest.writes });
    await Promise.all([bound, done]);
    return done;
  }
}

const valueOf = (request: Request, arrays: readonly Sent[]): unknown => (request.kind === 'read' ? arrays[0] : undefined);
