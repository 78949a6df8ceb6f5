/** What memory a model takes that writes, foreseen before it does. */
import { type Engine, type HostTensor, type Program, input, lower, predictPeak, sym } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { AdapterPlan } from '../model/adapter.js';
import type { Checkpoint } from '../model/checkpoint/open.js';
import { isPacked } from '../model/checkpoint/stored-tensor.js';
import { traceDecode } from '../model/decode.js';
import type { Architecture, Weights } from '../model/decoder.js';
import { asIfRounded, hasCodes } from '../model/quantize.js';
import { ropeFeed } from '../model/rope.js';
import { frozenWeights, mergedInputs, packedWeights } from '../model/weights.js';
import { NODE_BYTES, PROCESS_BYTES, availableMemory, memoryLimit } from '../run/memory.js';
import { size } from '../run/numbers.js';
import type { Precision } from '../run/precision.js';
import { traceChoice } from './choose.js';
import { isSmall } from './generator.js';
import { AHEAD, prefillGroups } from './slots.js';

/** The parts of writing that its memory depends on. */
export interface WritingSetup {
  readonly model: { readonly checkpoint: Checkpoint; readonly architecture: Architecture };
  /** Of the adapter, where there is one. */
  readonly plan?: AdapterPlan | undefined;
  readonly precision?: Precision | undefined;
  /** Most sequences at a time. */
  readonly batch: number;
  /** Tokens of each prompt, once for each answer to it; at least one. */
  readonly prompts: readonly number[];
  readonly maxNewTokens: number;
}

/** Predicted bytes. `weights` are mapped from files and can be read again from there; all else must stay in memory. */
export interface WritingMemory {
  readonly resident: number;
  readonly weights: number;
  /** What `resident` is made of. */
  readonly parts: Readonly<Record<'process' | 'packed' | 'adapter' | 'cache' | 'activations', number>>;
}

/** Predicts the peak memory of answering: the longest prompts at a time, and answers of full length. */
export function predictWriting(setup: WritingSetup): WritingMemory {
  const { model: { architecture, checkpoint: given }, plan, precision, batch, prompts, maxNewTokens } = setup;
  const checkpoint = (precision === 'int8' || precision === 'int4' ? asIfRounded(given, precision) : undefined) ?? given;
  const { layers, keyHeads, heads, headSize, vocabulary, context } = architecture;
  const longest = [...prompts].sort((a, b) => b - a).slice(0, batch);
  const slots = longest.length;
  const length = Math.min(context, 64 * Math.ceil((longest[0]! + Math.min(maxNewTokens, AHEAD)) / 64));

  const packed = hasCodes(checkpoint);
  const inFloats = (): Weights => (plan === undefined ? frozenWeights(checkpoint) : mergedInputs(checkpoint, plan));
  const weights = packed ? packedWeights(checkpoint, { plan }) : inFloats();
  const { logits, caches } = traceDecode(architecture, weights);
  const { folder } = checkpoint;
  const program = lower({ logits, ...caches }, { folder });
  const rope = ropeFeed(architecture)(Math.max(length, 512)) as Record<string, HostTensor>;
  const tables = Object.fromEntries(Object.entries(rope).map(([name, { shape }]) => [name, shape]));
  const peak = (of: Program, n: number, steps: number, read: number): number => predictPeak(of, {
    ...tables, ids: [n, steps], positions: [1, n * steps], lengths: [n], longest: [1], read: [read],
    pastKey0: [n, keyHeads, length, headSize],
    // The kernel's own: a score for each new position at each place of the cache.
  }).peak + 4 * n * heads * steps * length;
  const group = prefillGroups(longest, (tokens) => tokens).at(-1)!;
  const filling = peak(packed ? lower(caches, { folder }) : program, group.length, group.at(-1)!, 0);
  const stepping = peak(program, slots, 1, slots);
  const choice = lower(traceChoice(input('logits', [sym('B'), vocabulary]), { kind: 'sample' }));
  const choosing = predictPeak(choice, { logits: [slots, vocabulary] }).peak;
  const nodes = program.model.nodes.length * (packed ? 2 : 1) + choice.model.nodes.length;
  const parts = {
    process: PROCESS_BYTES + NODE_BYTES * nodes,
    packed: packedBytes(checkpoint, packed ? undefined : plan),
    adapter: plan === undefined ? 0 : adapterBytes(plan, packed),
    cache: 2 * 4 * layers * slots * keyHeads * length * headSize,
    // In codes one program fills caches, and another steps.
    activations: 4 * batch * vocabulary + choosing + (packed ? filling + stepping : Math.max(filling, stepping)),
  };
  return {
    parts,
    resident: Object.values(parts).reduce((a, b) => a + b, 0),
    // What float32 was packed of is let go of.
    weights: [...checkpoint.tensors.values()].reduce((sum, tensor) => sum + tensor.length, 0) - (packed ? 0 : parts.packed),
  };
}

