import { type Engine, startEngine } from '@heed/tensor';
import type { z } from 'zod';
import type { Respondent } from './respondent.js';

/** What a judge may use while it is open. */
export interface JudgeTools {
  /** What models run on. Default: an engine of the judge's own, which closes with it. */
  readonly engine?: Engine;
  /** Takes a line for people: what was loaded or chosen. */
  readonly log?: (line: string) => void;
}

/** A kind of judge that answers questions: what a recipe may say of it, and how it is opened. */
export interface JudgeDefinition<Options = never> {
  /** Its key in a section `judge:`. */
  readonly name: string;
  /** What stands under that key. */
  readonly options: z.ZodType<Options>;
  /** The options for people, in a few words; default: the name alone. */
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

/** A model for people: which one, what it computes with, and its adapter. */
export function describeModel(
  { model, adapter, precision }: { readonly model?: string; readonly adapter?: string; readonly precision?: string },
): string {
  const int8 = precision === 'int8' ? ['in int8'] : [];
  return [model ?? 'the default model', ...int8, ...(adapter === undefined ? [] : [`with ${adapter}`])].join(' ');
}

/** Makes something on the given engine, or on one that closes with it. */
export async function withEngine<T extends { close(): Promise<void> }>(
  { engine }: JudgeTools, make: (engine: Engine) => Promise<T>,
): Promise<T> {
  if (engine !== undefined) return make(engine);
  const own = await startEngine();
  try {
    const made = await make(own);
    return {
      ...made,
      async close() {
        await made.close();
        await own.close();
      },
    };
  } catch (error) {
    await own.close();
    throw error;
  }
}
