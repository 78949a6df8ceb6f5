/** Log-probabilities of a text that is given, and what else was likely at each place. */
import type { Engine } from '@heed/tensor';

import { traceChoice } from '../generate/choose.js';
import type { Likely, Token } from '../generate/request.js';
import { type LoadedAdapter, compileForwardPass } from '../model/forward-pass.js';
import { layOut } from '../model/layout.js';
import type { Model } from '../model/load.js';
import { createScorer } from '../model/scorer.js';

export interface TextScorer {
  /** Frees what was compiled. */
  release(): Promise<void>;
  /** Each token of a text after the first, with its log-probability and the `top` likeliest tokens of its place (none for 0). */
  score(ids: readonly number[], top: number): Promise<Token[]>;
}

/** Places whose logits over the whole vocabulary are in memory together. */
const PLACES = 256;
/** What the program gives; requests take less. */
const COUNT = 64;

/** Compiles what is needed when it is first asked for. */
export function createTextScorer(engine: Engine, model: Model, adapter?: () => Promise<LoadedAdapter>): TextScorer {
  const held: Promise<{ release(): Promise<void> }>[] = [];
  const lazily = <T extends { release(): Promise<void> }>(make: (on?: LoadedAdapter) => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined;
    return () => {
      if (made === undefined) held.push(made = adapter === undefined ? make() : adapter().then(make));
      return made;
    };
  };
  const scorer = lazily((on) => createScorer(engine, model, on));
  const likeliest = lazily((on) => createLikeliest(engine, model, on));
  return {
    async score(ids, top) {
      if (ids.length < 2) return [];
      const [prompt, response] = [ids.slice(0, 1), ids.slice(1)];
      const [logprobs] = await (await scorer()).logProbs([{ prompt, response }]);
      const tops = top === 0 ? undefined : await (await likeliest()).likeliest(prompt, response, top);
      return response.map((id, i) => ({ id, logprob: logprobs![i]!, top: tops?.[i] }));
    },
    async release() {
      for (const one of held.splice(0)) await (await one).release();
    },
  };
}

async function createLikeliest(engine: Engine, model: Model, adapter?: LoadedAdapter) {
  const count = Math.min(COUNT, model.architecture.vocabulary);
  const forward = await compileForwardPass(engine, model, adapter, (read) => {
    const { values, indices, normaliser } = traceChoice(read.logits(), { kind: 'candidates', count });
    return { values: values!, indices: indices!, normaliser: normaliser! };
  });
  const find = async (prompt: readonly number[], response: readonly number[], top: number): Promise<Likely[][]> => {
    const all: Likely[][] = [];
    for (let from = 0; from < response.length; from += PLACES) {
      const n = Math.min(PLACES, response.length - from);
      const supervised = Array.from({ length: from + n }, (_, i) => i >= from);
      const layout = layOut([{ prompt, response: response.slice(0, from + n), supervised }]);
      const { values, indices, normaliser } = await forward.run(layout, {
        inverseTemperature: { data: new Float32Array(n).fill(1), shape: [n, 1] },
      });
      const logits = values!.data as Float32Array;
      const sums = normaliser!.data as Float32Array;
      const likely = (at: number, k: number): Likely =>
        ({ id: Number(indices!.data[at * count + k]), logprob: logits[at * count + k]! - sums[2 * at]! });
      // Places lie as the layout has them: those of the prompt's last row first.
      for (const at of layout.labelOf[0]!) if (at >= 0) all.push(Array.from({ length: Math.min(top, count) }, (_, k) => likely(at, k)));
    }
    return all;
  };
  return { likeliest: find, release: () => forward.release() };
}
