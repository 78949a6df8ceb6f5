/** The policy's adapter on the servers that sample it. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Engine, View } from '@heed/tensor';
import { UserError } from '../../errors.js';
import type { EndpointClient, Refusal } from '../../judge/endpoint/client.js';
import { type AdapterPlan, planAdapter } from '../../model/adapter.js';
import type { Checkpoint } from '../../model/checkpoint/open.js';
import { saveAdapter } from '../../model/peft.js';
import type { RunFolder } from '../../run/folder.js';
import { Interrupted } from '../../run/signals.js';

/** Keeps the policy's newest adapter on every server. */
export interface ServedPolicy {
  /**
   * The name that the servers know the policy by. Its adapter is written into the run folder and loaded everywhere, and the one before is
   * unloaded, unless it is there already.
   *
   * @param policy The adapter's parameters in the engine. Undefined: the model without an adapter.
   * @param round Part of the adapter's name.
   * @throws UserError where a server refuses the adapter, or none can be reached
   * @throws Interrupted where a stop was asked for
   */
  serve(policy: View | undefined, round: number | string): Promise<string>;
  /** Unloads the adapter, and removes its files. */
  close(): Promise<void>;
}

export interface ServedPolicySetup {
  readonly client: Pick<EndpointClient, 'everywhere'>;
  readonly engine: Pick<Engine, 'read'>;
  readonly checkpoint: Checkpoint;
  readonly plan: AdapterPlan;
  /** What PEFT's files name as the base: the recipe's `model`. */
  readonly modelId: string;
  /** The base's name on the servers. */
  readonly base: string;
  readonly run: Pick<RunFolder, 'dir' | 'path'>;
  readonly signal?: AbortSignal | undefined;
  say(line: string): void;
}

export function createServedPolicy(
  { client, engine, checkpoint, plan, modelId, base, run, signal, say }: ServedPolicySetup,
): ServedPolicy {
  // Heads belong to training: what samples needs the factors alone, which come first.
  const bare = planAdapter(checkpoint.tensors.values(), plan.options);
  const folder = run.path('work', 'adapters');
  /** Two runs whose folders have one name differ in their adapters, and so in the rest of the name. */
  const nameOf = (own: string): string => `${basename(run.dir).replaceAll(/[^\w.-]/g, '-')}-${own}`;
  let loaded: { readonly own: string; readonly digest: string } | undefined;
  let cleared = false;

  async function unload(own: string): Promise<void> {
    const told = await client.everywhere('/unload_lora_adapter', { lora_name: nameOf(own) }, { retries: 0 });
    // One that is not there need not be unloaded; a server that is down has none.
    const failed = told.filter(({ reason }) => reason?.status !== undefined && reason.status !== 404);
    for (const { url, reason } of failed) say(`${url} still has the adapter ${nameOf(own)}: ${reason!.detail}`);
    await rm(run.path('work', 'adapters', own), { recursive: true, force: true });
  }

  /** What a run that was killed left behind. */
  async function clear(): Promise<void> {
    if (cleared) return;
    cleared = true;
    if (existsSync(folder)) for (const own of await readdir(folder)) await unload(own);
  }

  async function load(own: string): Promise<void> {
    const path = run.path('work', 'adapters', own);
    const told = await client.everywhere('/load_lora_adapter', { lora_name: nameOf(own), lora_path: path }, { signal });
    if (signal?.aborted === true) throw new Interrupted('Stopped while the servers loaded the adapter; go on with --resume.');
    // The name tells the numbers, so what is there under it is this adapter.
    const failed = told.flatMap(({ url, reason }) =>
      (reason === undefined || /already been loaded/.test(reason.detail) ? [] : [{ url, reason }]));
    const refused = failed.find(({ reason }) => reason.status !== undefined);
    if (refused !== undefined) {
      throw new UserError(`generate.endpoint: ${refused.url} does not load the policy's adapter: ${refused.reason.detail}`, [
        ...waysOf(refused.reason, path, bare), 'Then go on with --resume.',
      ]);
    }
    if (failed.length === told.length) {
      throw new UserError(`generate.endpoint: no server can be reached to load the policy's adapter: ${failed[0]!.reason.detail}`, [
        'Start the servers, then go on with --resume.',
      ]);
    }
    for (const { url, reason } of failed)
      say(`${url} does not answer and gets no adapter, so others answer in this round: ${reason.detail}`);
  }

  return {
    async serve(policy, round) {
      await clear();
      if (policy === undefined) return base;
      const parameters = (await engine.read(policy) as Float32Array).subarray(0, bare.size);
      const digest = createHash('sha256').update(parameters).digest('hex').slice(0, 8);
      if (loaded?.digest !== digest) {
        const own = `${String(round).startsWith('round-') ? '' : 'round-'}${round}-${digest}`;
        if (loaded !== undefined) await unload(loaded.own);
        loaded = undefined;
        await mkdir(folder, { recursive: true });
        await saveAdapter(run.path('work', 'adapters', own), { plan: bare, parameters, checkpoint, modelId });
        try {
          await load(own);
        } catch (error) {
          // Some servers may have it.
          await unload(own);
          throw error;
        }
        loaded = { own, digest };
      }
      return nameOf(loaded.own);
    },
    async close() {
      await clear();
      if (loaded !== undefined) await unload(loaded.own);
      loaded = undefined;
    },
  };
}

/** What may be done about a server that refuses an adapter. */
function waysOf({ status, detail }: Refusal, path: string, { options: { rank } }: AdapterPlan): string[] {
  if (/no adapter found|no such file|not found in|is outside/i.test(detail)) {
    return [
      `Servers read the adapter from the run folder: put run.dir where every server finds it under the same path, ${path}.`,
      'heed serve reads inside of its --allow-adapters FOLDER alone.',
    ];
  }
  if (/rank/i.test(detail)) return [`The adapter has rank ${rank}: start vLLM with --max-lora-rank ${rank} or more.`];
  if (status !== 404 && status !== 405) return ["The server's log may say more."];
  return ['Start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, or heed serve with --allow-adapters FOLDER.'];
}
