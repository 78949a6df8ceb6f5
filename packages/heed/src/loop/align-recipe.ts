import { z } from 'zod';
import { DataOptions } from '../data/load.js';
import { JudgeOptions, keysThatMayDiffer } from '../judge/options.js';
import { JudgmentsOptions } from '../label/judgments.js';
import { RevisionsOptions } from '../label/revisions.js';
import { DEFAULT_STORE } from '../label/recipe.js';
import { METHODS, type Methods, methodOptions } from '../method/index.js';
import { REWARDS } from '../reward/index.js';
import { RewardOptions, RewardsOptions, rewardKindOf, rewardOfJudge } from '../reward/options.js';
import { withModuleOptions } from '../reward/module-options.js';
import type { LoadedRecipe } from '../run/recipe.js';
import { Sampling, TemplateOption, sharedSections } from '../run/recipe-schemas.js';
import { AdversaryOptions } from './adversary.js';
import { ConstraintOptions } from './constraints.js';
import { CreditOptions } from './credit.js';
import { loadRecipeWithMethod } from './method-of.js';
import { AlignRowsOptions } from './rows-recipe.js';
import { SAMPLER_FREE, SamplerOptions } from './sampler/options.js';
import { WatchOptions } from './watch.js';

/** Judges that answer questions, and say in words what is wrong. */
const ASKED = ['local', 'endpoint', 'human'] as const;

const shape = (methods: Methods) => z.strictObject({
  ...sharedSections,
  template: TemplateOption,
  /** Prompts that the model answers in every round; with `rows: { make: self-play }` conversations, whose last turn is a demonstration. */
  data: DataOptions,
  /** What rates the answers: `rules:FILE`, `./FILE.ts#NAME`, or a section with one kind of reward (`REWARDS`). */
  reward: RewardOptions.optional(),
  /** In place of `reward`: several by name, each with a weight. The answer's value is their weighted sum. */
  rewards: RewardsOptions.optional(),
  /** How much each of `rewards` counts: a file that `heed fit-rewards` wrote. */
  weights: z.string().min(1).optional(),
  /** In place of `reward`: `rules:FILE`, a section `rewardModel`, or with `label` a judge that writes judgments: local, endpoint, human. */
  judge: JudgeOptions.optional(),
  /** What a judge is asked, as in `heed label`: for judgments that rate the answers, or for revisions that are preferred to them. */
  label: z.discriminatedUnion('name', [JudgmentsOptions, RevisionsOptions]).optional(),
  /** Where the replies of a judge are kept: a libSQL file or the address of a server. Default: runs/labels.db, as `heed label` has it. */
  store: z.string().min(1).optional(),
  /** The share of a round's answers that may get no rating, for whatever reason, before the run stops. */
  allowedFailures: z.number().min(0).max(1).default(0.05),
  /**
   * How answers become rows (pairs with a least gap, the best of n, pairs with demonstrations), or parts of the rows that the model then
   * writes: refinements of what was judged, positives beside bad answers.
   */
  rows: AlignRowsOptions.nullish(),
  /**
   * In place of `reward`, or beside it: a critic that learns to tell demonstrations from the policy's answers, while the policy learns to
   * pass. `data` is then as with self-play.
   */
  adversary: AdversaryOptions.optional(),
  /** Costs whose mean is to stay at a limit or below; taken off the rewards, each with a weight that is learnt. */
  constraints: z.array(ConstraintOptions).min(1)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two constraints have one name').optional(),
  method: methodOptions(methods),
  generate: z.strictObject({
    ...Sampling,
    /** Prompts that a round answers. Default: all of them; of a method that learns from rollouts 8, in shuffled passes over all. */
    prompts: z.int().min(1).optional(),
    /** Answers to each prompt: of a method that learns from rollouts, its group. */
    samples: z.int().min(1).default(1),
    /** Servers that answer in place of the engine, with the policy's adapter of each round. */
    endpoint: SamplerOptions.optional(),
  }).prefault({}),
  loop: z.strictObject({
    /** Rounds of generate → rate → train. */
    iterations: z.int().min(1).default(3),
    /** Each round starts the optimizer and its schedule anew, as the CUT paper does; false: both go on over the rounds. */
    fresh: z.boolean().default(false),
  }).prefault({}),
  /** Which tokens of an answer get its reward, of a method that learns from rollouts. */
  credit: CreditOptions.prefault({}),
  /** What to do about signs that the reward rises for another reason than better answers. */
  watch: WatchOptions.prefault({}),
  /** Prompts held out, answered and rated before and after. */
  evaluate: z.strictObject({
    prompts: z.string().min(1),
    /** What rates the answers. Default: `reward` or `rewards`, where those are rules or functions. A model may not rate what it taught. */
    reward: RewardOptions.optional(),
    /** In place of `reward`: `rules:FILE` or a section `rewardModel`. */
    judge: JudgeOptions.optional(),
    ...Sampling,
    temperature: z.number().min(0).default(0),
    limit: z.int().min(1).optional(),
  }),
});
type Given = z.infer<ReturnType<typeof shape>>;

