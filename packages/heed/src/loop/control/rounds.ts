/** The rounds in which the controller learns: it draws an action for each answer, and the rewards say which actions did better. */
import { existsSync } from 'node:fs';
import { networkInput } from '../../control/controller.js';
import { type Learner, learn, reptile, startLearner } from '../../control/learner.js';
import { type Choice, indexOfMost, leaveOneOut, probabilities } from '../../control/policy.js';
import { atomicWrite } from '../../run/files.js';
import type { Hooks } from '../../run/job.js';
import { readKept } from '../../run/json-file.js';
import { createRandom } from '../../run/random.js';
import { promptsOf } from '../prompt-order.js';
import { type AskTools, type Later, type RatedText, type Wanted, ask } from './answer-and-rate.js';
import type { Grid } from './grid.js';
import type { TaskPrompt } from './tasks.js';

/** A prompt to learn on, as the network sees it. */
export interface Seen {
  readonly prompt: TaskPrompt;
  /** What the network takes of it, before the answer begins. */
  readonly features: readonly number[];
  /** The part of that which stays while the answer is written. */
  readonly encoded: readonly number[];
}

/** What a round did. */
export interface ControlRound {
  readonly answers: number;
  /** Mean reward of the round's answers. */
  readonly reward: number;
  /** Mean entropy of the policy over the round's prompts, in nats. */
  readonly entropy: number;
  /** Share of the round's prompts whose likeliest action is the best fixed one. */
  readonly agreement: number;
}

/** Lets a learner learn in the recipe's rounds; goes on behind the last one whose state is on disk. Returns the reports of all rounds. */
export async function learnRounds(
  tools: AskTools, learner: Learner, training: readonly Seen[], grid: Grid,
): Promise<{ readonly reports: readonly ControlRound[]; readonly resumedFrom?: number }> {
  const { recipe: { learn: options }, run, hooks } = tools;
  const file = run.path('checkpoints', 'learner.json');
  const restored = await restore(file, learner);
  const reports = [...(restored?.reports ?? [])];
  /** With Reptile: where the rounds on the present task began. */
  let initial = restored?.initial;
  await run.metrics.truncateAfter(reports.length);
  for (let k = reports.length + 1; k <= options.rounds; k++) {
    const started = performance.now();
    const turn = turnOf(k, options.reptile?.rounds, training);
    if (turn.begins) {
      initial = Array.from(learner.parameters);
      learner.adam = startLearner(learner.shape, learner.parameters).adam;
    }
    const { report, choices, tokens } = await playRound(tools, learner, turn, grid, k);
    const bonus = options.entropy * (1 - (k - 1) / options.rounds);
    const learnt = choices.length === 0 ? { loss: 0, gradNorm: 0 }
      : learn(learner, choices, { learningRate: options.learningRate, epochs: options.epochs, bonus });
    if (turn.ends) Object.assign(learner, reptile(learner, Float64Array.from(initial!), options.reptile!.rate));
    reports.push(report);
    run.metrics.append({
      step: k, round: k, loss: learnt.loss, lr: options.learningRate, reward: report.reward, entropy: report.entropy,
      agreement: report.agreement, grad_norm: learnt.gradNorm, tokens, seconds: (performance.now() - started) / 1000,
    });
    await save(file, learner, reports, initial);
    tellRound(hooks, k, options.rounds, report);
  }
  return { reports, resumedFrom: restored?.reports.length };
}

/** Which prompts a round takes. */
interface Turn {
  readonly prompts: readonly Seen[];
  /** The number of the round on these prompts, from 1. */
  readonly round: number;
  /** Whether it is the first, and the last, of some rounds of Reptile on one task. */
  readonly begins: boolean;
  readonly ends: boolean;
}

/** All tasks in every round, or with Reptile `each` rounds on one task, then on the next. */
function turnOf(k: number, each: number | undefined, training: readonly Seen[]): Turn {
  if (each === undefined) return { prompts: training, round: k, begins: false, ends: false };
  const tasks = [...new Set(training.map(({ prompt }) => prompt.task))];
  const block = Math.floor((k - 1) / each);
  const task = tasks[block % tasks.length]!;
  const within = (k - 1) % each;
  return {
    prompts: training.filter(({ prompt }) => prompt.task === task),
    round: Math.floor(block / tasks.length) * each + within + 1,
    begins: within === 0, ends: within === each - 1,
  };
}

