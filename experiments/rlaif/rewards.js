// @ts-check
// What a reward model gives responses, under one or several sets of principles.
import { createModelReward, createRewardScorer, loadAdapter, loadModel, principledPrompt, startEngine } from '@heed/heed';
import { MODEL } from '../shared/heed.js';

const asked = (/** @type {string} */ prompt) => [{ role: /** @type {const} */ ('user'), content: prompt }];

/** Opens an adapter with a head, lets `work` use it, and closes it. */
export async function withRewards(adapterFolder, work) {
  const engine = await startEngine();
  try {
    const model = await loadModel(MODEL);
    const adapter = await loadAdapter(adapterFolder, model.checkpoint);
    return await work({
      /** Of (prompt, response): as the reward `rewardModel` gives them. */
      async plain(items) {
        const reward = await createModelReward(engine, model, adapter);
        const rated = await reward.rate(items.map(({ prompt, response }) => ({ prompt: asked(prompt), response })));
        await reward.close();
        return rated.map((one) => ('failure' in one ? one : one.value));
      },
      /**
       * Of (prompt, response) under each of its `sets` of principles: the numbers of the reward `rewardModel` with `principles` (checked
       * on the first item). Response and request stand before the principles, so their tokens are computed once for all sets of one item.
       */
      async principled(items) {
        const scorer = await createRewardScorer(engine, model, adapter);
        const end = model.template.response('');
        const results = [];
        for (const { prompt, response, sets } of items) {
          const whole = sets.map((principles) => [
            ...model.template.prompt(principledPrompt(asked(prompt), response, principles)),
            ...end,
          ]);
          const limit = Math.min(...whole.map((ids) => ids.length)) - 1;
          let shared = 0;
          while (shared < limit && whole.every((ids) => ids[shared] === whole[0][shared])) shared++;
          results.push(await scorer.rewards(whole.map((ids) => ({ prompt: ids.slice(0, shared), response: ids.slice(shared) }))));
        }
        await scorer.release();
        const [{ prompt, response, sets }] = items;
        const reward = await createModelReward(engine, model, adapter, { principles: sets[0] });
        const [same] = await reward.rate([{ prompt: asked(prompt), response }]);
        await reward.close();
        if ('failure' in same || Math.abs(same.value - results[0][0]) > 1e-3) {
          throw new Error(`The reward gives ${JSON.stringify(same)} where the scorer gives ${results[0][0]}.`);
        }
        return results;
      },
    });
  } finally {
    await engine.close();
  }
}
