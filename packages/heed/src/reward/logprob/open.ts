import { UserError } from '../../errors.js';
import { withEngine } from '../../judge/define.js';
import { type Failure, failed } from '../../judge/respondent.js';
import { fingerprint } from '../../model/fingerprint.js';
import { loadModel } from '../../model/load.js';
import type { RewardTools } from '../define.js';
import { type LogprobClassifier, classifyByLogprobs } from './classifier.js';
import { logprobFeatures } from './features.js';
import { type Said, openLogprobReader } from './reader.js';

/** A saved classifier by log-probabilities, with the model that it reads by. */
export interface OpenLogprobClassifier {
  /** The probability of each label, for each text. */
  probabilities(
    texts: readonly Said[], onProgress?: (done: number, total: number) => void,
  ): Promise<readonly (Readonly<Record<string, number>> | Failure)[]>;
  close(): Promise<void>;
}

/**
 * @param file Where it was saved, for messages.
 * @param name The model, by name or folder. Default: the default model.
 * @throws UserError where it was trained with another model
 */
export const openLogprobClassifier = (
  saved: LogprobClassifier, file: string, name: string | undefined, tools: RewardTools,
): Promise<OpenLogprobClassifier> => withEngine(tools, async (engine) => {
  const model = await loadModel(name, { log: tools.log });
  if (fingerprint(model) !== saved.model) {
    throw new UserError(`The classifier in ${file} was trained with another model than ${model.checkpoint.id}.`, [
      'Name its model, or train it again with fitLogprobClassifier.',
    ]);
  }
  const reader = await openLogprobReader(engine, model);
  return {
    async probabilities(texts, onProgress) {
      const found = await reader.read(texts, onProgress);
      return found.map((one) => (failed(one) ? one : classifyByLogprobs(saved, logprobFeatures(one))));
    },
    close: () => reader.close(),
  };
});
