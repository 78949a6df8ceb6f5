/** `heed evaluate recipes/eval-<name>.yaml`. */
import { z } from 'zod';
import { DEFAULT_STORE } from '../label/recipe.js';
import { ClusterOptions } from '../run/cluster.js';
import { PRECISIONS } from '../run/precision.js';
import { DeviceOption, RunOptions, TemplateOption } from '../run/recipe-schemas.js';
import { TaskOptions } from './tasks/index.js';

const NAME = /^[A-Za-z][\w-]*$/;

const Tasks = z.record(z.string(), TaskOptions).superRefine((tasks, context) => {
  const names = Object.keys(tasks);
  if (names.length === 0) context.addIssue({ code: 'custom', message: 'expected one task or more: { mmlu: { task: mmlu, data: FILE } }' });
  for (const name of names) {
    const add = (message: string, ...path: string[]): void => context.addIssue({ code: 'custom', path: [name, ...path], message });
    if (!NAME.test(name)) add('expected a name of letters, digits, _ and -, with a letter first');
    const { shots = 0, dev } = tasks[name]!;
    if (shots > 0 && dev === undefined) add(`is missing: ${shots} shots are taken from its rows. Without any: shots: 0`, 'dev');
    if (shots === 0 && dev !== undefined) add('has no use with shots: 0; say how many, or leave it out', 'dev');
  }
});

/** A recipe of `heed evaluate`: a model, with an adapter beside it or without, on benchmarks. */
export const BenchmarkRecipe = z.strictObject({
  /** A folder, a `.gguf` file, a hub id, or the name of a known model. */
  model: z.string().min(1).default('SmolLM2-135M-Instruct'),
  /** The folder of an adapter. Model and adapter are both measured, and what the adapter changes, item by item. */
  adapter: z.string().min(1).optional(),
  template: TemplateOption,
  /** What the frozen matrices are in memory. */
  precision: z.enum(PRECISIONS).default('f32'),
  device: DeviceOption,
  /** Benchmarks, by names of the user's own. */
  tasks: Tasks,
  /** Where the replies of a respondent behind a reward are kept. */
  store: z.string().min(1).default(DEFAULT_STORE),
  /** Where the model answers: `local:N`, `ray://HOST` (docs/scale.md). Default: in this process. */
  cluster: ClusterOptions.nullish(),
  run: RunOptions,
});
export type BenchmarkRecipe = z.infer<typeof BenchmarkRecipe>;
