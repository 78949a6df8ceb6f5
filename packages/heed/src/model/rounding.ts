/** What a model loses where its base is rounded. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '@heed/tensor';
import { atomicWrite } from '../run/files.js';
import { readKept } from '../run/json-file.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { compileForwardPass } from './forward-pass.js';
import { layOut } from './layout.js';
import type { Model } from './load.js';

/** How far the distributions of a rounded model are from those of the model itself. */
export interface RoundingLoss {
  /** KL(p ‖ q) in nats a token: p the model, q rounded. */
  readonly divergence: number;
  /** The share of tokens at which both hold the same token likeliest. */
  readonly agreement: number;
  readonly tokens: number;
  /** Whether it was measured on other text, when the rounded weights were first used. */
  readonly earlier?: boolean;
}

/** Tokens that are compared: all logits of both models are in memory at once. */
const TOKENS = 128;

/**
 * Compares a model with `precision` int8 or int4 with the one that it was rounded from, on the first supervised tokens of some sequences:
 * two forward passes, one after the other. The first of them maps the whole model that was rounded, which may be more than the memory
 * that training then takes: what was found is kept beside the rounded weights, and read there ever after.
 *
 * @returns undefined where the model was not rounded when it was loaded
 */
export async function roundingLoss(
  engine: Engine, { checkpoint, architecture }: Pick<Model, 'checkpoint' | 'architecture'>, sequences: readonly TokenSequence[],
): Promise<RoundingLoss | undefined> {
  const { exact, folder, precision } = checkpoint;
  if (exact === undefined) return undefined;
  const kept = join(folder, 'rounding.json');
  if (existsSync(kept)) return { ...await readKept<RoundingLoss>(kept, `Remove ${kept}: the loss is measured again.`), earlier: true };
  const layout = layOut(firstTokens(sequences));
  const logits: Float32Array[] = [];
  for (const one of [exact, checkpoint]) {
    const pass = await compileForwardPass(engine, { checkpoint: one, architecture }, undefined, (read) => ({ logits: read.logits() }));
    logits.push((await pass.run(layout))['logits']!.data as Float32Array);
    await pass.release();
  }
  const found = compareLogits(logits[0]!, logits[1]!, architecture.vocabulary);
  if (precision !== exact.precision) await atomicWrite(kept, JSON.stringify(found));
  return found;
}

/** Sequences with so many response tokens together, the last of them cut. */
function firstTokens(sequences: readonly TokenSequence[]): TokenSequence[] {
  const chosen: TokenSequence[] = [];
  let left = TOKENS;
  for (const { prompt, response } of sequences) {
    if (left === 0) break;
    const some = response.slice(0, left);
    if (some.length > 0) chosen.push({ prompt, response: some });
    left -= some.length;
  }
  return chosen;
}

/** Compares logits of the same places, [places, vocabulary] each. */
export function compareLogits(p: Float32Array, q: Float32Array, vocabulary: number): RoundingLoss {
  const tokens = p.length / vocabulary;
  let [divergence, agreed] = [0, 0];
  const summary = (x: Float32Array, from: number): { readonly likeliest: number; readonly normaliser: number } => {
    let likeliest = from;
    for (let v = from; v < from + vocabulary; v++) if (x[v]! > x[likeliest]!) likeliest = v;
    let sum = 0;
    for (let v = from; v < from + vocabulary; v++) sum += Math.exp(x[v]! - x[likeliest]!);
    return { likeliest, normaliser: x[likeliest]! + Math.log(sum) };
  };
  for (let from = 0; from < p.length; from += vocabulary) {
    const [a, b] = [summary(p, from), summary(q, from)];
    for (let v = from; v < from + vocabulary; v++) {
      const logp = p[v]! - a.normaliser;
      divergence += Math.exp(logp) * (logp - q[v]! + b.normaliser);
    }
    if (a.likeliest === b.likeliest) agreed++;
  }
  return { divergence: divergence / tokens, agreement: agreed / tokens, tokens };
}

/** The loss for people, in a line. */
export function describeRounding(precision: string, { divergence, agreement, tokens, earlier }: RoundingLoss): string {
  const same = `the likeliest token is the same at ${Math.round(100 * agreement)} % of ${tokens} tokens`;
  const when = earlier === true ? ' (measured when it was first used)' : '';
  return `precision ${precision}: KL to f32 ${divergence.toPrecision(2)} a token; ${same}${when}`;
}
