/** `heed control recipes/controller.yaml`. */
import { z } from 'zod';
import { ActionsOptions } from '../../control/actions.js';
import { DataOptions } from '../../data/load.js';
import { DEFAULT_STORE } from '../../label/recipe.js';
import { RewardOptions } from '../../reward/options.js';
import { PRECISIONS } from '../../run/precision.js';
import { DeviceOption, RunOptions, TemplateOption } from '../../run/recipe-schemas.js';

const count = z.int().min(1);
const NAME = /^[A-Za-z][\w-]*$/;

/** What the model is to do well, and what says how well it did. */
const Task = z.strictObject({
  /** Prompts to learn on, and to choose the best fixed action on. */
  data: DataOptions,
  /** What rates the answers. */
  reward: RewardOptions,
  /** Prompts held out, which the controller is measured on. */
  heldOut: DataOptions,
});

const Tasks = z.record(z.string(), Task).superRefine((tasks, context) => {
  const names = Object.keys(tasks);
  if (names.length === 0) context.addIssue({ code: 'custom', message: 'expected one task or more: { style: { data, reward, heldOut } }' });
  for (const name of names) {
    const add = (message: string, ...path: string[]): void => context.addIssue({ code: 'custom', path: [name, ...path], message });
    if (!NAME.test(name)) add('expected a name of letters, digits, _ and -, with a letter first');
    for (const key of ['data', 'heldOut'] as const) {
      if (tasks[name]![key].eval !== undefined) add('prompts held out are named by heldOut; leave it out', key, 'eval');
    }
  }
});

/** A recipe of `heed control`: a small network learns which sampling options suit which prompt; the language model stays as it is. */
export const ControlRecipe = z.strictObject({
  /** A folder, a `.gguf` file, a hub id, or the name of a known model. */
  model: z.string().min(1).default('SmolLM2-135M-Instruct'),
  /** The folder of an adapter that the model wears. */
  adapter: z.string().min(1).optional(),
  template: TemplateOption,
  /** What the frozen matrices are in memory. */
  precision: z.enum(PRECISIONS).default('f32'),
  device: DeviceOption,
  /** Tasks by name, each with prompts and a reward of its own. With several the controller is told which task a prompt is of. */
  tasks: Tasks,
  /** The ways of drawing tokens among which the controller chooses, by name. */
  actions: ActionsOptions,
  /** Where the replies of a respondent behind a reward are kept. */
  store: z.string().min(1).default(DEFAULT_STORE),
  /** The share of a round's answers that may get no rating before the run stops. */
  allowedFailures: z.number().min(0).max(1).default(0.05),
  generate: z.strictObject({
    /** Most tokens of an answer. */
    maxNewTokens: count.default(96),
    /** Prompts of a round, in shuffled passes over all. */
    prompts: count.default(16),
    /** Answers to each prompt, each with an action of its own; they are compared with each other. */
    samples: z.int().min(2).default(8),
  }).prefault({}),
  /** Every action on a part of each task's prompts, before anything is learnt: the best fixed action, and what choosing could gain. */
  grid: z.strictObject({
    /** The share of each task's prompts that is kept for it. */
    prompts: z.number().gt(0).lt(1).default(0.3),
    /** Answers of each action to each of them. */
    samples: z.int().min(2).default(4),
  }).prefault({}),
  learn: z.strictObject({
    /** Rounds of answer → rate → learn. */
    rounds: count.default(40),
    /** Adam steps on a round's answers. */
    epochs: count.default(4),
    learningRate: z.number().positive().default(3e-3),
    /** Weight of the policy's entropy in the first round; it falls to 0 along a line. */
    entropy: z.number().min(0).default(0.01),
    /** Tokens after which the controller chooses again, by the answer so far. Left out: it chooses once for each answer. */
    segment: count.optional(),
    /** Widths of the tanh layers. */
    hidden: z.array(count).min(1).default([64, 64]),
    /** Principal components of the hidden state that the network sees. */
    components: count.default(32),
    /** The probability of the best fixed action before anything is learnt; the others share the rest. */
    prior: z.number().gt(0).lt(1).default(0.7),
    /** A folder with an earlier controller to begin from, such as one that Reptile made: its encoder, its network, the same actions. */
    from: z.string().min(1).optional(),
    /**
     * Reptile over the tasks: so many rounds on one task, then the initialisation moves by `rate` of the way that they led, and the next
     * task is taken. What is saved is an initialisation for new tasks.
     */
    reptile: z.strictObject({ rounds: count.default(4), rate: z.number().gt(0).max(1).default(0.5) }).optional(),
    /** Names every random stream of the run. */
    seed: z.int().min(0).default(0),
  }).prefault({}),
  /** Answers to each held-out prompt of every policy that is compared. */
  evaluate: z.strictObject({ samples: count.default(4) }).prefault({}),
  run: RunOptions,
}).superRefine(({ tasks, learn: { reptile, rounds } }, context) => {
  const add = (message: string, ...path: string[]): void => context.addIssue({ code: 'custom', path: ['learn', ...path], message });
  if (reptile === undefined) return;
  if (Object.keys(tasks).length < 2) add('takes several tasks by turns; name two or more under tasks, or leave it out', 'reptile');
  if (rounds % reptile.rounds !== 0) add(`expected a multiple of learn.reptile.rounds, which is ${reptile.rounds}`, 'rounds');
});
export type ControlRecipe = z.infer<typeof ControlRecipe>;

/** Keys of the recipe that may differ when a run goes on. */
export const CONTROL_FREE: readonly string[] = ['allowedFailures'];

/** Names of files that a run writes besides those of every run. */
export const CONTROL_FILES = ['controller'] as const;
