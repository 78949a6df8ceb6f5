import { describe, expect, it } from 'vitest';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { openStore } from '../../src/label/store.js';
import { cached } from '../../src/label/cached.js';
import { withProgress } from '../../src/label/with-progress.js';
import { silentProgress } from '../../src/run/progress.js';
import { onInterrupt } from '../../src/run/signals.js';
import { faultyServer } from '../judge/faulty-server.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();

describe('Ctrl-C while questions are asked', () => {
  it('lets go of a server that hangs', async () => {
    const signals = Object.assign(new EventEmitter(), { pid: 0, kill: () => true });
    const interrupt = onInterrupt(() => undefined, signals);
    // The user loses patience when the server has the question, and never gives an answer.
    const server = await faultyServer(() => {
      signals.emit('SIGINT', 'SIGINT');
      return undefined;
    });
    const store = await openStore(join(folder, 'labels.db'));
    const judge = withProgress(
      cached(createEndpointRespondent(EndpointOptions.parse({ url: server.url, model: 'm', concurrency: 1 })), store),
      silentProgress,
      interrupt,
      'judging',
    );
    const replies = await judge.choose(
      ['a', 'b'].map((content) => ({ messages: [{ role: 'user' as const, content }], answers: ['1', '2'] })),
    );
    expect(replies).toMatchObject([{ failure: 'cancelled' }, { failure: 'cancelled' }]);
    expect(server.asked).toHaveLength(1);
    // What the server may be paid for is kept, and the question is asked again.
    expect((await store.spent(judge.name)).promptTokens).toBeGreaterThan(0);
    expect(judge.usage.promptTokens).toBeGreaterThan(0);
    interrupt.dispose();
    await judge.close();
    store.close();
  });
});