/** The sections that say what rates answers. */
const SECTIONS = ['reward', 'rewards', 'judge', 'evaluate'];

const alignRecipe = (methods: Methods) => shape(methods)
  .superRefine((recipe, context) => {
    // A section with a fault of its own is reported by its schema; nothing more can be checked here.
    if (context.issues.some(({ path }) => SECTIONS.some((name) => path?.[0] === name))) return;
    for (const [path, message] of problemsOf(recipe)) context.addIssue({ code: 'custom', path, message, input: undefined });
  })
  .transform((recipe) => ({
    ...recipe,
    ...(asksSomeone(recipe) && { store: recipe.store ?? DEFAULT_STORE }),
    evaluate: withReward(recipe),
  }));

/** A recipe of `heed align` with one of Heed's methods: generate → rate → train, round after round. */
export const AlignRecipe = alignRecipe(METHODS);
export type AlignRecipe = z.infer<typeof AlignRecipe>;

/** Reads a recipe of `heed align`; its method and its rewards may be a user's own. @throws UserError as `loadRecipeWithMethod` does */
export const loadAlignRecipe = async (file: string, overrides: readonly string[]): Promise<LoadedRecipe<AlignRecipe>> =>
  withModuleOptions(await loadRecipeWithMethod(file, overrides, alignRecipe));

type Teacher = Pick<Given, 'reward' | 'rewards' | 'weights' | 'judge' | 'label' | 'rows'>;

/** One reward, or several that are summed. */
export type RatedBy = RewardOptions | { readonly rewards: RewardsOptions; readonly weights?: string };

/** Whether demonstrations teach, and no answer is rated. */
export const selfPlays = ({ rows }: Pick<Given, 'rows'>): boolean => rows?.make === 'self-play';

/** What rates the answers of a round; undefined where demonstrations, revisions or a critic alone teach. */
export const rewardOf = ({ reward, rewards, weights, judge, label, rows }: Teacher): RatedBy | undefined => {
  if (selfPlays({ rows }) || label?.name === 'revisions') return undefined;
  if (rewards !== undefined) return { rewards, weights };
  return reward ?? (judge && rewardOfJudge(judge, label));
};

/** What rates the held-out answers. */
export const heldOutRewardOf = (recipe: Teacher & Pick<Given, 'evaluate'>): RatedBy => {
  const { reward, judge } = recipe.evaluate;
  if (reward !== undefined) return reward;
  // Where nothing rates the answers of a round, `evaluate` says what rates the held-out ones.
  return judge === undefined ? rewardOf(recipe)! : rewardOfJudge(judge);
};

/** The section `evaluate` with the one reward that it takes over from the loop; several are summed, and stay where they are. */
function withReward(recipe: Given): Given['evaluate'] {
  const { evaluate } = recipe;
  const taught = evaluate.reward === undefined && evaluate.judge === undefined ? rewardOf(recipe) : undefined;
  return taught === undefined || (typeof taught === 'object' && 'rewards' in taught) ? evaluate : { ...evaluate, reward: taught };
}

type Problem = [path: string[], message: string];

