import type { Generator } from '../generate/generator.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Completion } from '../generate/request.js';
import { fingerprint } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import type { Shared } from '../run/shared.js';

/** What writes answers. */
export type Answering = Pick<Generator, 'generate'>;

/**
 * Answers of a model without an adapter, which other runs may have had written. They follow from the weights, the template, the prompts,
 * the sampling and which prompts are answered together, and from nothing else; at temperature 0 no random number is drawn, so that the seed
 * does not count.
 *
 * @param batch Sequences that are worked on together.
 * @param own Writes what no run has had written.
 */
export function sharedAnswers(shared: Shared, model: Model, batch: number, own: Answering): Answering {
  return {
    async generate(requests, sampling, hooks) {
      let written = false;
      const key = [fingerprint(model), batch, drawing(sampling), ...requests];
      const completions = await shared.take<Completion[]>('answers', key, async () => {
        written = true;
        return own.generate(requests, sampling, hooks);
      });
      if (!written) {
        for (const completion of completions) hooks?.onCompletion?.(completion);
        const tokens = completions.reduce((n, { ids }) => n + ids.length, 0);
        hooks?.onProgress?.({ tokens, finished: completions.length, total: completions.length });
      }
      return completions;
    },
  };
}

const drawing = ({ seed, ...options }: SamplingOptions): object => (options.temperature === 0 ? options : { ...options, seed });