/** The copy of matrices that kernels read while they step: of codes, and of a small model's float32. */
function packedBytes(checkpoint: Checkpoint, merged: AdapterPlan | undefined): number {
  let bytes = 0;
  for (const tensor of checkpoint.tensors.values()) {
    const { name, shape, length } = tensor;
    if (shape.length !== 2 || merged?.modules.has(name.replace(/\.weight$/, ''))) continue;
    const isCopied = name.includes('.layers.') && (isPacked(tensor) || (tensor.dtype === 'float32' && isSmall(checkpoint)));
    if (isCopied) bytes += isPacked(tensor) ? length + (4 * tensor.shape[0] * tensor.shape[1]) / tensor.block : length;
  }
  return bytes;
}

/** In float32 an adapter is merged, which makes a copy of the modules it is on; it lies beside codes. */
function adapterBytes({ size: parameters, modules }: AdapterPlan, packed: boolean): number {
  if (packed) return 2 * 4 * parameters;
  const sizes = [...modules.values()].map(({ inputs, outputs }) => 4 * inputs * outputs);
  return 4 * parameters + sizes.reduce((a, b) => a + b, 0) + 2 * Math.max(...sizes);
}

/** What can be changed where memory does not suffice: what stands before the value, as in `--max-tokens ` or `precision=`. */
export type WritingWays = Partial<Record<'maxNewTokens' | 'batch' | 'precision', string>>;

/**
 * `requireWritingMemory` where the processor answers: what a GPU has is not known, and one that runs out says so itself.
 *
 * @throws UserError as it does
 */
export function foreseeWriting(
  { device }: Pick<Engine, 'device'>, setups: readonly WritingSetup[], ways: WritingWays, say: (line: string) => void = () => undefined,
): void {
  if (device.kind === 'cpu' && setups.every(({ prompts }) => prompts.length > 0)) requireWritingMemory(setups, ways, say);
}

/**
 * Refuses what the machine cannot hold even without the weights, which can be read again from their files; says where they find no room
 * now.
 *
 * @param setups One for each generator that is open at the same time.
 * @param ways What the user can change, and how; a refusal says what would fit.
 * @throws UserError naming the settings that would fit
 */
export function requireWritingMemory(
  setups: readonly WritingSetup[], ways: WritingWays, say: (line: string) => void,
  available: number = availableMemory(), capacity: number = memoryLimit(),
): void {
  const needs = (change: Partial<WritingSetup>): Pick<WritingMemory, 'resident' | 'weights'> => {
    const all = setups.map((setup) => predictWriting({ ...setup, ...change }));
    const shared = (all.length - 1) * all[0]!.parts.process;
    return { resident: all.reduce((sum, { resident }) => sum + resident, 0) - shared, weights: all[0]!.weights };
  };
  const { resident, weights } = needs({});
  if (resident <= capacity) {
    if (resident + weights > available) {
      say(`memory: about ${size(resident)} and the weights, ${size(weights)}, of which ${size(available)} is available: `
        + 'weights that find no room are read from the disk again at every token');
    }
    return;
  }
  const { maxNewTokens, batch, precision = 'f32', model } = setups[0]!;
  const halves = (of: number): number[] => (of < 2 ? [] : [Math.floor(of / 2), ...halves(Math.floor(of / 2))]);
  const changes: Record<keyof WritingWays, readonly (readonly [value: string, change: Partial<WritingSetup>])[]> = {
    maxNewTokens: halves(maxNewTokens).map((n) => [String(n), { maxNewTokens: n }]),
    batch: halves(batch).map((n) => [String(n), { batch: n }]),
    precision: precision === 'f32' && asIfRounded(model.checkpoint, 'int4') !== undefined ? [['int4', { precision: 'int4' }]] : [],
  };
  const hints = Object.entries(ways).flatMap(([what, before]) => {
    const tried = changes[what as keyof WritingWays].map(([value, change]) => ({ value, ...needs(change) }));
    const found = tried.find((one) => one.resident <= capacity);
    return found === undefined ? [] : [`${before}${found.value} would need about ${size(found.resident)}.`];
  });
  throw new UserError(
    `Answering needs about ${size(resident)} of memory beside the weights, and the machine has ${size(capacity)}.`,
    hints.length > 0 ? hints : ['No setting makes it fit: shorten the prompts, or take a smaller model.'],
  );
}
