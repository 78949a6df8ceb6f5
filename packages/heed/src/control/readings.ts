/** What a controller sees of a prompt: the model's state where its answer would begin. */
import { type Engine, type Tensor, constant, exp, logSoftmax, mul, neg, op, sum } from '@heed/tensor';
import { type LoadedAdapter, compileForwardPass, inPasses } from '../model/forward-pass.js';
import { layOut } from '../model/layout.js';
import type { Model } from '../model/load.js';

/** The model's state behind the last token of a prompt. */
export interface Reading {
  /** The last hidden state, after the final norm. */
  readonly hidden: Float32Array;
  /** Entropy of the answer's first token, in nats. */
  readonly entropy: number;
  /** Probability of the likeliest first token. */
  readonly top1: number;
  /** How far it is above that of the second token. */
  readonly margin: number;
  /** Tokens of the prompt. */
  readonly tokens: number;
}

/** Reads prompts with a model that stays as it is. */
export interface PromptReader {
  /** A reading for each prompt, given in tokens. */
  read(prompts: readonly (readonly number[])[]): Promise<Reading[]>;
  release(): Promise<void>;
}

/** Prompts whose logits are in memory together. */
const TOGETHER = 16;

/** Opens a reader of the model, or of the model with an adapter. Its program is compiled at the first reading. */
export function createPromptReader(
  engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, adapter?: LoadedAdapter,
): PromptReader {
  let compiled: ReturnType<typeof compileForwardPass> | undefined;
  const forward = (): ReturnType<typeof compileForwardPass> =>
    (compiled ??= compileForwardPass(engine, model, adapter, (read) => ({ hidden: read.hidden(), ...firstToken(read.logits()) })));
  return {
    async read(prompts) {
      const pass = await forward();
      const readings: Reading[] = [];
      for (let from = 0; from < prompts.length; from += TOGETHER) {
        // One token that is predicted after each prompt; which one does not matter.
        const sequences = prompts.slice(from, from + TOGETHER).map((prompt) => ({ prompt, response: [0] }));
        for (const some of inPasses(sequences)) readings.push(...(await readPass(pass, some)));
      }
      return readings;
    },
    async release() {
      await (await compiled)?.release();
      compiled = undefined;
    },
  };
}

type Pass = Awaited<ReturnType<typeof compileForwardPass>>;

async function readPass(forward: Pass, sequences: readonly { readonly prompt: readonly number[]; readonly response: number[] }[]) {
  const layout = layOut(sequences);
  const { hidden, entropy, likeliest } = await forward.run(layout);
  const width = hidden!.shape[1]!;
  return sequences.map(({ prompt }, s): Reading => {
    const row = layout.labelOf[s]![0]!;
    const [first, second] = [0, 1].map((i) => Math.exp(Number(likeliest!.data[2 * row + i])));
    return {
      hidden: (hidden!.data as Float32Array).slice(row * width, (row + 1) * width),
      entropy: Number(entropy!.data[row]), top1: first!, margin: first! - second!, tokens: prompt.length,
    };
  });
}

/** Entropy [N] and the two largest log-probabilities [N, 2] of logits [N, vocabulary]. */
function firstToken(logits: Tensor): Record<string, Tensor> {
  const logp = logSoftmax(logits);
  const shape = [logits.shape[0]!, 2];
  const [likeliest] = op(
    'TopK',
    [logp, constant([2], [1], 'int64')],
    [{ dtype: 'float32', shape }, { dtype: 'int64', shape }],
    { attributes: { axis: { int: 1 }, largest: { int: 1 }, sorted: { int: 1 } } },
  );
  return { entropy: neg(sum(mul(exp(logp), logp), [-1])), likeliest: likeliest! };
}
