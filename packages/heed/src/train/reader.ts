import type { Engine, View } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Model } from '../model/load.js';
import { type Forward, type Readout, createForward } from './forward.js';
import type { Item } from './item.js';
import type { Wanted } from './program.js';

/** What is read of items before they are learnt from. */
export interface ReadRequest {
  /** Log-probabilities under the model without the adapter. */
  readonly reference: boolean;
  /** The name of the head at `tokens` whose numbers are read. */
  readonly value?: string;
  /** How the last token of each sequence attends to the response, in the last layer of the model without the adapter. */
  readonly attention?: boolean;
}

/** Readings of the policy (`value:<head>:<name>`), and of the model without the adapter (`logp:<name>`, `attention:<name>`). */
export interface ItemReadings {
  readonly policy?: Readout;
  readonly base?: Readout;
}

/** Reads items under the policy and without the adapter, by training's own forward pass. Programs are compiled at their first use. */
export interface Reader {
  read(items: readonly Item[], request: ReadRequest): Promise<ItemReadings>;
  /** Frees the compiled programs. What is asked for later compiles them anew. */
  release(): Promise<void>;
}

/** @param policy The trained parameters in the engine. */
export function createReader(
  engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, method: BoundMethod, plan: AdapterPlan, policy: View,
): Reader {
  const opened = new Map<string, Promise<Forward>>();
  const once = (key: string, open: () => Promise<Forward>): Promise<Forward> => {
    if (!opened.has(key)) opened.set(key, open());
    return opened.get(key)!;
  };
  const ofPolicy = async (wanted: readonly Wanted[]): Promise<Forward> => {
    const forward = await once(wanted.join(), () => createForward(engine, model, method, { plan, wanted }));
    forward.use(policy);
    return forward;
  };
  return {
    async read(items, { reference, value, attention = false }) {
      const ofBase: Wanted[] = [...(reference ? ['logp' as const] : []), ...(attention ? ['attention' as const] : [])];
      const base = async (): Promise<Forward> =>
        once(`base ${ofBase.join()}`, () => createForward(engine, model, method, { wanted: ofBase }));
      return {
        policy: value === undefined ? undefined : await (await ofPolicy([`value:${value}`])).read(items, method.names),
        base: ofBase.length > 0 ? await (await base()).read(items, method.names) : undefined,
      };
    },
    async release() {
      for (const forward of opened.values()) await (await forward).release();
      opened.clear();
    },
  };
}
