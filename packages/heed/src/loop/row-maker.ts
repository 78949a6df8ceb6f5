import type { View } from '@heed/tensor';
import type { RowDefinition } from '../data/row.js';
import { type AnyRow, type Message, type NegativeRow, type RefinedRow, type RowKind, rowDefinition } from '../data/rows.js';
import { problemsError } from '../data/problem.js';
import { UserError } from '../errors.js';
import type { BoundMethod, Respond } from '../method/method.js';
import { at as place } from '../data/source.js';
import type { RunFolder } from '../run/folder.js';
import type { Hooks } from '../run/job.js';
import { createRandom } from '../run/random.js';
import { samplingIn } from '../run/recipe-schemas.js';
import { sameAsBefore } from '../run/same-as-before.js';
import { refinementPrompt } from '../text/refine.js';
import { selfCorrectionPrompt } from '../text/self-correct.js';
import { type Sifted, sift } from '../text/usable.js';
import type { Answerer } from './answerer.js';
import type { Limits } from './items.js';
import { anotherKind } from './rows-of.js';
import type { RowsOptions } from './rows-recipe.js';

/** Writes parts of rows with the model that is trained: refinements, positives. */
export interface RowMaker {
  /** Optimizer steps after which rows are made anew with the policy as it is; 0: only once, before training. */
  readonly every: number;
  /** Most tokens of a text that is made. */
  readonly maxNewTokens: number;
  /** The row as if `text` were all that the model had made for it. */
  pretend(row: AnyRow, text: string): AnyRow;
  /**
   * The rows with the model's texts, in their order. A row without a usable text comes back as it was. The texts are kept in the run folder
   * under `round` and never written again, so a killed run goes on with the same rows.
   *
   * @param policy The adapter to write with; undefined: none, the model as it is.
   */
  make(round: string, rows: readonly AnyRow[], policy: View | undefined): Promise<readonly AnyRow[]>;
}

export interface RowMakerSetup {
  readonly answerer: Answerer;
  /** What the method learns from. */
  readonly kind: RowKind | RowDefinition;
  readonly run: Pick<RunFolder, 'path'>;
  readonly seed: number;
  readonly say?: Hooks['say'];
}

/** What a kind of maker asks of a row, and where the answers go. */
interface Craft {
  readonly kind: RowKind;
  readonly samples: number;
  /** The prompt to answer; undefined where the row needs nothing. */
  ask(row: AnyRow): readonly Message[] | undefined;
  /** What an answer must differ from. */
  bad(row: AnyRow): string;
  /** The row with what was made, at least one text. */
  put(row: AnyRow, made: readonly string[]): AnyRow;
}

/** Opens what `rows:` of a recipe says. @throws UserError where the method learns from another kind of row */
export function openRowMaker(options: RowsOptions, { answerer, kind, run, seed, say }: RowMakerSetup): RowMaker {
  const craft = craftOf(options);
  if (rowDefinition(kind) !== rowDefinition(craft.kind)) throw anotherKind(options.make, craft.kind, kind);
  return {
    every: options.every,
    maxNewTokens: options.maxNewTokens,
    pretend: (row, text) => craft.put(row, Array.from({ length: craft.samples }, () => text)),
    async make(round, rows, policy) {
      const asked = rows.flatMap((row, index) => {
        const prompt = craft.ask(row);
        return prompt === undefined ? [] : [{ index, source: row.source, prompt: [...prompt] }];
      });
      if (asked.length === 0) return rows;
      const path = (name: string): string => run.path('work', 'rows', round, name);
      const what = `The rows that ${options.make} is to be made for (${round}) are not those`;
      await sameAsBefore(path('prompts.json'), asked, what, ({ source }) => place(source));
      const answers = await answerer.answer({
        file: path('answers.jsonl'), round, rows: asked, samples: craft.samples, policy, doing: `${options.make}, ${round}`,
        sampling: { ...samplingIn(options), seed: createRandom('rows', seed, round).int(2 ** 31) },
      });
      const made = new Map(asked.map(({ index }, at) => [index, sift(answers.filter(({ row }) => row === at), craft.bad(rows[index]!))]));
      say?.(`${options.make}, ${round}: ${describe([...made.values()])}`);
      return rows.map((row, i) => {
        const kept = [...new Set(made.get(i)?.kept)];
        return kept.length === 0 ? row : craft.put(row, kept);
      });
    },
  };
}

