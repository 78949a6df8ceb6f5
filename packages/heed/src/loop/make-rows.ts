import type { AnyRow, Message, NegativeRow, PromptRow, RefinedRow, RowKind } from '../data/rows.js';
import { UserError } from '../errors.js';
import { createRandom } from '../run/random.js';
import { sameAsBefore } from '../run/same-as-before.js';
import { refinementPrompt } from '../text/refine.js';
import { selfCorrectionPrompt } from '../text/self-correct.js';
import { type Sifted, sift } from '../text/usable.js';
import type { RowMaker, RowMakerSetup } from '../train/row-maker.js';
import type { RowsOptions } from '../train/row-recipe.js';
import { type AnsweredRow, answerPrompts } from './rounds.js';
import { openAnswerer } from './setup.js';

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
export function openRowMaker(options: RowsOptions, { engine, model, plan, kind, run, seed, progress, interrupt, say }: RowMakerSetup): RowMaker {
  const craft = craftOf(options);
  if (kind !== craft.kind) throw new UserError(`rows.make: ${options.make} makes rows of the kind "${craft.kind}", but the method learns from "${kind}" rows.`, ['Take another method, or leave `rows` out.']);
  const { maxNewTokens, temperature, topK, topP, minP } = options;
  const sampling = { maxNewTokens, temperature, ...(topK === undefined ? {} : { topK }), ...(topP === undefined ? {} : { topP }), ...(minP === undefined ? {} : { minP }) };
  return {
    every: options.every,
    pretend: (row, text) => craft.put(row, Array.from({ length: craft.samples }, () => text)),
    async make(round, rows, parameters) {
      const asked = rows.flatMap((row, index) => {
        const prompt = craft.ask(row);
        return prompt === undefined ? [] : [{ index, row: { source: row.source, prompt: [...prompt], extra: {} } satisfies PromptRow }];
      });
      if (asked.length === 0) return rows;
      const path = (name: string): string => run.path('work', 'rows', round, name);
      await sameAsBefore(path('prompts.json'), asked, `The rows that ${options.make} is to be made for (${round}) are not those`);
      progress.start(`${options.make}, ${round}`, asked.length);
      const generator = await openAnswerer({ engine, model, plan }, parameters);
      try {
        const answers = await answerPrompts(path('answers.jsonl'), asked.map((a) => a.row), model.template, generator, craft.samples, { ...sampling, seed: createRandom('rows', seed, round).int(2 ** 31) }, {
          onProgress: (n) => progress.update(n), ...(interrupt === undefined ? {} : { interrupt }),
        });
        const made = new Map<number, Sifted>();
        const own = asked.map((): AnsweredRow[] => []);
        for (const answer of answers) own[answer.row]!.push(answer);
        asked.forEach(({ index }, at) => {
          const texts = own[at]!.sort((a, b) => a.sample - b.sample);
          made.set(index, sift(texts.map(({ response: text, finish }) => ({ text, finish })), craft.bad(rows[index]!)));
        });
        say(`${options.make}, ${round}: ${describe([...made.values()])}`);
        return rows.map((row, i) => {
          const kept = [...new Set(made.get(i)?.kept)];
          return kept.length === 0 ? row : craft.put(row, kept);
        });
      } finally {
        await generator.release();
        progress.stop();
      }
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
    ask: (row) => (options.correct ? selfCorrectionPrompt((row as NegativeRow).prompt, options.wording) : (row as NegativeRow).prompt),
    bad: (row) => (row as NegativeRow).rejected,
    put: (row, made) => ({ ...(row as NegativeRow), positives: [...made] }),
  };
}

function describe(sifted: readonly Sifted[]): string {
  const kept = sifted.reduce((n, s) => n + s.kept.length, 0);
  const dropped = Object.entries(sifted.reduce<Record<string, number>>((all, s) => {
    for (const [why, n] of Object.entries(s.dropped)) all[why] = (all[why] ?? 0) + n;
    return all;
  }, {})).filter(([, n]) => n > 0);
  const without = sifted.filter((s) => s.kept.length === 0).length;
  return `${kept} texts for ${sifted.length} rows${dropped.length > 0 ? `; left out: ${dropped.map(([why, n]) => `${n} ${why}`).join(', ')}` : ''}` +
    `${without > 0 ? `; ${without} ${without === 1 ? 'row got none and stays as it is' : 'rows got none and stay as they are'}` : ''}.`;
}
