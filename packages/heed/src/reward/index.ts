import { abstention } from './calibration/abstention.js';
import { rewardingDoubt } from './calibration/rewarding-doubt.js';
import { rlcr } from './calibration/rlcr.js';
import { agreement } from './consistency/agreement.js';
import { coherence } from './dialogue/coherence.js';
import { critic } from './dialogue/critic.js';
import { persona } from './dialogue/persona.js';
import { detector } from './detector/detector.js';
import { fn } from './function.js';
import { inferred } from './inferred.js';
import { judgments } from './judgments.js';
import { panel } from './panel.js';
import { rewardModel } from './reward-model.js';
import { rules } from './rules.js';
import { scores } from './scores.js';
import { triples } from './triples.js';
import { clarify } from './sincerity/clarify.js';
import { sincerity } from './sincerity/sincerity.js';
import { beliefs } from './truth/challenge.js';
import { truth } from './truth/truth.js';

/** Every kind of reward that a recipe can name. Adding one is a file and a line here. */
export const REWARDS = {
  rules,
  rewardModel,
  scores,
  judgments,
  fn,
  inferred,
  panel,
  triples,
  rlcr,
  rewardingDoubt,
  abstention,
  agreement,
  sincerity,
  clarify,
  persona,
  coherence,
  critic,
  truth,
  beliefs,
  detector,
} as const;