function problemsOf(recipe: Given): Problem[] {
  const { data, rows, evaluate } = recipe;
  const problems: Problem[] = [];
  if (data.ties !== undefined) problems.push([['data', 'ties'], 'answers are rated one by one, so none is a tie; leave it out']);
  if (data.eval !== undefined) problems.push([['data', 'eval'], 'prompts held out are named by evaluate.prompts; leave it out']);
  if (data.shuffle === false)
    problems.push([['data', 'shuffle'], 'is false, and a round draws and learns in an order of its own; leave it out']);
  if (rows && 'every' in rows && rows.every !== 0) problems.push([['rows', 'every'], 'every round makes its rows anew; leave it out']);
  if (recipe.weights !== undefined && recipe.rewards === undefined)
    problems.push([['weights'], 'are those of several rewards, and there is no section rewards; leave it out']);
  const { rewards = {}, adversary } = recipe;
  const entries = Object.values(rewards);
  if (adversary === undefined && entries.length > 0 && entries.every((one) => typeof one !== 'string' && one.weight === 0))
    problems.push([['rewards'], 'every weight is 0: such rewards are logged, and nothing teaches; give one of them another weight']);
  problems.push(...problemsOfUnrated(recipe), ...problemsOfAdversary(recipe));
  if (selfPlays(recipe)) return problems;
  const [first, second] = (['reward', 'rewards', 'judge'] as const).filter((key) => recipe[key] !== undefined);
  if (first === undefined && recipe.adversary === undefined) {
    problems.push([['reward'], 'is missing; say what rates the answers, such as reward: rules:FILE']);
    return problems;
  }
  if (first !== undefined && second !== undefined) {
    problems.push([[first], `stands beside ${second}; leave one of them out`]);
    return problems;
  }
  if (evaluate.reward !== undefined && evaluate.judge !== undefined)
    problems.push([['evaluate', 'reward'], 'stands beside evaluate.judge; leave one of them out']);
  return [...problems, ...problemsOfAsking(recipe), ...problemsOfExaminer(recipe)];
}

/** Loops in which no reward rates the answers: self-play and revisions. */
function problemsOfUnrated(recipe: Given): Problem[] {
  const { rows, label, watch, evaluate } = recipe;
  const problems: Problem[] = [];
  const plays = selfPlays(recipe);
  if (plays) {
    for (const key of ['reward', 'rewards', 'judge', 'label', 'store'] as const) {
      if (recipe[key] !== undefined) problems.push([[key], 'means nothing here, because demonstrations teach (rows.make); leave it out']);
    }
    if (evaluate.reward === undefined && evaluate.judge === undefined)
      problems.push([['evaluate', 'reward'], 'is missing: demonstrations rate no held-out answers; name what does, such as rules:FILE']);
  }
  if (label?.name === 'revisions') {
    if (rows) problems.push([['rows'], 'label: revisions makes the rows; leave it out']);
    if (label.critique === 'given') problems.push([['label', 'critique'], 'nobody has judged these answers; expected ask or none']);
  }
  if (recipe.constraints !== undefined && (plays || label?.name === 'revisions'))
    problems.push([['constraints'], 'no reward rates the answers here, so there is nothing to take costs off; leave it out']);
  if (watch.stop === true && (plays || label?.name === 'revisions'))
    problems.push([['watch', 'stop'], 'no reward rates the answers here, so nothing raises an alarm; leave it out']);
  return problems;
}

/** A critic takes the place of what rates the answers, or stands beside it. */
function problemsOfAdversary(recipe: Given): Problem[] {
  const { adversary, rewards, rows, label } = recipe;
  if (adversary === undefined) return [];
  const problems: Problem[] = [];
  if (rewards !== undefined && 'adversary' in rewards)
    problems.push([['rewards', 'adversary'], "is what the critic's rating is called in logs; give this reward another name"]);
  if (rows) problems.push([['rows'], 'the critic rates the answers themselves, and nothing is written for rows; leave it out']);
  if (label?.name === 'revisions') problems.push([['label'], 'revisions teach by pairs, and the critic by ratings; leave one of them out']);
  return problems;
}

