/** Every benchmark that a recipe can name. Adding one is a file and a line here. */
import { z } from 'zod';
import { gsm8k } from './gsm8k.js';
import { hellaswag } from './hellaswag.js';
import { mmlu } from './mmlu.js';
import { arc, commonsenseqa } from './multiple-choice.js';
import type { ItemsOptions } from './options.js';
import { rated } from './rated.js';
import { rouge } from './rouge.js';
import type { AnyTask } from './task.js';
import { truthfulqaMc1, truthfulqaMc2 } from './truthfulqa.js';
import { xstest } from './xstest.js';

const ALL: readonly AnyTask[] = [mmlu, arc, hellaswag, truthfulqaMc1, truthfulqaMc2, commonsenseqa, gsm8k, rouge, xstest, rated];

/** The benchmarks by the names that recipes give them. */
export const TASKS: ReadonlyMap<string, AnyTask> = new Map(ALL.map((task) => [task.name, task]));

/** One of `tasks:` of a recipe: which benchmark, its items and its own options. */
export interface TaskOptions {
  readonly task: string;
  readonly data: ItemsOptions;
  readonly shots?: number;
  readonly dev?: ItemsOptions;
  readonly applyChatTemplate?: boolean;
  readonly maxNewTokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
}

type Section = z.ZodType<TaskOptions> & z.core.$ZodTypeDiscriminable;

/** The schema of one of `tasks:`. */
export const TaskOptions: z.ZodType<TaskOptions> =
  z.discriminatedUnion('task', ALL.map(({ options }) => options) as unknown as [Section, ...Section[]]);