function craftOf(options: RowsOptions): Craft {
  if (options.make === 'refine') {
    return {
      kind: 'refined', samples: 1,
      ask: (row) => {
        const { satisfied, judgment, prompt, completion } = row as RefinedRow;
        return satisfied || judgment === null ? undefined : refinementPrompt(prompt, completion, judgment, options.wording);
      },
      bad: (row) => (row as RefinedRow).completion,
      put: (row, [refinement]) => ({ ...(row as RefinedRow), refinement: refinement! }),
    };
  }
  return {
    kind: 'negative', samples: options.samples,
    ask: (row) => {
      const { prompt, satisfied } = row as NegativeRow;
      // A response that somebody called good is not learnt from, so it needs no positives.
      if (satisfied === true) return undefined;
      return options.correct ? selfCorrectionPrompt(prompt, options.wording) : prompt;
    },
    bad: (row) => (row as NegativeRow).rejected,
    put: (row, made) => ({ ...(row as NegativeRow), positives: [...made] }),
  };
}

function describe(sifted: readonly Sifted[]): string {
  const kept = sifted.reduce((n, s) => n + s.kept.length, 0);
  const dropped: Record<string, number> = {};
  for (const s of sifted) for (const [why, n] of Object.entries(s.dropped)) if (n > 0) dropped[why] = (dropped[why] ?? 0) + n;
  const reasons = Object.entries(dropped).map(([why, n]) => `${n} ${why}`).join(', ');
  const without = sifted.filter((s) => s.kept.length === 0).length;
  const rows = without === 1 ? 'row got none and stays as it is' : 'rows got none and stay as they are';
  const parts = [
    `${kept} texts for ${sifted.length} rows`,
    ...(reasons === '' ? [] : [`left out: ${reasons}`]),
    ...(without === 0 ? [] : [`${without} ${rows}`]),
  ];
  return `${parts.join('; ')}.`;
}

/**
 * Refuses to have texts made for rows that the method could not learn from with all of them, such as 5 positives at `k: 11`: nobody waits
 * for answers that are then refused. Where unfit rows are skipped, one row that would do is enough.
 *
 * @throws UserError naming the rows
 */
export function requireEnoughMade(
  maker: RowMaker, rows: readonly AnyRow[], method: BoundMethod, { junk }: Pick<Limits, 'junk'>,
): void {
  const used = rows.filter((row) => method.uses(row));
  const unfit = used.flatMap((row) => {
    const reason = method.unfit(maker.pretend(row, 'Perhaps so.'));
    return reason === undefined ? [] : [{ source: row.source, reason }];
  });
  if (unfit.length === 0 || (junk === 'skip' && unfit.length < used.length)) return;
  throw problemsError(`rows: with all that the model is to write, ${method.name} could not learn from ${unfit.length} rows`, unfit, [
    'Let the model write more for each row (rows.samples), or ask the method for less.',
  ]);
}

/**
 * Refuses to have texts made that the method does not learn from, such as positives at `retain: 0`.
 *
 * @throws UserError where no row's sequences depend on what is made for the row
 */
export function requireRead(maker: RowMaker, rows: readonly AnyRow[], method: BoundMethod, text: Respond): void {
  const sequences = (row: AnyRow, index: number, made: string): string =>
    JSON.stringify(method.sequences(maker.pretend(row, made), text, { rows, index }));
  if (rows.length === 0 || rows.some((row, index) => sequences(row, index, 'Yes.') !== sequences(row, index, 'No, never.'))) return;
  throw new UserError(`rows: ${method.name}, as it is set, does not learn from what the model would write.`, [
    'Leave `rows` out, or set the option of the method that learns from it; a weight of 0, such as `method.retain`, reads nothing.',
  ]);
}
