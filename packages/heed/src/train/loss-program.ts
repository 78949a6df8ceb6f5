import { type Dim, type Program, type Tensor, add, detach, gradient, input, lower, mul, sub, sum, sym } from '@heed/tensor';
import type { BoundMethod, Head, Loss, Scored } from '../method/method.js';
import { Tokens } from '../method/tokens.js';

const B = sym('rows');
const T = sym('slots');
const K = sym('places');

/** [B, T], or [B, K, T] for a list. */
export const tokensShape = (method: BoundMethod, name: string): Dim[] => (method.lists.has(name) ? [B, K, T] : [B, T]);
/** [B (, K) (, size)]: what a head at the last token gives for each sequence of a name. */
export function scoresShape(method: BoundMethod, head: string, name: string): Dim[] {
  const { size } = method.heads[head]!;
  return [B, ...(method.lists.has(name) ? [K] : []), ...(size === 1 ? [] : [size])];
}

/**
 * What a loss reads of the policy, by its key: `logp:<name>`, `entropy:<name>`, `score:<head>:<name>` or `value:<head>:<name>`. A score is
 * one for each sequence; the others are one for each supervised token.
 */
export interface Reading {
  readonly kind: 'logp' | 'entropy' | 'score' | 'value';
  readonly head?: string;
  readonly name: string;
}

/** The parts of a reading's key. */
export function readingOf(key: string): Reading {
  const [kind, ...rest] = key.split(':') as [Reading['kind'], ...string[]];
  return rest.length === 1 ? { kind, name: rest[0]! } : { kind, head: rest[0]!, name: rest[1]! };
}

/** The sources of what a loss reads of the policy: the model in the same program, or feeds. */
export interface Readings {
  readonly logp: (name: string) => Tensor;
  readonly entropy: (name: string) => Tensor;
  readonly score: (head: string, name: string) => Tensor;
  readonly value: (head: string, name: string) => Tensor;
}

/**
 * Traces the inputs of a method's loss. All but the readings are feeds (see `makeTables` and `References`). A program holds only the inputs
 * that the loss uses.
 */
export function traceScored(method: BoundMethod, readings: Readings): Scored<string> {
  const masks = Object.fromEntries(method.names.map((name) => [name, input(`mask:${name}`, tokensShape(method, name))]));
  const logp: Record<string, Tokens> = {};
  const entropy: Record<string, Tokens> = {};
  const ofHeads = <T>(at: Head['at'], read: (head: string, name: string) => T): Record<string, Record<string, T>> =>
    Object.fromEntries(Object.entries(method.heads).filter(([, head]) => head.at === at).map(([head]) =>
      [head, Object.fromEntries(learnt.map((name) => [name, read(head, name)]))]));
  const learnt = method.names.filter((name) => !method.detached.has(name));
  const ofTokens = (name: string, values: Tensor): Tokens => new Tokens(mul(values, masks[name]!), masks[name]!);
  for (const name of learnt) {
    logp[name] = ofTokens(name, readings.logp(name));
    if (method.entropies.has(name)) entropy[name] = ofTokens(name, readings.entropy(name));
  }
  // One input, whatever number of sequences the reference scores.
  const begins = input(ROUND_BEGINS, []);
  const under = Object.fromEntries(Object.entries(method.references).map(([reference, { is, scores: names }]) => [
    reference,
    Object.fromEntries(names.map((name) => {
      const fed = input(`under:${reference}:${name}`, tokensShape(method, name));
      return [name, new Tokens(is === 'round' ? asRoundBegan(logp[name]!.values, fed, begins) : fed, masks[name]!)];
    })),
  ]));
  return {
    logp, under, entropy,
    marked: Object.fromEntries([...method.marks].map((name) => [
      name, new Tokens(input(`marked:${name}`, tokensShape(method, name)), masks[name]!),
    ])),
    scores: ofHeads('last', readings.score),
    values: ofHeads('tokens', (head, name) => ofTokens(name, readings.value(head, name))),
    tokens: Object.fromEntries(
      Object.entries(method.tokenColumns).map(([column, name]) => [
        column,
        new Tokens(input(`tokens:${column}`, tokensShape(method, name)), masks[name]!),
      ]),
    ),
    columns: Object.fromEntries(method.columns.map((name) => [name, input(`column:${name}`, method.listColumns.has(name) ? [B, K] : [B])])),
    present: Object.fromEntries(method.names.map((name) => [name, new Tokens(masks[name]!, masks[name]!).present()])),
    rows: sum(input('one', [B])),
    memory: Object.fromEntries(Object.keys(method.memory).map((name) => [name, input(`memory:${name}`, [])])),
  };
}

/**
 * The log-probabilities of the policy as the round began. At the round's first step (`roundBegins` 1) that is the current policy, so its
 * own numbers are taken, without gradient: the ratio is then exactly 1, although two programs may round differently. Later (`roundBegins`
 * 0) they are fed.
 */
