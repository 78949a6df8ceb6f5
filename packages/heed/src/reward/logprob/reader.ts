import type { Engine } from '@heed/tensor';
import { type Failure, failed } from '../../judge/respondent.js';
import { compileForwardPass, inPasses } from '../../model/forward-pass.js';
import { layOut } from '../../model/layout.js';
import type { Model } from '../../model/load.js';
import type { Message } from '../../text/template.js';
import type { TokenSequence } from '../../text/token-sequence.js';
import type { TokenReadings } from './features.js';

/** A text in its place. */
export interface Said {
  readonly prompt: readonly Message[];
  readonly response: string;
}

/** Reads texts under a model as it is, without an adapter: a policy that trains could raise its own numbers. */
export interface LogprobReader {
  /** In the order of the texts. A text without tokens, or one that does not fit, is a failure. */
  read(texts: readonly Said[], onProgress?: (done: number, total: number) => void): Promise<readonly (TokenReadings | Failure)[]>;
  close(): Promise<void>;
}

const EMPTY: readonly Message[] = [{ role: 'user', content: '' }];

export async function openLogprobReader(engine: Engine, model: Model): Promise<LogprobReader> {
  const { template, architecture: { context } } = model;
  const forward = await compileForwardPass(engine, model, undefined, (read) => ({ logp: read.logProbs(), entropy: read.entropies() }));
  const bare = template.prompt(EMPTY);

  const sequenceOf = ({ prompt, response }: Said): TokenSequence | Failure => {
    const before = template.prompt(prompt);
    // The end of turn is left out: a claim may stand in the middle of a turn.
    const ids = template.response(response).slice(0, -1);
    if (ids.length === 0) return { failure: 'not-applicable', detail: 'an empty response has no log-probabilities' };
    const tokens = Math.max(before.length, bare.length) + ids.length;
    return tokens <= context
      ? { prompt: before, response: ids }
      : { failure: 'too-long', detail: `${tokens} tokens; the context of the model is ${context}` };
  };

  return {
    async read(texts, onProgress) {
      const sequences = texts.map(sequenceOf);
      const found = new Array<TokenReadings | Failure>(texts.length);
      const asked = sequences.flatMap((one, i) =>
        (failed(one) ? [] : [{ i, ...one, alone: false }, { i, ...one, prompt: bare, alone: true }]));
      sequences.forEach((one, i) => { if (failed(one)) found[i] = one; });
      let first: Omit<TokenReadings, 'bare'> | undefined;
      for (const pass of inPasses(asked)) {
        const layout = layOut(pass);
        const { logp, entropy } = await forward.run(layout);
        pass.forEach(({ i, alone }, s) => {
          const numbers = ({ data }: { readonly data: ArrayLike<number | bigint> }): number[] =>
            Array.from(layout.labelOf[s]!, (at) => Number(data[at]));
          // The text after its own prompt comes right before the same one after an empty request, perhaps in an earlier pass.
          if (alone) found[i] = { ...first!, bare: numbers(logp!) };
          else first = { logprobs: numbers(logp!), entropies: numbers(entropy!) };
        });
        onProgress?.(pass.at(-1)!.i + 1, texts.length);
      }
      return found;
    },
    close: () => forward.release(),
  };
}
