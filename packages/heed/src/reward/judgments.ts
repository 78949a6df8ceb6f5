import { describeJudge, openRespondent } from '../judge/open.js';
import { RespondentOptions } from '../judge/options.js';
import type { Failure } from '../judge/respondent.js';
import { JudgmentsOptions, writeJudgments } from '../label/judgments.js';
import { unlabelled } from '../label/labelled.js';
import { quotedPlaces } from '../text/quotes.js';
import { askThrough, singlesOf } from './ask-through.js';
import { defineReward } from './define.js';
import type { Rated } from './reward.js';
import { inParts } from './spans.js';

const Options = JudgmentsOptions.omit({ name: true }).extend({
  /** Who writes the judgments. */
  judge: RespondentOptions,
});

/**
 * `judgments`: a respondent writes what is wrong with a response, or that nothing is (CUT; Xu et al., ACL 2024 findings, arXiv 2312.14591,
 * A.2). Value: 1 where the response satisfies and 0 where it does not; with `decision: yes-no`, the probability of "Yes". As `spans`, what
 * a response lacks of 1 is taken off at the words that its judgment quotes.
 */
export const judgments = defineReward({
  name: 'judgments',
  learned: true,
  options: Options,
  describe: ({ judge }) => `judgments by ${describeJudge(judge)}`,
  async open({ judge, ...options }, tools) {
    const how = `judgments ${JSON.stringify(options)}`;
    return askThrough(await openRespondent(judge, tools), tools, how, true, async (items, respondent) => {
      const outcomes = await writeJudgments(singlesOf(items), respondent, { name: 'judgments', ...options });
      return outcomes.map((outcome, i): Rated | Failure => {
        // Judgments cannot fail as two equal responses do ("same"), so each reason is one of a reward.
        if (unlabelled(outcome)) return { failure: outcome.failure, detail: outcome.detail } as Failure;
        const { satisfied, satisfaction, text } = outcome;
        const value = satisfaction ?? Number(satisfied);
        return {
          value, reason: satisfied ? null : text, satisfied,
          parts: satisfaction === undefined ? undefined : { satisfaction },
          spans: satisfied ? [] : inParts(quotedPlaces(text, items[i]!.response), value - 1),
        };
      });
    });
  },
});