function tellRound({ say }: Hooks, k: number, rounds: number, { reward, entropy, agreement }: ControlRound): void {
  say?.(`round ${k} of ${rounds}: mean reward ${reward.toPrecision(3)}, entropy of the policy ${entropy.toFixed(2)}, `
    + `agrees with the best fixed action on ${Math.round(100 * agreement)} % of the prompts`);
}

interface Played {
  readonly report: ControlRound;
  readonly choices: readonly Choice[];
  readonly tokens: number;
}

async function playRound(
  tools: AskTools, { shape, parameters }: Learner, turn: Turn, grid: Grid, k: number,
): Promise<Played> {
  const { recipe: { actions, generate: { prompts: each, samples }, learn: { seed, rounds, segment = 0 } } } = tools;
  const names = Object.keys(actions);
  const chosen = promptsOf(turn.prompts, turn.round, each, seed);
  const policies = chosen.map(({ features }) => probabilities(shape, parameters, features));
  const random = createRandom('actions', seed, k);
  const drawn = policies.map((p) => Array.from({ length: samples }, () => drawIndex(p, random.next())));
  const wanted = chosen.flatMap(({ prompt, encoded }, x) => drawn[x]!.map((a, s): Wanted => {
    const row = x * samples + s;
    if (segment === 0) return { prompt, action: names[a]!, row };
    return { prompt, action: names[a]!, row, steer: { every: segment, choose(sofar) {
      const features = networkInput({ actions, segment }, encoded, sofar);
      const p = probabilities(shape, parameters, features);
      const action = drawIndex(p, createRandom('later actions', seed, k, row, sofar.ids.length).next());
      return { features, action, probability: p[action]! };
    } } };
  }));
  const told = await ask(
    tools, `round-${k}`, createRandom('answers', seed, k).int(2 ** 31), wanted, `round ${k} of ${rounds}: answering`,
  );
  const choices = chosen.flatMap(({ prompt, features }, x): Choice[] => {
    const answers = drawn[x]!.flatMap((action, s) => {
      const { value, later } = told[x * samples + s]!;
      const made: Later[] = [{ features, action, probability: policies[x]![action]! }, ...later];
      return value === undefined ? [] : [{ value: value / grid.deviations.get(prompt.task)!, made }];
    });
    // Each choice of an answer is compared with the answers that came to the same point, whatever they chose there.
    const points = Math.max(0, ...answers.map(({ made }) => made.length));
    return Array.from({ length: points }, (_, point) => {
      const there = answers.filter(({ made }) => made.length > point);
      const advantages = leaveOneOut(there.map(({ value }) => value));
      return there.map(({ made }, i): Choice => ({ ...made[point]!, advantage: advantages[i]! }));
    }).flat();
  });
  return { choices, report: reportOf(told, policies, names.indexOf(grid.best)), tokens: told.reduce((sum, one) => sum + one.tokens, 0) };
}

function reportOf(told: readonly RatedText[], policies: readonly (readonly number[])[], best: number): ControlRound {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  return {
    answers: told.length,
    reward: mean(told.flatMap(({ value }) => value ?? [])),
    entropy: mean(policies.map((p) => -p.reduce((sum, x) => sum + (x === 0 ? 0 : x * Math.log(x)), 0))),
    agreement: mean(policies.map((p) => Number(indexOfMost(p) === best))),
  };
}

/** The index that a uniform number draws from probabilities. */
function drawIndex(p: readonly number[], uniform: number): number {
  let rest = uniform;
  for (const [i, x] of p.entries()) {
    rest -= x;
    if (rest < 0) return i;
  }
  return indexOfMost(p);
}

interface Saved {
  readonly parameters: readonly number[];
  readonly m: readonly number[];
  readonly v: readonly number[];
  readonly steps: number;
  readonly reports: readonly ControlRound[];
  readonly initial?: readonly number[];
}

async function save(
  file: string, { parameters, adam: { m, v, steps } }: Learner, reports: readonly ControlRound[], initial: readonly number[] | undefined,
): Promise<void> {
  const saved: Saved = { parameters: Array.from(parameters), m: Array.from(m), v: Array.from(v), steps, reports, initial };
  await atomicWrite(file, `${JSON.stringify(saved)}\n`);
}

async function restore(file: string, learner: Learner): Promise<Saved | undefined> {
  if (!existsSync(file)) return undefined;
  const saved = await readKept<Saved>(file);
  learner.parameters = Float64Array.from(saved.parameters);
  learner.adam = { m: Float64Array.from(saved.m), v: Float64Array.from(saved.v), steps: saved.steps };
  return saved;
}
