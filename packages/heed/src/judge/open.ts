import { type Engine, startEngine } from '@heed/tensor';
import type { z } from 'zod';
import { UserError } from '../errors.js';
import { loadModel } from '../model/load.js';
import { loadAdapter } from '../model/peft.js';
import { describeIssues } from '../run/recipe-problems.js';
import type { Respondent } from './respondent.js';
import { createEndpointRespondent } from './endpoint.js';
import { createHumanRespondent } from './human.js';
import { createLocalRespondent } from './local.js';
import { JudgeOptions, type JudgeSection } from './options.js';
import { readPrinciples } from './principle-file.js';
import { createRewardJudge } from './reward-model.js';
import { loadRules } from './rules/load.js';
import type { Judge } from './verdict.js';

/** What judges share with whoever opens them. */
export interface OpenJudgeOptions {
  /** Default: one of its own, which closes with the judge. */
  readonly engine?: Engine;
  /** Gets a line for anything worth knowing about the model. */
  readonly log?: (line: string) => void;
}

/** A judge as a recipe or a program names it: what has a default may be left out. */
export type JudgeInput = z.input<typeof JudgeOptions>;

/** `judge:` as people read it. */
export const describeJudge = (spec: JudgeInput): string => (typeof spec === 'string' ? spec : Object.entries(sectionOf(spec)).map(([kind, options]) => `${kind}: ${describe(options)}`).join(', '));

/**
 * Opens a judge of whole responses, by its name or section in a recipe: `rules:FILE`, `rules`, or `rewardModel`. Close it where it can be closed.
 *
 * @throws UserError where it names none, has options that are none, or answers questions and gives no verdicts by itself
 */
export async function openJudge(spec: JudgeInput, options: OpenJudgeOptions = {}): Promise<Judge & { close?(): Promise<void> }> {
  const { rules, rewardModel, ...askable } = sectionOf(spec);
  if (rules !== undefined) return loadRules(rules);
  if (rewardModel === undefined) {
    const [kind] = Object.keys(askable);
    throw new UserError(`judge.${kind} answers questions; a judge that says of whole responses whether they are good is needed here.`, ['Use rules:FILE or rewardModel, or let it write judgments first: heed label with the labeler judgments.']);
  }
  return withEngine(options, async (engine, log) => {
    const { model: name, adapter: folder, template, threshold, principles, only } = rewardModel;
    const held = principles === undefined ? {} : { principles: await readPrinciples(principles, only) };
    const model = await loadModel(name, { ...(template === undefined ? {} : { template }), ...log });
    return createRewardJudge(engine, model, await loadAdapter(folder, model.checkpoint), { threshold, ...held });
  });
}

/**
 * Opens someone who can be asked, by the section in a recipe: `local`, `endpoint` or `human`. Close it when all is asked.
 *
 * @throws UserError where it names none, has options that are none, or judges whole responses and answers no questions; where the key of an endpoint is not set
 */
export async function openRespondent(spec: JudgeInput, options: OpenJudgeOptions = {}): Promise<Respondent> {
  const { local, endpoint, human, ...judges } = sectionOf(spec);
  if (endpoint !== undefined) return createEndpointRespondent(endpoint);
  if (human !== undefined) return createHumanRespondent(human);
  if (local === undefined) {
    const [kind] = Object.keys(judges);
    throw new UserError(`judge.${kind} judges whole responses and answers no questions; someone who can be asked is needed here.`, ['Use local, endpoint or human.']);
  }
  return withEngine(options, async (engine, log) => {
    const { model: name, adapter: folder, template, endOfTurn, batch, precision } = local;
    const model = await loadModel(name, { ...(template === undefined ? {} : { template }), ...log });
    return createLocalRespondent(engine, model, { endOfTurn, batch, precision, ...(folder === undefined ? {} : { adapter: await loadAdapter(folder, model.checkpoint) }) });
  });
}

/** The one kind that a spec names, with its defaults and without the keys that are there and undefined. */
function sectionOf(spec: JudgeInput): JudgeSection {
  if (typeof spec !== 'string') {
    const parsed = JudgeOptions.safeParse(spec, { reportInput: true });
    if (!parsed.success) throw new UserError(describeIssues(parsed.error.issues, JudgeOptions, spec, () => 'judge').join('\n'));
    return Object.fromEntries(Object.entries(parsed.data).filter(([, options]) => options !== undefined));
  }
  const [kind, ...rest] = spec.split(':');
  const file = rest.join(':');
  if (kind === 'rules' && file !== '') return { rules: file };
  throw new UserError(`"${spec}" names no judge.`, ['Write rules:FILE, where FILE is a YAML file of rules, such as rules:examples/house-style/house-style.rules.yaml.']);
}

function describe(options: JudgeSection[keyof JudgeSection]): string {
  if (typeof options === 'string') return options;
  if (options === undefined) return '';
  if ('url' in options) return `${options.model} at ${options.url}`;
  if ('questions' in options) return options.questions;
  const int8 = 'precision' in options && options.precision === 'int8' ? ['in int8'] : [];
  return [options.model ?? 'the default model', ...int8, ...(options.adapter === undefined ? [] : [`with ${options.adapter}`])].join(' ');
}

/** Makes something on the given engine, or on one that closes with it. */
async function withEngine<T extends { close(): Promise<void> }>({ engine, log }: OpenJudgeOptions, make: (engine: Engine, log: { readonly log?: (line: string) => void }) => Promise<T>): Promise<T> {
  const logging = log === undefined ? {} : { log };
  if (engine !== undefined) return make(engine, logging);
  const own = await startEngine();
  try {
    const made = await make(own, logging);
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
