import { describe, expect, it } from 'vitest';
import { type Learner, learn, reptile, startLearner } from '../../src/control/learner.js';
import { type NetworkShape, initialNetwork } from '../../src/control/network.js';
import { leaveOneOut, probabilities } from '../../src/control/policy.js';
import { createRandom } from '../../src/run/random.js';

/** A bandit whose best action depends on what is seen: the chance of a reward for each of 3 kinds of prompt and each action. */
type Bandit = readonly (readonly number[])[];

const shape = (actions: number): NetworkShape => ({ inputs: 4, hidden: [16, 16], outputs: actions });
const uniform = (actions: number): number[] => Array.from({ length: actions }, () => 1 / actions);

/** What is seen of a prompt of a kind: three numbers for the kind, noisy, and one that tells nothing. */
function see(kind: number, random: ReturnType<typeof createRandom>): number[] {
  return [0, 1, 2].map((one) => Number(one === kind) * 2 - 0.7 + 0.3 * random.normal()).concat(random.normal());
}

/** A round of 12 prompts with 8 answers each. */
function play(learner: Learner, bandit: Bandit, name: string, round: number, bonus: number): void {
  const random = createRandom(name, round);
  const choices = Array.from({ length: 12 }, () => {
    const kind = random.int(3);
    const features = see(kind, random);
    const p = probabilities(learner.shape, learner.parameters, features);
    const actions = Array.from({ length: 8 }, () => {
      const u = random.next();
      let [action, sum] = [0, p[0]!];
      while (sum < u && action < p.length - 1) sum += p[++action]!;
      return action;
    });
    const advantages = leaveOneOut(actions.map((a) => Number(random.next() < bandit[kind]![a]!)));
    return actions.map((action, i) => ({ features, action, probability: p[action]!, advantage: advantages[i]! }));
  }).flat();
  learn(learner, choices, { learningRate: 1e-2, epochs: 3, bonus });
}

/** The mean chance of a reward under the policy, over prompts that were not learnt from. */
function valueOf({ shape: own, parameters }: Learner, bandit: Bandit): number {
  const random = createRandom('value');
  const values = Array.from({ length: 90 }, (_, i) => {
    const kind = i % 3;
    return probabilities(own, parameters, see(kind, random)).reduce((sum, p, a) => sum + p * bandit[kind]![a]!, 0);
  });
  return values.reduce((a, b) => a + b, 0) / values.length;
}

describe('a controller', () => {
  // The best fixed action earns 0.6, the best for each kind 0.9.
  const bandit: Bandit = [[0.9, 0.4, 0.5, 0.1], [0.1, 0.9, 0.5, 0.4], [0.2, 0.5, 0.8, 0.9]];

  it('learns the best action for each kind of prompt from single rewards', () => {
    const prior = [0.1, 0.1, 0.7, 0.1];
    const learner = startLearner(shape(4), initialNetwork(shape(4), prior, 0));
    expect(valueOf(learner, bandit)).toBeLessThan(0.61);
    for (let k = 0; k < 40; k++) play(learner, bandit, 'bandit', k, 0.01 * (1 - k / 40));
    expect(valueOf(learner, bandit)).toBeGreaterThan(0.87);
  });

  it('stays near its prior where no action is better than another', () => {
    const learner = startLearner(shape(4), initialNetwork(shape(4), uniform(4), 0));
    for (let k = 0; k < 10; k++) play(learner, [uniform(4), uniform(4), uniform(4)], 'flat', k, 0.05);
    expect(Math.max(...probabilities(learner.shape, learner.parameters, see(0, createRandom('flat see'))))).toBeLessThan(0.5);
  });
});

describe('Reptile', () => {
  // In every task two of six actions earn anything: which of the two, is another matter for each task and kind.
  const task = (which: readonly number[]): Bandit =>
    which.map((best) => [0, 1, 2, 3, 4, 5].map((a) => (a === best ? 0.95 : 0.05 + 0.25 * Number(a < 2))));
  const known = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]].map(task);
  const unseen = [task([0, 0, 0]), task([1, 1, 1])];
  const scratch = (): Learner => startLearner(shape(6), initialNetwork(shape(6), uniform(6), 0));

  it('finds a beginning from which a new reward is learnt in fewer episodes', () => {
    let learner = scratch();
    for (let block = 0; block < 30; block++) {
      const initial = learner.parameters.slice();
      for (let k = 0; k < 3; k++) play(learner, known[block % known.length]!, `meta ${block}`, k, 0.01);
      learner = reptile(learner, initial, 0.5);
    }
    const roundsTo = (start: () => Learner, bandit: Bandit): number => {
      const own = start();
      let rounds = 0;
      // The optimum earns 0.95.
      while (valueOf(own, bandit) < 0.85 && rounds < 60) play(own, bandit, 'new task', rounds++, 0);
      return rounds;
    };
    for (const bandit of unseen) {
      const [adapted, fresh] = [roundsTo(() => startLearner(shape(6), learner.parameters), bandit), roundsTo(scratch, bandit)];
      expect(adapted).toBeLessThan(0.67 * fresh);
    }
  });

  it('moves the beginning by the rate, and starts the optimizer anew', () => {
    const learner = scratch();
    const initial = learner.parameters.slice();
    play(learner, known[0]!, 'one', 0, 0);
    const moved = reptile(learner, initial, 0.25);
    moved.parameters.forEach((x, i) => expect(x).toBeCloseTo(0.75 * initial[i]! + 0.25 * learner.parameters[i]!, 12));
    expect(moved.adam.steps).toBe(0);
  });
});
