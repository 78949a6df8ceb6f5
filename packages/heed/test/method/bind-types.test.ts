import { describe, expect, it } from 'vitest';
import {
  METHOD_NAMES, bco, bind, choice, classifier, cpo, cut, d2o, dpo, forwardPrediction, gradientAscent, grpo, hindsight, hindsightReward, ilf,
  ilfDpo, kto, npo, orpo, ppo, principleChoice, principleRewardModel, reinforce, rewardModel, rloo, sft, simNpo, simpo, slic, unlikelihood,
} from '../../src/index.js';

// What a program may write is checked twice: `npm run types` fails where a line under @ts-expect-error compiles, and the test
// fails where it is not refused when it runs.
describe('bind', () => {
  /** An option that no method has, for each method. */
  const wrong: Readonly<Record<string, () => unknown>> = {
    // @ts-expect-error no such option
    [bco.name]: () => bind(bco, { nonsense: 1 }),
    // @ts-expect-error no such option
    [choice.name]: () => bind(choice, { nonsense: 1 }),
    // @ts-expect-error no such option
    [classifier.name]: () => bind(classifier, { labels: ['a', 'b'], nonsense: 1 }),
    // @ts-expect-error no such option
    [cpo.name]: () => bind(cpo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [cut.name]: () => bind(cut, { nonsense: 1 }),
    // @ts-expect-error no such option
    [d2o.name]: () => bind(d2o, { nonsense: 1 }),
    // @ts-expect-error no such option
    [dpo.name]: () => bind(dpo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [forwardPrediction.name]: () => bind(forwardPrediction, { nonsense: 1 }),
    // @ts-expect-error no such option
    [gradientAscent.name]: () => bind(gradientAscent, { nonsense: 1 }),
    // @ts-expect-error no such option
    [grpo.name]: () => bind(grpo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [hindsight.name]: () => bind(hindsight, { nonsense: 1 }),
    // @ts-expect-error no such option
    [hindsightReward.name]: () => bind(hindsightReward, { threshold: 3, nonsense: 1 }),
    // @ts-expect-error no such option
    [ilf.name]: () => bind(ilf, { nonsense: 1 }),
    // @ts-expect-error no such option
    [ilfDpo.name]: () => bind(ilfDpo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [kto.name]: () => bind(kto, { nonsense: 1 }),
    // @ts-expect-error no such option
    [npo.name]: () => bind(npo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [orpo.name]: () => bind(orpo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [ppo.name]: () => bind(ppo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [principleChoice.name]: () => bind(principleChoice, { nonsense: 1 }),
    // @ts-expect-error no such option
    [principleRewardModel.name]: () => bind(principleRewardModel, { nonsense: 1 }),
    // @ts-expect-error no such option
    [reinforce.name]: () => bind(reinforce, { nonsense: 1 }),
    // @ts-expect-error no such option
    [rewardModel.name]: () => bind(rewardModel, { nonsense: 1 }),
    // @ts-expect-error no such option
    [rloo.name]: () => bind(rloo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [sft.name]: () => bind(sft, { nonsense: 1 }),
    // @ts-expect-error no such option
    [simNpo.name]: () => bind(simNpo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [simpo.name]: () => bind(simpo, { nonsense: 1 }),
    // @ts-expect-error no such option
    [slic.name]: () => bind(slic, { nonsense: 1 }),
    // @ts-expect-error no such option
    [unlikelihood.name]: () => bind(unlikelihood, { nonsense: 1 }),
  };

  it.each(METHOD_NAMES)('%s refuses an option that it lacks, when it is compiled and when it runs', (name) => {
    expect(wrong[name]).toThrow(/nonsense/);
  });

  it('does not compile without an option that has no default, or with a value of another type', () => {
    // @ts-expect-error labels are missing
    expect(() => bind(classifier)).toThrow(/labels/);
    // @ts-expect-error threshold is missing
    expect(() => bind(hindsightReward, {})).toThrow(/threshold/);
    // @ts-expect-error a number
    expect(() => bind(kto, { beta: 'strong' })).toThrow(/beta/);
    // @ts-expect-error one of the losses
    expect(() => bind(dpo, { loss: 'sigmoidal' })).toThrow(/loss/);
    expect(bind(kto).name).toBe('kto');
    expect(bind(cut, { lambda: 1.2, ratio: null }).name).toBe('cut');
  });
});
