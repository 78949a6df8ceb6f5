import { type Engine, type Feed, type HostTensor, type Tensor, type View, lower } from '@heed/tensor';
import type { TokenSequence } from '../text/token-sequence.js';
import type { AdapterPlan } from './adapter.js';
import type { Layout } from './layout.js';
import type { Model } from './load.js';
import { type Read, feedsOf, ropeFeed, scoringFeeds, traceReads } from './scoring.js';
import { adaptedWeights, bindRead, boundParameters, frozenWeights } from './weights.js';

/** An adapter whose parameters are in the engine. */
export interface LoadedAdapter {
  readonly plan: AdapterPlan;
  readonly parameters: View;
}

/** A compiled forward pass without gradients. */
export interface ForwardPass {
  /** Its outputs, by name. `more`: what they are fed beside `scoringFeeds`. */
  run(layout: Layout, more?: Readonly<Record<string, Feed>>): Promise<Record<string, HostTensor>>;
  release(): Promise<void>;
}

/**
 * Compiles what is read of given texts: under the model itself, or under an adapter on it. `heads` are the adapter's, by name.
 * Every program that scores without training is made here.
 */
export async function compileForwardPass(
  engine: Engine,
  { checkpoint, architecture }: Pick<Model, 'checkpoint' | 'architecture'>,
  adapter: LoadedAdapter | undefined,
  outputs: (read: Read, heads: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>,
): Promise<ForwardPass> {
  const adapted = adapter && adaptedWeights(checkpoint, adapter.plan, { dropout: false });
  const read = traceReads(architecture, adapted ?? frozenWeights(checkpoint), 'none');
  const session = await engine.compile(lower(outputs(read, adapted?.heads ?? {}), { folder: checkpoint.folder }));
  const rope = ropeFeed(architecture);
  if (adapter !== undefined) bindRead(session, boundParameters(adapted!, adapter.parameters));
  return {
    run: (layout, more) => session.run(feedsOf(session.program, { ...scoringFeeds(layout, architecture, rope), ...more })),
    release: () => session.release(),
  };
}

/** Tokens worked on in one pass. */
const TOKENS_PER_PASS = 1024;

/** Cuts sequences, in their order, into passes of about so many tokens: those that begin below the limit. */
export function inPasses<S extends TokenSequence>(sequences: readonly S[]): S[][] {
  const passes: S[][] = [];
  let tokens = Infinity;
  for (const sequence of sequences) {
    if (tokens >= TOKENS_PER_PASS) {
      passes.push([]);
      tokens = 0;
    }
    passes.at(-1)!.push(sequence);
    tokens += sequence.prompt.length + sequence.response.length;
  }
  return passes;
}
