/** Adapters that come and go while the server runs, as vLLM has it: /v1/load_lora_adapter and /v1/unload_lora_adapter. */
import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { z } from 'zod';

import { UserError } from '../errors.js';
import { loadAdapter } from '../model/peft.js';
import { ApiError, badRequest } from './api-error.js';
import { parseBody } from './fields.js';
import type { Voices } from './voices.js';

const LoadBody = z.strictObject({
  lora_name: z.string().min(1),
  lora_path: z.string().min(1),
  load_inplace: z.literal(false, { error: 'is not supported by this server; load it under another name' }).optional(),
});
const UnloadBody = z.strictObject({ lora_name: z.string().min(1), lora_int_id: z.int().optional() });

/** Takes bodies of the two requests, one after another. Both answer in words. */
export interface AdapterDesk {
  /** @throws ApiError where the name is taken, or the folder lies elsewhere, is not there or holds no adapter for the model */
  load(json: unknown): Promise<string>;
  /** @throws ApiError where no adapter was loaded under the name */
  unload(json: unknown): Promise<string>;
}

/** @param folder Adapters are read inside of it alone. Undefined: none are loaded. */
export function createAdapterDesk(voices: Voices, folder: string | undefined): AdapterDesk {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work, work);
    last = done.catch(() => undefined);
    return done;
  };

  async function load(json: unknown): Promise<string> {
    const root = required(folder);
    const { lora_name: name, lora_path: given } = parseBody(LoadBody, json);
    if (voices.all.has(name)) {
      throw badRequest(`The lora adapter '${name}' has already been loaded, or is the name of another model of this server.`, 'lora_name');
    }
    const path = await inside(root, given);
    const adapter = await loadAdapter(path, voices.model.checkpoint).catch((error: unknown) => {
      throw error instanceof UserError ? badRequest(error.message, 'lora_path') : error;
    });
    await voices.load(name, adapter);
    return `Success: LoRA adapter '${name}' added successfully.`;
  }

  async function unload(json: unknown): Promise<string> {
    required(folder);
    const { lora_name: name } = parseBody(UnloadBody, json);
    if (await voices.unload(name)) return `Success: LoRA adapter '${name}' removed successfully.`;
    const fixed = voices.all.has(name) ? ': it was there when the server started, and stays' : '';
    throw new ApiError(404, `The lora adapter '${name}' cannot be found among those that were loaded${fixed}.`, { param: 'lora_name' });
  }

  return { load: (json) => inTurn(() => load(json)), unload: (json) => inTurn(() => unload(json)) };
}

function required(folder: string | undefined): string {
  if (folder !== undefined) return folder;
  throw new ApiError(404, 'This server loads no adapters while it runs; heed serve does with --allow-adapters FOLDER.', {
    code: 'unknown_url',
  });
}

/** The folder that a request names, links followed. */
async function inside(folder: string, given: string): Promise<string> {
  const root = await realpath(folder);
  const path = resolve(root, given);
  const real = await realpath(path).catch(() => undefined);
  const isIn = (one: string): boolean => !relative(root, one).split(/[\\/]/).includes('..') && relative(root, one) !== resolve(one);
  if (!isIn(real ?? path)) {
    throw badRequest('lora_path is outside of the folder that this server reads adapters from (--allow-adapters).', 'lora_path');
  }
  if (real === undefined) throw new ApiError(404, `No adapter found for ${given}.`, { param: 'lora_path' });
  return real;
}
