import type { Engine } from '@heed/tensor';
import type { TokenSequence } from '../text/token-sequence.js';
import { type LoadedAdapter, compileForwardPass, inPasses } from './forward-pass.js';
import { layOut } from './layout.js';
import type { Model } from './load.js';

/** Log-probabilities of given responses. */
export interface Scorer {
  /**
   * log p of each supervised response token (null where not supervised), by sequence.
   *
   * @param onProgress Is told how many sequences are scored, pass by pass.
   */
  logProbs(sequences: readonly TokenSequence[], onProgress?: (done: number) => void): Promise<(number | null)[][]>;
  release(): Promise<void>;
}

/** Scores under the model itself, or under an adapter on it. */
export async function createScorer(
  engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, adapter?: LoadedAdapter,
): Promise<Scorer> {
  const forward = await compileForwardPass(engine, model, adapter, (read) => ({ logp: read.logProbs() }));
  return {
    async logProbs(sequences, onProgress) {
      const results: (number | null)[][] = [];
      for (const pass of inPasses(sequences)) {
        const layout = layOut(pass);
        const { logp } = await forward.run(layout);
        for (const labels of layout.labelOf) results.push(Array.from(labels, (i) => (i < 0 ? null : Number(logp!.data[i]))));
        onProgress?.(results.length);
      }
      return results;
    },
    release: () => forward.release(),
  };
}
