import type { Engine } from '@heed/tensor';
import type { z } from 'zod';
import { openDeviceEngine } from '../model/device.js';
import type { Respondent } from './respondent.js';

/** What a judge is given when it is opened. */
export interface JudgeTools {
  /** The engine that models run on. Default: an engine of the judge's own, which closes with the judge. */
  readonly engine?: Engine;
  /** Prints a line for people: what was loaded or chosen. */
  readonly log?: (line: string) => void;
  /** The time that a chat template prints which asks for it. Default: the time of each rendering. */
  readonly now?: () => Date;
}

/** A kind of judge that answers questions: its options in a recipe, and how it is opened. */
export interface JudgeDefinition<Options = never> {
  /** The key in a section `judge:`. */
  readonly name: string;
  /** The schema of the options under that key. */
  readonly options: z.ZodType<Options>;
  /** Describes the options for people in a few words. Default: the judge's name alone. */
  describe?(options: Options): string;
  /** @throws UserError where the judge cannot be opened */
  open(options: Options, tools: JudgeTools): Promise<Respondent>;
}

/** Defines a kind of judge that answers questions. */
export const defineJudge = <Schema extends z.ZodType>(
  definition: JudgeDefinition<z.output<Schema>> & { readonly options: Schema },
): JudgeDefinition<z.output<Schema>> & { readonly options: Schema } => definition;

/** Whether a value of a user's module is a judge's definition. */
export const isJudgeDefinition = (value: unknown): value is JudgeDefinition<unknown> =>
  typeof value === 'object' && value !== null && 'open' in value && typeof value.open === 'function'
  && 'name' in value && typeof value.name === 'string' && 'options' in value && typeof value.options === 'object';

/** Describes a model for people: its name, its precision and its adapter. */
export function describeModel(
  { model, adapter, precision }: { readonly model?: string; readonly adapter?: string; readonly precision?: string },
): string {
  const rounded = precision === undefined || precision === 'f32' ? [] : [`in ${precision}`];
  return [model ?? 'the default model', ...rounded, ...(adapter === undefined ? [] : [`with ${adapter}`])].join(' ');
}

/** Makes something on the given engine. Without one, starts an engine that closes with what was made. */
export async function withEngine<T extends { close(): Promise<void> }>(
  { engine }: JudgeTools, make: (engine: Engine) => Promise<T>,
): Promise<T> {
  if (engine !== undefined) return make(engine);
  const own = await openDeviceEngine();
  try {
    const made = await make(own);
    return {
      ...made,
      async close() {
        try {
          await made.close();
        } finally {
          await own.close();
        }
      },
    };
  } catch (error) {
    await own.close();
    throw error;
  }
}
