import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, startEngine } from '@heed/tensor';
import OpenAI from 'openai';
import { afterAll, beforeAll } from 'vitest';
import { type Model, loadModel } from '../../src/model/load.js';
import { type Adapter, loadAdapter } from '../../src/model/peft.js';
import { type RunningServer, type ServerOptions, startServer } from '../../src/serve/server.js';
import { type Voices, openVoices } from '../../src/serve/voices.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

/** The tiny model and its adapter behind a port of their own, for a test file. */
export interface Served {
  readonly engine: Engine;
  readonly model: Model;
  readonly adapter: Adapter;
  readonly voices: Voices;
  readonly server: RunningServer;
  readonly lines: string[];
  readonly failures: string[];
  readonly client: OpenAI;
}

interface ServedModel {
  readonly batch?: number;
  readonly context?: number;
  /** Default: the tiny model's own. */
  readonly chatTemplate?: string;
}

export function served(
  options: Partial<ServerOptions> = {}, { batch = 4, context = 256, chatTemplate }: ServedModel = {},
): () => Served {
  const { folder } = scratchFolder();
  let all: Served | undefined;
  beforeAll(async () => {
    const paths = await tinyChat(folder, { context });
    if (chatTemplate !== undefined) writeFileSync(join(paths.model, 'chat_template.jinja'), chatTemplate);
    const model = await loadModel(paths.model);
    const adapter = await loadAdapter(paths.adapter, model.checkpoint);
    const engine = await startEngine({ threads: 1 });
    const voices = await openVoices(engine, model, { name: 'tiny', adapters: { tuned: adapter }, batch });
    const [lines, failures]: [string[], string[]] = [[], []];
    const server = await startServer(voices, {
      port: 0,
      log: (line, kind) => (kind === 'request' ? lines : failures).push(line),
      ...options,
    });
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: options.token ?? 'none', maxRetries: 0 });
    all = { engine, model, adapter, voices, server, lines, failures, client };
  });
  afterAll(async () => {
    await all?.server.stop();
    await all?.engine.close();
  });
  return () => all!;
}
