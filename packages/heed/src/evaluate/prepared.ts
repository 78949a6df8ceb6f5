/** The tasks of a recipe, ready to be asked: items, and what the model reads of each. */
import { problemsError } from '../data/problem.js';
import { UserError } from '../errors.js';
import type { BranchRequest } from '../generate/branch-scorer.js';
import type { SamplingOptions } from '../generate/options.js';
import type { GenerationRequest } from '../generate/request.js';
import type { Model } from '../model/load.js';
import { contextOf, shotsOf } from './tasks/context.js';
import { type Context, encodeChoices, encodeContext } from './tasks/encode.js';
import { TASKS, type TaskOptions } from './tasks/index.js';
import { readItems } from './tasks/read-items.js';
import type { AnswerTask, ChoiceQuestion, ChoiceTask, ContinuationTask, PromptItem, Question } from './tasks/task.js';

interface Common {
  /** As the recipe calls it. */
  readonly name: string;
  readonly options: TaskOptions;
  /** Items whose context was cut at its head, because it did not fit the model. */
  readonly cut: number;
}

/** A task whose choices are scored. */
export interface PreparedChoice extends Common {
  readonly task: ChoiceTask;
  readonly items: readonly ChoiceQuestion[];
  /** For each item one request with all choices, or one for each choice where the context had to be cut. */
  readonly requests: readonly (readonly BranchRequest[])[];
}

interface Written extends Common {
  readonly requests: readonly GenerationRequest[];
  readonly sampling: SamplingOptions;
}

/** A task whose texts the model continues. */
export interface PreparedContinuation extends Written {
  readonly task: ContinuationTask;
  readonly items: readonly Question[];
}

/** A task whose prompts the model answers. */
export interface PreparedPrompts extends Written {
  readonly task: AnswerTask;
  readonly items: readonly PromptItem[];
}

export type PreparedAnswers = PreparedContinuation | PreparedPrompts;
export type Prepared = PreparedChoice | PreparedAnswers;

/** Whether the choices of a task are scored. */
export const isChoice = (one: Prepared): one is PreparedChoice => one.task.kind === 'choice';
export const isContinuation = (one: Prepared): one is PreparedContinuation => one.task.kind === 'continuation';

/** @throws UserError where rows cannot be used, shots are missing, or a prompt leaves no room for an answer */
export async function prepareTask(name: string, options: TaskOptions, model: Model): Promise<Prepared> {
  const task = TASKS.get(options.task)!;
  if (task.kind === 'answer') return preparePrompts(name, options, task, await readItems(task.row, options.data), model);
  return task.kind === 'choice' ? prepareChoice(name, options, task, model) : prepareContinuation(name, options, task, model);
}

async function prepareChoice(name: string, options: TaskOptions, task: ChoiceTask, model: Model): Promise<PreparedChoice> {
  const items = await readItems(task.row, options.data);
  const contexts = await contextsOf(name, items, task, options);
  const requests = items.map(({ choices }, i) =>
    choiceRequests(encodeChoices(model, contexts[i]!, choices), model.architecture.context));
  requireTokens(name, items, requests);
  return { name, options, task, items, requests, cut: requests.filter(({ length }) => length > 1).length };
}

async function prepareContinuation(
  name: string, options: TaskOptions, task: ContinuationTask, model: Model,
): Promise<PreparedContinuation> {
  const items = await readItems(task.row, options.data);
  const sampling = { ...samplingOf(options), stop: task.stop };
  const room = model.architecture.context - sampling.maxNewTokens;
  const prompts = (await contextsOf(name, items, task, options)).map((context) => encodeContext(model, context));
  const requests = prompts.map((prompt, row) => ({ prompt: prompt.slice(-room), row, continues: true }));
  return { name, options, task, items, requests, sampling, cut: prompts.filter(({ length }) => length > room).length };
}

/** What the model reads before it answers each item. @throws UserError where an item has fewer shots than asked for */
async function contextsOf(
  name: string, items: readonly Question[], { row }: ChoiceTask | ContinuationTask,
  { shots = 0, dev, applyChatTemplate = false }: TaskOptions,
): Promise<Context[]> {
  const solved: readonly Question[] = dev === undefined ? [] : await readItems<Question>(row, dev);
  return items.map((item) => {
    const own = shotsOf(item, solved, shots);
    if (own !== undefined) return contextOf(item, own, applyChatTemplate);
    const of = item.group === undefined ? '' : ` of ${item.group}`;
    throw new UserError(`tasks.${name}.dev has fewer than ${shots} rows${of} beside the item that is asked.`, [
      `Give it more rows, or lower tasks.${name}.shots.`,
    ]);
  });
}

/**
 * Context and choices that fit: the model reads all tokens but the last. What is too long loses tokens at its head, each choice by itself,
 * as in lm-evaluation-harness.
 */
function choiceRequests({ prompt, answers }: BranchRequest, most: number): BranchRequest[] {
  if (answers.every(({ length }) => prompt.length + length <= most + 1)) return [{ prompt, answers }];
  return answers.map((answer) => ({ prompt: prompt.slice(-Math.max(1, most + 1 - answer.length)), answers: [answer] }));
}

/** @throws UserError where a choice has no tokens of its own: the vocabulary made one token of it and the context's end */
function requireTokens(name: string, items: readonly ChoiceQuestion[], requests: PreparedChoice['requests']): void {
  const isEmpty = ({ answers }: BranchRequest): boolean => answers.some(({ length }) => length === 0);
  const reason = 'has a choice without tokens';
  const problems = items.flatMap(({ source }, i) => (requests[i]!.some(isEmpty) ? [{ source, reason }] : []));
  if (problems.length > 0) throw problemsError(`${problems.length} items of tasks.${name} cannot be scored`, problems);
}

const samplingOf = ({ maxNewTokens = 96, temperature = 0, topK, topP, minP }: TaskOptions): SamplingOptions => ({
  maxNewTokens, temperature, seed: 0,
  ...(topK === undefined ? {} : { topK }), ...(topP === undefined ? {} : { topP }), ...(minP === undefined ? {} : { minP }),
});

/** @throws UserError where a prompt leaves no room for its answer: prompts are never cut */
function preparePrompts(
  name: string, options: TaskOptions, task: AnswerTask, items: readonly PromptItem[], { template, architecture, checkpoint }: Model,
): PreparedPrompts {
  const sampling = samplingOf(options);
  const requests = items.map(({ prompt }, row) => ({ prompt: template.prompt(prompt), row }));
  const room = architecture.context - sampling.maxNewTokens;
  const problems = items.flatMap(({ source }, i) =>
    (requests[i]!.prompt.length > room ? [{ source, reason: `has ${requests[i]!.prompt.length} tokens` }] : []));
  if (problems.length > 0) {
    const why = `the context of ${checkpoint.id} holds ${architecture.context} tokens, ${sampling.maxNewTokens} of them for the answer`;
    throw problemsError(`${problems.length} prompts of tasks.${name} are too long (${why})`, problems);
  }
  return { name, options, task, items, requests, sampling, cut: 0 };
}
