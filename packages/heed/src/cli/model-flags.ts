/** Options of the verbs that run a model: which model, and how its tokens are chosen. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { UserError } from '../errors.js';
import type { SamplingOptions } from '../generate/options.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import { PRECISIONS, type Precision } from '../run/precision.js';
import { DEVICES } from '../run/devices.js';
import type { ModelFlags } from './base.js';
import type { Output } from './output.js';

export type { ModelFlags };

export interface PrecisionFlag {
  readonly precision: Precision;
}

/** The sampler's options under the names of the flags. */
export interface SamplingFlags extends Omit<SamplingOptions, 'maxNewTokens' | 'top'> {
  readonly maxTokens: number;
}

/** Reads an option's value as a number. The option's user checks its range. */
export function number(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

/** @throws UserError where a flag's value is not a whole number from `least` on */
export function requireWhole(flag: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least)) throw new UserError(`${flag} is ${value}; expected a whole number, at least ${least}.`);
}

/** Adds --model, --adapter and --template. */
export function modelFlags(command: Command): Command {
  return command
    .option('--model <model>', 'a folder, a .gguf file or a hub id (default: the base of the adapter; without one, the default model)')
    .option('--adapter <folder>', 'an adapter for it: the folder of a run, or one that PEFT wrote')
    .addOption(
      new Option('--template <name>', "how messages become tokens (default: as in the adapter's run, else the model's own chat template)")
        .choices(['chat', 'alpaca']),
    );
}

/** --precision, for verbs that let a model write and measure nothing. */
export const precisionFlag = (): Option =>
  new Option(
    '--precision <name>',
    'what the weights are in memory; gguf: the codes of a GGUF file; int8, int4: rounded once. All are faster at few prompts and ' +
      "near the model's own numbers",
  ).choices(PRECISIONS).default('f32');

export interface DeviceFlag {
  readonly device?: (typeof DEVICES)[number];
}

/** --device, for verbs that run a model without a recipe. */
export const deviceFlag = (): Option =>
  new Option('--device <name>', 'what computes: auto takes a GPU where there is one (default: what HEED_DEVICE says, else cpu)')
    .choices(DEVICES);

/** Adds the options of sampling, with these defaults. */
export function samplingFlags(command: Command, { maxTokens, temperature }: Pick<SamplingFlags, 'maxTokens' | 'temperature'>): Command {
  return command
    .option('--temperature <t>', '0 takes the likeliest token', number, temperature)
    .option('--max-tokens <n>', 'most tokens of an answer', number, maxTokens)
    .option('--top-k <k>', 'sample from the k likeliest tokens', number)
    .option('--top-p <p>', 'sample from the likeliest tokens that have this probability together', number)
    .option('--min-p <p>', "sample from tokens that have this fraction of the likeliest token's probability", number)
    .option('--repetition-penalty <x>', 'above 1: make tokens that occurred less likely', number)
    .option('--stop <text...>', 'texts that end an answer')
    .option('--seed <n>', 'names the random numbers', number, 0);
}

const FLAGS: Readonly<Record<string, string>> = {
  maxNewTokens: '--max-tokens', temperature: '--temperature', topK: '--top-k', topP: '--top-p', minP: '--min-p',
  repetitionPenalty: '--repetition-penalty', stop: '--stop', seed: '--seed',
};

/** The options as the sampler takes them. @throws UserError naming the option that is out of its range. */
export async function samplingOf(flags: SamplingFlags): Promise<SamplingOptions> {
  const { checkOptions } = await import('../generate/options.js');
  const { maxTokens, temperature, topK, topP, minP, repetitionPenalty, stop, seed } = flags;
  const options: SamplingOptions = { maxNewTokens: maxTokens, temperature, topK, topP, minP, repetitionPenalty, stop, seed };
  try {
    checkOptions(options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // Users of the command line know the options by their flags.
    throw new UserError(error.message.replace(/^\w+/, (name) => FLAGS[name] ?? name), error.hints);
  }
  return options;
}

/** A model, and the adapter on it where one is named. */
export interface AdaptedModel {
  readonly model: Model;
  readonly adapter?: Adapter;
}

/** Loads the adapter that the flags name, and the model: the one that they name, else the adapter's base. */
export async function loadAdaptedModel(
  { adapter: folder, ...flags }: ModelFlags & Partial<PrecisionFlag>, out: Output,
): Promise<AdaptedModel> {
  const [{ loadBase }, { loadAdapter }] = await Promise.all([import('./base.js'), import('../model/peft.js')]);
  const { model } = await loadBase(flags, folder === undefined ? [] : [folder], out);
  return folder === undefined ? { model } : { model, adapter: await loadAdapter(folder, model.checkpoint) };
}