/** Who is asked, and what. */
function problemsOfAsking(recipe: Given): Problem[] {
  const { judge, label, store } = recipe;
  const problems: Problem[] = [];
  const asked = judge !== undefined && isAsked(judge);
  if (asked && label === undefined) {
    problems.push([
      ['label'],
      `the judge ${kindOf(judge)} answers questions, and nothing says what to ask; write label: judgments `
        + 'or label: { name: revisions, principles: FILE }, or give a judge of whole responses: rules:FILE or rewardModel',
    ]);
  }
  const needless = `means nothing here, because ${teachersOf(recipe).join(' and ')} answers no questions; leave it out`;
  if (!asked && label !== undefined) problems.push([['label'], needless]);
  if (!asksSomeone(recipe) && store !== undefined) problems.push([['store'], needless]);
  return problems;
}

/** What rates the held-out answers: where a model rates the training answers, another reward. */
function problemsOfExaminer(recipe: Given): Problem[] {
  const { reward, rewards, judge, evaluate } = recipe;
  if (evaluate.judge !== undefined && isAsked(evaluate.judge))
    return [[['evaluate', 'judge'], 'held-out answers are judged as wholes; use rules:FILE or rewardModel']];
  if (teachersOf(recipe).every(isChecked)) return [];
  const other = evaluate.reward ?? evaluate.judge;
  const path = ['evaluate', evaluate.judge === undefined && judge === undefined ? 'reward' : 'judge'];
  if (other === undefined) {
    return [[
      path,
      'what teaches is a model or learnt from people, and its own marks would not show whether what it teaches is right; '
        + 'name an independent one, such as rules:FILE',
    ]];
  }
  const models = rewards === undefined ? [judge ?? reward] : Object.values(rewards).filter((one) => !isChecked(rewardKindOf(one)));
  const written = (one: unknown): string => JSON.stringify({ ...(one as object), weight: undefined });
  if (models.every((one) => written(one) !== written(other))) return [];
  return [[path, 'this is the judge that teaches; name an independent one, such as rules:FILE']];
}

/** Whether rewards of a kind can be checked by reading them: they may rate what they taught. */
const isChecked = (kind: string): boolean => {
  if (!Object.hasOwn(REWARDS, kind)) return false;
  const { learned }: { readonly learned?: true } = REWARDS[kind as keyof typeof REWARDS];
  return learned !== true;
};

/** The kinds of what rates a round's answers: one, or those of `rewards`; where there is none a critic. */
function teachersOf({ reward, rewards, judge }: Pick<Given, 'reward' | 'rewards' | 'judge'>): string[] {
  if (rewards !== undefined) return Object.values(rewards).map(rewardKindOf);
  const one = judge ?? reward;
  return [one === undefined ? 'the critic' : kindOf(one)];
}

const isAsked = (judge: JudgeOptions): boolean => ASKED.some((one) => one === kindOf(judge));

/** Whether a judge is asked, whose replies are kept. */
const asksSomeone = (recipe: Pick<Given, 'reward' | 'rewards' | 'judge'>): boolean =>
  (['reward', 'rewards', 'judge'] as const).some((key) => recipe[key] !== undefined)
  && teachersOf(recipe).some((kind) => [...ASKED, 'scores', 'judgments', 'panel', 'triples'].includes(kind));

/** `rules`, `fn`, or the key of the section. */
const kindOf = (spec: JudgeOptions | RewardOptions): string => {
  if (typeof spec !== 'string') return Object.entries(spec).find(([, options]) => options !== undefined)![0];
  return spec.startsWith('rules:') ? 'rules' : 'fn';
};

/** Keys of the recipe that may differ when a run goes on: no rating and no weight depends on them. `*` is any name. */
export const ALIGN_FREE: readonly string[] = [
  'allowedFailures', 'watch', 'cluster', ...SAMPLER_FREE,
  ...[
    'judge',
    ...['reward', 'rewards.*'].flatMap((at) =>
      ['judgments.judge', 'scores.judge', 'triples.rater', 'triples.comparer', 'panel.judges.*'].map((judge) => `${at}.${judge}`)),
  ].flatMap(keysThatMayDiffer),
];
