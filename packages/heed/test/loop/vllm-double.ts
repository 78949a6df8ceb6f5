import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import type { Engine } from '@heed/tensor';
import type { Generator } from '../../src/generate/generator.js';
import { openGenerator } from '../../src/generate/open.js';
import type { Model } from '../../src/model/load.js';
import { loadAdapter } from '../../src/model/peft.js';
import { type Behaviour, type FaultyServer, fail, faultyServer } from '../judge/faulty-server.js';

/** What a test changes of a double. */
export interface Faults {
  /** Takes adapters, and answers with the model without one. */
  stale?: boolean;
  /** Runs without VLLM_ALLOW_RUNTIME_LORA_UPDATING: the two routes are not there. */
  fixed?: boolean;
  /** --max-lora-rank. Default: 16, vLLM's own. */
  maxRank?: number;
  /** Whether the server reads a folder that is there. */
  sees?: (path: string) => boolean;
  /** Changes a choice of a reply. */
  spoil?: (choice: Record<string, unknown>) => object;
  /** Looks at a request for answers, and may answer it instead. */
  before?: Behaviour;
}

/** A server with vLLM's interface. `adapters` are those that are loaded, by name. */
export interface VllmDouble extends FaultyServer {
  readonly adapters: ReadonlyMap<string, string>;
  faults: Faults;
  /** Bodies of the requests for answers. */
  completions(): Record<string, unknown>[];
}

/**
 * A double of vLLM 0.10 and newer, after its documentation and its sources (entrypoints/openai/completion/protocol.py, models/serving.py,
 * sampling_params.py): fields that it does not know are ignored; a sampling field that is left out is taken from the model's
 * generation_config.json (here top_k 1, so that it shows); choice i of a seeded request has the seed + i; greedy sampling takes n = 1
 * alone; log-probabilities are those before temperature and filters; the end-of-turn token is among `token_ids`. Answers are a real
 * generator's, of the same small model.
 */
export async function vllmDouble(engine: Engine, model: Model, base: string): Promise<VllmDouble> {
  const adapters = new Map<string, string>();
  const generators = new Map<string, Promise<Generator>>();
  let faults: Faults = {};
  const error = (response: ServerResponse, status: number, type: string, message: string): undefined =>
    fail(response, status, { error: { message, type, param: null, code: status } });
  const words = (response: ServerResponse, text: string): undefined => {
    response.writeHead(200).end(text);
    return undefined;
  };

  /** One for each adapter's folder as it was when it was loaded. */
  const generatorOf = (name: string): Promise<Generator> => {
    const key = faults.stale === true ? base : name;
    const found = generators.get(key) ?? (async () => {
      const path = adapters.get(key);
      const adapter = path === undefined ? undefined : await loadAdapter(path, model.checkpoint);
      return openGenerator(engine, model, { batch: 8, adapter });
    })();
    generators.set(key, found);
    return found;
  };

  const complete: Behaviour = async (asked, response, count) => {
    const { body } = asked;
    const instead = await faults.before?.(asked, response, count);
    if (instead !== undefined || response.writableEnded) return instead;
    const name = String(body['model']);
    if (name !== base && !adapters.has(name)) return error(response, 404, 'NotFoundError', `The model \`${name}\` does not exist.`);
    const { prompt, n = 1, seed, temperature = 1, top_p: topP = 1, top_k: topK = 1, min_p: minP = 0, max_tokens: most = 16 } = body as {
      prompt: number[]; n?: number; seed: number; temperature?: number; top_p?: number; top_k?: number; min_p?: number; max_tokens?: number;
    };
    if (temperature === 0 && n > 1) return error(response, 400, 'BadRequestError', `n must be 1 when using greedy sampling, got ${n}.`);
    const generator = await generatorOf(name);
    const filters = { ...(topP < 1 && { topP }), ...(topK > 0 && { topK }), ...(minP > 0 && { minP }) };
    const drawn = await Promise.all(Array.from({ length: n }, async (_, i) => (await generator.generate(
      [{ prompt, row: 0 }], { maxNewTokens: most, temperature, seed: seed + i, ...filters, stopIds: body['stop_token_ids'] as number[] },
    ))[0]!));
    const ids = body['return_token_ids'] === true;
    const choices = drawn.map(({ ids: tokens, logprobs, text, finish }, index) => ({
      index, text, finish_reason: finish, stop_reason: null, prompt_logprobs: null,
      logprobs: body['logprobs'] === undefined ? null : {
        text_offset: tokens.map(() => 0), token_logprobs: logprobs, tokens: tokens.map((id) => model.tokenizer.decode([id])),
        top_logprobs: logprobs.map(() => ({})),
      },
      token_ids: ids ? tokens : null, prompt_token_ids: ids ? prompt : null,
    }));
    return {
      id: 'cmpl-1', object: 'text_completion', created: 1, model: name, choices: choices.map((one) => faults.spoil?.(one) ?? one),
      usage: { prompt_tokens: prompt.length, completion_tokens: drawn.reduce((sum, one) => sum + one.ids.length, 0), total_tokens: 0 },
    };
  };

  const load: Behaviour = ({ body }, response) => {
    const { lora_name: name, lora_path: path } = body as { lora_name: string; lora_path: string };
    if (adapters.has(name)) {
      return error(response, 400, 'InvalidUserInput', `The lora adapter '${name}' has already been loaded. If you want to load the adapter `
        + "in place, set 'load_inplace' to True.");
    }
    const config = join(path, 'adapter_config.json');
    if (!existsSync(config) || faults.sees?.(path) === false)
      return error(response, 404, 'NotFoundError', `Loading lora ${name} failed: No adapter found for ${path}`);
    const { r } = JSON.parse(readFileSync(config, 'utf8')) as { r: number };
    const { maxRank = 16 } = faults;
    if (r > maxRank) return error(response, 500, 'InternalServerError', `LoRA rank ${r} is greater than max_lora_rank ${maxRank}.`);
    adapters.set(name, path);
    // vLLM reads the files at once.
    return generatorOf(name).then(() => words(response, `Success: LoRA adapter '${name}' added successfully.`));
  };

  const unload: Behaviour = async ({ body }, response) => {
    const name = String(body['lora_name']);
    if (!adapters.delete(name)) return error(response, 404, 'NotFoundError', `The lora adapter '${name}' cannot be found.`);
    await (await generators.get(name))?.release();
    generators.delete(name);
    return words(response, `Success: LoRA adapter '${name}' removed successfully.`);
  };

  const server = await faultyServer((asked, response, count) => {
    if (asked.path === '/v1/completions') return complete(asked, response, count);
    if (faults.fixed === true || !asked.path.endsWith('_lora_adapter')) return fail(response, 404, { detail: 'Not Found' });
    return (asked.path === '/v1/load_lora_adapter' ? load : unload)(asked, response, count);
  });
  return {
    url: server.url,
    asked: server.asked,
    get most() {
      return server.most;
    },
    behave: server.behave,
    close: server.close,
    adapters,
    get faults() {
      return faults;
    },
    set faults(given) {
      faults = given;
    },
    completions: () => server.asked.filter(({ path }) => path === '/v1/completions').map(({ body }) => body),
  };
}
