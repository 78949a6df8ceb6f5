import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { vi } from 'vitest';
import { main } from '../../src/cli/main.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { convertGguf } from '../../src/model/checkpoint/gguf/convert.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { saveAdapter } from '../../src/model/peft.js';
import { createRandom } from '../../src/run/random.js';
import { fixture } from '../model/support.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The last line of stdout, as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface RunOptions {
  /** Given to stdin, as a pipe gives it. */
  readonly input?: string;
  /** Makes stdout and stderr a terminal of so many columns. */
  readonly columns?: number;
  onOut?(text: string): void;
}

/** Runs the command line in this process. */
export async function heed(argv: readonly string[], { input, columns, onOut }: RunOptions = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const stdin =
    input === undefined
      ? undefined
      : vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from([input]) as unknown as typeof process.stdin);
  try {
    const code = await main(argv, {
      stdout: { write: (text) => { out += text; onOut?.(text); }, ...(columns === undefined ? {} : { isTTY: true, columns }) },
      stderr: { write: (text) => { err += text; }, isTTY: columns !== undefined },
    });
    return { code, out, err, json: <T>() => JSON.parse(out.trim().split('\n').at(-1)!) as T };
  } finally {
    stdin?.mockRestore();
  }
}

const CHAT =
  "{% for m in messages %}{{ '<s>' + m.role[:1] + ' ' + m.content + '</s>' }}{% endfor %}"
  + "{% if add_generation_prompt %}{{ '<s>a ' }}{% endif %}";

/** A tiny random model whose tokens are bytes, with a chat template, and a random adapter for it. */
export async function tinyChat(folder: string, { context = 256 } = {}): Promise<{ readonly model: string; readonly adapter: string }> {
  const model = join(folder, `tiny-${context}`);
  mkdirSync(model);
  await convertGguf(fixture('tiny-llama.gguf'), model, 'tiny');
  const edit = (name: string, change: object): void => {
    const file = join(model, name);
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change }));
  };
  edit('config.json', { max_position_embeddings: context });
  edit('tokenizer_config.json', { chat_template: CHAT });
  const checkpoint = await openCheckpoint(model);
  const plan = planAdapter(checkpoint.tensors.values(), { rank: 2, alpha: 8, targets: ['q_proj', 'down_proj'], dropout: 0, rslora: false });
  const parameters = initialParameters(plan, 1);
  const random = createRandom('tiny adapter', 0);
  for (const { b } of plan.modules.values()) for (let i = 0; i < b.shape[0] * b.shape[1]; i++) parameters[b.offset + i] = random.normal();
  const adapter = join(folder, `adapter-${context}`);
  await saveAdapter(adapter, { plan, parameters, checkpoint });
  return { model, adapter };
}
