import type { PreferenceRow, RefinedRow } from '../data/rows.js';
import { dpo } from './dpo.js';
import { lacksRefinement } from './ilf.js';
import { defineMethod } from './method.js';
import { pairSequences, softLabel } from './pairs.js';

const asPair = ({ source, prompt, completion, refinement }: RefinedRow): PreferenceRow =>
  ({ source, prompt, chosen: refinement!, rejected: completion });

/**
 * ILF-DPO: the refinement that the model wrote is chosen, the response that was judged is rejected. Loss and options are those of
 * `dpo`. Yu et al. 2023, as the CUT paper tells it (arXiv 2312.14591, section 3.2). Satisfactory rows hold no pair and are left out.
 * Unit: row.
 */
export const ilfDpo = defineMethod({
  ...dpo,
  name: 'ilf-dpo',
  paper: 'Xu et al., arXiv 2312.14591, section 3.2 ("ILF-DPO"); Rafailov et al., arXiv 2305.18290',
  row: 'refined',
  sequences: (row, text) => pairSequences(asPair(row), text),
  columnsOf: (row) => softLabel(asPair(row)),
  uses: (row) => !row.satisfied,
  unused: 'satisfactory, so that they hold no pair',
  unfit: lacksRefinement,
  unfitTogether: (rows) =>
    rows.every((row) => row.satisfied) ? 'every row is satisfactory, so that none holds a pair; method: sft imitates them' : undefined,
  hinders: () => [],
  select: (rows) => rows,
});