function asRoundBegan(policy: Tensor, fed: Tensor, begins: Tensor): Tensor {
  return add(mul(detach(policy), begins), mul(fed, sub(1, begins)));
}

/** The feed of a program with a `round` reference: 1 at a round's first step, else 0. */
export const ROUND_BEGINS = 'roundBegins';

/** A loss's terms and metrics, `term:i`, and `metric:name`, `least:name` or `most:name`, and the new memory, `newMemory:name`. */
export function sumsOf(method: BoundMethod, loss: Loss): Record<string, Tensor> {
  const outputs: Record<string, Tensor> = {};
  loss.terms.forEach((term, i) => (outputs[`term:${i}`] = term.sum));
  for (const [name, metric] of Object.entries(loss.metrics)) {
    if ('sum' in metric) outputs[`metric:${name}`] = metric.sum;
    else if ('least' in metric) outputs[`least:${name}`] = metric.least;
    else outputs[`most:${name}`] = metric.most;
  }
  for (const name of Object.keys(method.memory)) {
    const value = loss.memory?.[name];
    if (value === undefined) throw new Error(`The loss of ${method.name} returns no new value for its memory "${name}".`);
    outputs[`newMemory:${name}`] = value;
  }
  return outputs;
}

/** The method's memory after a step, out of a program's outputs. */
export const newMemory = (
  method: BoundMethod,
  outputs: Readonly<Record<string, { readonly data: ArrayLike<number | bigint> }>>,
): Record<string, number> =>
  Object.fromEntries(Object.keys(method.memory).map((name) => [name, Number(outputs[`newMemory:${name}`]!.data[0])]));

/** `scale:i` is the factor of term i: one over its count in the whole step. */
export const seedsOf = (loss: Loss): { of: Tensor; derivative: Tensor }[] =>
  loss.terms.map((term, i) => ({ of: term.sum, derivative: input(`scale:${i}`, []) }));

/** Gives `count:i` and `metricCount:name`; needs no model, so the counts of an optimizer step are known before its first pass. */
export function countsProgram(method: BoundMethod, loss: Loss): Program {
  const outputs: Record<string, Tensor> = {};
  loss.terms.forEach((term, i) => (outputs[`count:${i}`] = term.count));
  for (const [name, metric] of Object.entries(loss.metrics)) if ('count' in metric) outputs[`metricCount:${name}`] = metric.count;
  const program = lower(outputs);
  const reads = program.inputs.find(({ name }) => !/^(mask:|column:|tokens:|one$)/.test(name));
  if (reads !== undefined)
    throw new Error(`${method.name}: a count depends on ${reads.name}; a loss is divided by what its rows say, not by what a model does.`);
  return program;
}

/** A method's loss over readings that are fed: `logp:<name>`, `entropy:<name>`, `score:<head>:<name>`, `value:<head>:<name>`. */
export interface LossProgram {
  /**
   * What `sumsOf` names; with derivatives also `d:<reading>` of each reading that the loss depends on, for which
   * `scale:i` is fed.
   */
  readonly program: Program;
  readonly counts: Program;
  readonly terms: number;
  readonly metrics: readonly string[];
}

export function traceLoss(method: BoundMethod, { derivatives }: { readonly derivatives: boolean }): LossProgram {
  const leaves: Record<string, Tensor> = {};
  const leaf = (name: string, shape: Dim[]): Tensor => (leaves[name] = input(name, shape));
  const loss = method.loss(traceScored(method, {
    logp: (name) => leaf(`logp:${name}`, tokensShape(method, name)),
    entropy: (name) => leaf(`entropy:${name}`, tokensShape(method, name)),
    score: (head, name) => leaf(`score:${head}:${name}`, scoresShape(method, head, name)),
    value: (head, name) => leaf(`value:${head}:${name}`, tokensShape(method, name)),
  }));
  const outputs = sumsOf(method, loss);
  if (derivatives) {
    const d = gradient(seedsOf(loss), Object.values(leaves));
    Object.keys(leaves).forEach((name, i) => d[i] !== undefined && (outputs[`d:${name}`] = d[i]));
  }
  return { program: lower(outputs), counts: countsProgram(method, loss), terms: loss.terms.length, metrics: Object.keys(loss.metrics) };
}

/** Which readings a loss reads, and which it has a derivative by. */
export function readingsOf({ program }: LossProgram): { readonly reads: ReadonlySet<string>; readonly learns: ReadonlySet<string> } {
  return {
    reads: new Set(program.inputs.flatMap(({ name }) => (/^(logp|entropy|score|value):/.test(name) ? [name] : []))),
    learns: new Set(program.outputs.flatMap(({ name }) => (name.startsWith('d:') ? [name.slice(2)] : []))),
  };
}
