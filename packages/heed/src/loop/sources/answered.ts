import type { AnyRow, PromptRow } from '../../data/rows.js';
import { type AnswersRounds, answerRound, countDegenerate, drawnTokens, isWhole, sayTrained } from '../answered-round.js';
import type { Degenerate } from '../../evaluate/degenerate.js';
import { readyItems, selectRows } from '../ready.js';
import type { Source } from '../source.js';

/** An answer that the policy ended itself and that is not empty, with the prompt that it answers. */
export interface Answered {
  readonly prompt: PromptRow;
  /** Which of the prompt's answers, from 0. */
  readonly sample: number;
  readonly text: string;
}

/** What a teacher made of a round's answers. */
export interface Taught {
  readonly rows: readonly AnyRow[];
  /** Numbers for the round's report. */
  readonly report: Readonly<Record<string, unknown>>;
  /** What became of the answers, for people. */
  readonly words: string;
}

/** Makes rows of answers without a reward: from demonstrations, from revisions. */
export interface Teacher {
  /** Names the teacher and everything that its rows depend on, for a resume. */
  readonly name: string;
  /** What to do where it taught nothing. */
  readonly advice: string;
  /** @param file Where it keeps what it made of the round, for a resume; its folder is there. */
  teach(answers: readonly Answered[], file: string): Promise<Taught>;
}

export interface AnsweredSetup extends AnswersRounds {
  readonly teacher: Teacher;
}

/** What a round did, for `summary.json`; a teacher adds numbers of its own. */
export interface AnsweredRound extends Degenerate {
  /** Answers that the policy ended itself, and that are not empty. */
  readonly answers: number;
  /** Answers that were empty or cut off at maxNewTokens. */
  readonly unfinished: number;
  /** Rows that were learnt from: 0 where a round after the first taught nothing. */
  readonly trainedOn: number;
}

/** A loop in which no reward rates the policy's answers: a teacher makes rows of them. */
export function answeredSource(setup: AnsweredSetup): Source {
  const { rounds, teacher, method, text, limits, seed, answerer, run, hooks } = setup;
  const { say = () => undefined } = hooks;
  const done = new Map<number, AnsweredRound>();

  return {
    rounds,
    async lesson({ k, policy }) {
      const path = (name: string): string => run.path('work', `round-${k}`, name);
      const answered = await answerRound(k, policy, setup);
      const { chosen, answers } = answered;
      await answerer.rest();
      const whole = answers.filter(isWhole);
      const taught = await teacher.teach(
        whole.map(({ row, sample, text: said }) => ({ prompt: chosen[row]!, sample, text: said })), path('taught.json'),
      );
      const watched = countDegenerate(k, answers, setup.hooks);
      const rows = selectRows(taught.rows, { method, seed, k, say });
      const unfinished = answers.length - whole.length;
      const words = `${taught.words}${unfinished > 0 ? `, ${unfinished} answers were cut off or empty` : ''}`;
      const items = readyItems(rows, {
        method, text: text(drawnTokens(answered)), limits, k, words, answers: answers.length, unfinished, advice: teacher.advice, say,
      });
      done.set(k, { answers: whole.length, unfinished, ...watched, ...taught.report, trainedOn: items.length });
      return { items, rows, seed: seed + k };
    },
    learnt(k, { steps }) {
      const round = done.get(k)!;
      sayTrained(k, round.trainedOn, steps, setup);
      return { ...round };
    },
  };
}
