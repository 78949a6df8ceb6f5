// @ts-check
// Rows for a judge that writes judgments, from published ones: what it is taught with, and what it is held against.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgmentPrompt } from '@heed/heed';
import { read } from '../shared/data.js';

/** Longest request, response and judgment together, in words: a judge of 135 M parameters is taught on a CPU. */
const MOST_WORDS = 110;
const TAUGHT = { cut: 120, shepherd: 40 };
const HELD = 100;

const hash = (text) => createHash('sha256').update(text).digest('hex');
const words = (text) => text.split(/\s+/).length;
const praise = /^\s*(["'*]*perfect\b|the (response|answer|output) is (already )?perfect\b)/i;

/** Judged rows of one source, in an order drawn from their words; failed calls and praise filed as blame are left out and counted. */
function judged(rows, name, counts) {
  const usable = rows.filter(({ judgment }) => judgment === null || !(judgment === '$ERROR$' || praise.test(judgment)));
  const short = usable.filter(
    ({ instruction, input, output, judgment }) =>
      output.trim() !== '' && words(`${instruction} ${input} ${output} ${judgment ?? ''}`) <= MOST_WORDS,
  );
  counts[name] = { rows: rows.length, errorOrPraise: rows.length - usable.length, tooLongOrEmpty: usable.length - short.length };
  return short
    .map(({ instruction, input, output, judgment }) => ({
      prompt: input ? `${instruction}\n${input}` : instruction,
      completion: output.trim(),
      judgment: judgment?.trim() ?? null,
    }))
    .sort((a, b) => (hash(a.prompt + a.completion) < hash(b.prompt + b.completion) ? -1 : 1));
}

/** A row of `sft`: what the labeler asks → what the judge is to say. */
export const taughtRow = ({ prompt, completion, judgment }) => ({
  messages: [
    ...judgmentPrompt([{ role: /** @type {const} */ ('user'), content: prompt }], completion),
    { role: 'assistant', content: judgment ?? 'Perfect.' },
  ],
});

/**
 * Writes `taught.jsonl` (conversations) and `held-out.jsonl` (judged rows, as many satisfactory as not, of other prompts) into `to`.
 * Whether a prompt is held out is decided by its own hash, so all rows of a prompt stand on one side.
 */
export function makeRows(to) {
  const counts = {};
  const cut = [1, 2, 3, 4, 5].flatMap((k) => judged(read(`cut_iter${k}.jsonl`), `cut_iter${k}`, counts));
  const shepherd = judged(read('shepherd.jsonl'), 'shepherd', counts);
  const isHeld = ({ prompt }) => Number.parseInt(hash(prompt).slice(0, 4), 16) % 5 < 2;
  const take = (rows, satisfied, n) => {
    const some = rows.filter(({ judgment }) => (judgment === null) === satisfied).slice(0, n);
    if (some.length < n) throw new Error(`There are ${some.length} rows where ${n} are needed.`);
    return some;
  };
  const heldCut = cut.filter(isHeld);
  const held = [...take(heldCut, true, HELD), ...take(heldCut, false, HELD)];
  const heldPrompts = new Set(cut.filter(isHeld).map(({ prompt }) => prompt));
  const open = cut.filter((row) => !isHeld(row));
  const taught = [
    ...take(open, true, TAUGHT.cut),
    ...take(open, false, TAUGHT.cut),
    ...take(
      shepherd.filter(({ prompt }) => !heldPrompts.has(prompt)),
      false,
      TAUGHT.shepherd,
    ),
  ];
  mkdirSync(to, { recursive: true });
  const write = (name, rows) => writeFileSync(join(to, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  write('taught.jsonl', taught.map(taughtRow));
  write(
    'held-out.jsonl',
    held.map((row, i) => ({ id: `held-${i}`, ...row })),
  );
  return { counts, taught: taught.length, held: held.length };
}
