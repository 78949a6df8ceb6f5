/** Which tokens of a response a judgment speaks of, as CUT finds them out. */
import type { JudgedRow } from '../data/rows.js';
import { quotedSpans } from '../text/quotes.js';
import { cut } from '../method/cut.js';
import { bind } from '../method/bind.js';
import { createRespond } from '../text/respond.js';
import { holds, tokenSpans } from '../text/token-ends.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { badRequest } from '../serve/api-error.js';
import type { ScoreRequest, Scored } from './api.js';
import type { OpenModel } from './models.js';
import { shown } from './speakers.js';

/**
 * log p and log q of each token of a response: without the judgment and with it, in the sequences that CUT's loss reads. The wording of
 * the judgment is that of the speaker's run, where it has one.
 *
 * @throws ApiError 400 where a sequence is longer than the model's context
 */
export async function scoreTokens(
  { model, speaker, scorer }: OpenModel,
  { prompt, response, judgment }: Omit<ScoreRequest, 'speaker' | 'prompt'> & Pick<JudgedRow, 'prompt'>,
): Promise<Scored> {
  const method = bind(cut, speaker.wording === undefined ? {} : { judgment: speaker.wording });
  const row = { source: { file: 'page', line: 1 }, prompt, completion: response, judgment, satisfied: false };
  const sequences = method.sequences(row, createRespond(model.template), { rows: [row], index: 0 });
  const [plain, judged] = [sequences['plain']![0]!, sequences['judged']![0]!];
  const { context } = model.architecture;
  for (const { prompt: before, response: ids } of [plain, judged]) {
    const length = before.length + ids.length;
    if (length > context) throw badRequest(`Together these are ${length} tokens; ${speaker.base} reads at most ${context}.`, 'response');
  }
  const [logp, logq] = await (await scorer()).logProbs([plain, judged]);
  const places = tokenSpans(model.tokenizer, plain.response);
  const { spans } = quotedSpans(judgment, response);
  const tokens = plain.response.map((id, t) => ({
    text: model.tokenizer.tokenText(id), logp: logp![t]!, logq: logq![t]!,
    quoted: spans.some((span) => holds(places[t]!, span)),
  }));
  return { tokens, speaker: shown(speaker), template: model.template.name, promptTokens: [length(plain), length(judged)] };
}

const length = ({ prompt }: TokenSequence): number => prompt.length;
