import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Engine } from '@heed/tensor';
import type { JudgedRow, PromptRow } from '../data/rows.js';
import { at, type Source } from '../data/source.js';
import { UserError } from '../errors.js';
import { failed } from '../judge/respondent.js';
import { openRespondent } from '../judge/open.js';
import { openReward } from '../reward/open.js';
import { rewardOfJudge } from '../reward/options.js';
import { type JudgmentsOptions, writeJudgments } from '../label/judgments.js';
import { type LabelFailure, unlabelled } from '../label/labelled.js';
import { reasons } from '../label/report.js';
import { openStore } from '../label/store.js';
import type { UsageTotals } from '../label/usage.js';
import { cached } from '../label/cached.js';
import { withProgress } from '../label/with-progress.js';
import { atomicWrite } from '../run/files.js';
import { finePercent } from '../run/numbers.js';
import type { Progress } from '../run/progress.js';
import { Interrupted } from '../run/signals.js';
import { type AlignRecipe, ASKING_DEFAULTS } from './recipe.js';
import type { AnsweredRow } from './rounds.js';

/** A round's answers as rows to learn from. */
export interface JudgedRound {
  readonly rows: readonly JudgedRow[];
  /** Answers without a judgment: they are left out, whatever the reason, and never count as satisfactory. */
  readonly failures: readonly LabelFailure[];
  /** What a judge that is asked was asked for this round; a resume shows what the run asked that ended it. */
  readonly asking?: Readonly<UsageTotals>;
}

export interface RoundJudge {
  /**
   * Judges the answers of a round; `file` is where it keeps what must not be asked twice. Left out beforehand are empty answers, and those that were cut off at
   * maxNewTokens: a response is learnt with its end of turn, and these have none.
   */
  judge(answers: readonly AnsweredRow[], prompts: readonly PromptRow[], file: string): Promise<JudgedRound>;
}

export interface JudgingTools {
  readonly engine: Engine;
  readonly progress: Progress;
  readonly interrupt?: { readonly requested: boolean; readonly signal?: AbortSignal };
  say(line: string): void;
}

interface Given {
  readonly source: Source;
  readonly id?: string;
  readonly prompt: PromptRow['prompt'];
  readonly completion: string;
}

const givenOf = (answers: readonly AnsweredRow[], prompts: readonly PromptRow[]): Given[] =>
  answers.filter((a) => a.finish === 'stop' && a.response.trim() !== '').map(({ row, sample, response }) => {
    const { source, prompt, id } = prompts[row]!;
    return { source, prompt, completion: response, ...(id === undefined ? {} : { id: `${id}#${sample}` }) };
  });

/** Opens the judge that teaches. One that is asked is opened for each round anew, so that its memory is free while the method trains. */
export async function openRoundJudge(recipe: AlignRecipe, tools: JudgingTools): Promise<RoundJudge> {
  const { label } = recipe;
  if (label !== undefined) {
    // A judge that cannot be opened shall not be found out about after a round of answers.
    await (await openRespondent(recipe.judge, { engine: tools.engine, log: tools.say })).close();
    return { judge: (answers, prompts, file) => ask(givenOf(answers, prompts), file, { ...recipe, label }, tools) };
  }
  const reward = await openReward(rewardOfJudge(recipe.judge), { engine: tools.engine, log: tools.say });
  return {
    async judge(answers, prompts) {
      const given = givenOf(answers, prompts);
      const rated = await reward.rate(given.map(({ prompt, completion: response }) => ({ prompt, response })));
      const rows = given.flatMap((one, i): JudgedRow[] => {
        const said = rated[i]!;
        return failed(said) ? [] : [{ ...one, judgment: said.reason, satisfied: said.satisfied === true }];
      });
      return { rows, failures: given.flatMap(({ source, id }, i) => (failed(rated[i]!) ? [{ ...rated[i], source, id }] : [])) };
    },
  };
}

/** What a file of judgments holds: whose they are, and what became of them. */
interface Kept extends JudgedRound {
  readonly judge: string;
}

/**
 * Asks for judgments through the label store: a run that was killed asks what is missing. Once all are there they are kept with the run, so that answers which
 * failed once (a server that was down) stay out of a round that was learnt from.
 */
async function ask(given: readonly Given[], file: string, recipe: AlignRecipe & { readonly label: JudgmentsOptions }, { engine, progress, interrupt = { requested: false } }: JudgingTools): Promise<JudgedRound> {
  const respondent = await openRespondent(recipe.judge, { engine });
  try {
    if (existsSync(file)) {
      const kept = JSON.parse(await readFile(file, 'utf8')) as Kept;
      if (kept.judge === respondent.name) return kept;
      throw new UserError(`The judge is ${respondent.name} now; the judgments in ${file} are by ${kept.judge}.`, ['Restore the judge, or start again with --overwrite.']);
    }
    const store = await openStore(recipe.store ?? ASKING_DEFAULTS.store);
    try {
      const judge = withProgress(cached(respondent, store), progress, interrupt, 'judging');
      const outcomes = await writeJudgments(given, judge, recipe.label);
      if (interrupt.requested) throw new Interrupted('Stopped while judging; go on with --resume.');
      const failures = outcomes.filter((outcome) => unlabelled(outcome));
      requireEnough(failures, given.length, recipe.allowedFailures ?? ASKING_DEFAULTS.allowedFailures);
      const rows = given.flatMap((one, i): JudgedRow[] => {
        const outcome = outcomes[i]!;
        return unlabelled(outcome) ? [] : [{ ...one, judgment: outcome.satisfied ? null : outcome.text, satisfied: outcome.satisfied }];
      });
      const kept: Kept = { judge: respondent.name, rows, failures, asking: judge.usage };
      await atomicWrite(file, `${JSON.stringify(kept)}\n`);
      return kept;
    } finally {
      store.close();
    }
  } finally {
    await respondent.close();
  }
}

function requireEnough(failures: readonly LabelFailure[], answers: number, allowed: number): void {
  if (failures.length <= allowed * answers) return;
  throw new UserError(
    `${failures.length} of ${answers} answers got no judgment (${finePercent(failures.length / answers)}; allowedFailures is ${finePercent(allowed)}): ${counted(failures)}.`,
    [...failures.slice(0, 5).map(({ source, id, failure, detail }) => `${id ?? at(source)}: ${failure}: ${detail}`), 'With --resume, what a server did not answer is asked again, and nothing else.', 'If so many may fail: --resume allowedFailures=SHARE.'],
  );
}

/** Failures for people: "timeout 3, empty 1". */
export const counted = (failures: readonly LabelFailure[]): string => Object.entries(reasons(failures)).map(([reason, n]) => `${reason} ${n}`).join(', ');
