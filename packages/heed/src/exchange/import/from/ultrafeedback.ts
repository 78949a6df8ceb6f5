/** UltraFeedback, as binarised for DPO: two answers with scores. */
import { z } from 'zod';
import { asResponse, sameTurn } from '../../../data/turns.js';
import type { RawRow } from '../../../data/source.js';
import type { ImportFormat } from '../format.js';
import { anything, type Findings, orRefuse, readAs, Refusal, requireCharacters, turnsOf } from '../found.js';

const Pair = z.object({
  prompt_id: z.string().optional(), chosen: z.array(anything).min(2), rejected: z.array(anything).min(2), score_chosen: z.number(),
  score_rejected: z.number(),
});

export const ultrafeedback: ImportFormat = {
  name: 'ultrafeedback',
  about: 'UltraFeedback, binarised: chosen and rejected turns, score_chosen and score_rejected',
  recognises: (fields) => 'score_chosen' in fields && 'score_rejected' in fields && Array.isArray(fields['chosen']),
  read(records, findings) {
    for (const record of records) orRefuse(findings, record.source, () => readRecord(record, findings));
  },
};

function readRecord(record: RawRow, findings: Findings): void {
  requireCharacters(record);
  const { prompt_id: id, chosen, rejected, score_chosen: better, score_rejected: worse } = readAs(Pair, record.fields, findings);
  const [a, b] = [turnsOf('chosen', chosen, findings), turnsOf('rejected', rejected, findings)];
  if (a.length !== b.length || !a.slice(0, -1).every((turn, i) => sameTurn(turn, b[i]))) {
    throw new Refusal('chosen and rejected answer different prompts');
  }
  const margin = better - worse;
  if (!Number.isFinite(margin) || margin < 0) throw new Refusal('the chosen answer has the lower score', margin);
  const row = {
    ...(id !== undefined && { id }), prompt: a.slice(0, -1), chosen: asResponse('chosen', [a.at(-1)]),
    rejected: asResponse('rejected', [b.at(-1)]), margin, ...(margin === 0 && { soft_label: 0.5 }),
  };
  findings.rows.push({ kind: 'preference', source: record.source, row });
}
