import { z } from 'zod';
import { DataOptions } from '../data/load.js';
import { JudgeOptions } from '../judge/options.js';
import { JudgmentsOptions } from '../label/judgments.js';
import { DEFAULT_STORE } from '../label/recipe.js';
import { MethodOptions } from '../method/index.js';
import { sharedSections } from '../run/recipe-schemas.js';
import { Sampling } from '../run/sampling.js';

/** Judges that are asked, and say in words what is wrong. */
const ASKED = ['local', 'endpoint', 'human'] as const;

/** A recipe of `heed align`: generate → judge → train, again and again. */
export const AlignRecipe = z
  .strictObject({
    ...sharedSections,
    template: z.enum(['chat', 'alpaca']).optional(),
    /** Prompts that the model answers, and learns from the judgments of its answers. */
    data: DataOptions,
    /** Who judges: `rules:FILE`, a section `rewardModel`, or with `label` someone who is asked for judgments: `local`, `endpoint`, `human`. */
    judge: JudgeOptions,
    /** How a judge that is asked is asked, as in `heed label`. */
    label: JudgmentsOptions.optional(),
    /** Where the replies of a judge that is asked are kept: a libSQL file or the address of a server. Default: runs/labels.db, as `heed label` has it. */
    store: z.string().min(1).optional(),
    /** The share of a round's answers that may get no judgment, for whatever reason, before the run stops. Default: 0.05. */
    allowedFailures: z.number().min(0).max(1).optional(),
    method: MethodOptions,
    generate: z.strictObject({ ...Sampling, samples: z.int().min(1).default(1) }).prefault({}),
    loop: z.strictObject({
      /** Rounds of generate → judge → train. */
      iterations: z.int().min(1).default(3),
    }).prefault({}),
    /** Prompts held out, answered and judged before and after. */
    evaluate: z.strictObject({
      prompts: z.string().min(1),
      /** Who judges them: `rules:FILE` or a section `rewardModel`. Default: `judge`, where that is rules; a model may not mark what was trained on its own marks. */
      judge: JudgeOptions.optional(),
      ...Sampling,
      temperature: z.number().min(0).default(0),
      limit: z.int().min(1).optional(),
    }),
  })
  .superRefine(({ data, judge, label, store, allowedFailures, evaluate }, context) => {
    const problem = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message, input: undefined });
    if (data.ties !== undefined) problem(['data', 'ties'], 'answers are judged one by one, so none is a tie; leave it out');
    const kind = kindOf(judge);
    const asked = ASKED.some((one) => one === kind);
    if (asked && label === undefined) problem(['label'], `a judge that is asked (${kind}) needs to know for what; write label: judgments, or give a judge of whole responses: rules:FILE or rewardModel`);
    if (!asked) {
      const needless = Object.entries({ label, store, allowedFailures }).find(([, value]) => value !== undefined)?.[0];
      if (needless !== undefined) problem([needless], `${kind} is not asked anything, so this says nothing; leave it out`);
    }
    if (kind !== 'rules' && evaluate.judge === undefined) {
      problem(['evaluate', 'judge'], 'the judge that teaches is a model, and its own marks would not show whether what it teaches is right; name an independent one, such as rules:FILE');
    }
    if (evaluate.judge !== undefined && ASKED.some((one) => one === kindOf(evaluate.judge!))) problem(['evaluate', 'judge'], 'held-out answers are judged as wholes; use rules:FILE or rewardModel');
    if (kind !== 'rules' && JSON.stringify(evaluate.judge) === JSON.stringify(judge)) problem(['evaluate', 'judge'], 'this is the judge that teaches; name an independent one, such as rules:FILE');
  });
export type AlignRecipe = z.infer<typeof AlignRecipe>;

/** What holds for a judge that is asked where the recipe does not say. */
export const ASKING_DEFAULTS = { store: DEFAULT_STORE, allowedFailures: 0.05 } as const;

const kindOf = (judge: JudgeOptions): string =>
  typeof judge === 'string' ? judge.split(':')[0]! : Object.entries(judge).find(([, options]) => options !== undefined)![0];
