/**
 * Revisions (constitutional AI; Bai et al. 2022, arXiv 2212.08073; imitation learning from language feedback; Scheurer et al. 2023, arXiv
 * 2303.16755): a response is criticised by a principle and rewritten, several times over. That is a baseline without training: what the
 * model can do when asked.
 */
import { z } from 'zod';

import { hashOrder, promptKey } from '../data/hash.js';
import { findsNothing, NOTHING_TO_MEND } from '../data/judgment.js';
import { at } from '../data/source.js';
import { UserError } from '../errors.js';
import { type Failure, failed, type Respondent, type TextQuestion, type TextReply } from '../judge/respondent.js';
import { type Principle, readPrinciples } from '../judge/principle-file.js';
import { askForTexts, refusalOf } from '../judge/ask-for-texts.js';
import { FENCE_NOTE, fence } from '../text/fence.js';
import { transcript } from '../text/principled.js';
import { refusalIn } from '../text/refusal.js';
import { wholeSentences } from '../text/sentences.js';
import { whyUnusable } from '../text/usable.js';
import { failureOf, type Labelled, type LabelFailure, type OutputRow } from './labelled.js';
import { defineLabeler, type ReportPart } from './labeler.js';
import { asTrl, type Single } from './material.js';
import { lineIf } from './report-lines.js';

export const RevisionsOptions = z
  .strictObject({
    name: z.literal('revisions'),
    /** A YAML file of principles: the constitution. Not with `critique: given`. */
    principles: z.string().min(1).optional(),
    /** Take these of them only. */
    only: z.array(z.string().min(1)).min(1).optional(),
    /** Rounds of critique and revision. Each takes another principle, until all were taken. */
    rounds: z.int().min(1).default(2),
    /**
     * `ask`: the judge criticises first. `none`: it is told the principle and rewrites at once. `given`: the data's judgment is the
     * critique (ILF; one round).
     */
    critique: z.enum(['ask', 'none', 'given']).default('ask'),
    maxNewTokens: z
      .strictObject({ critique: z.int().min(1).default(96), revision: z.int().min(1).default(256) })
      .prefault({}),
    temperature: z.number().min(0).default(0),
    topP: z.number().gt(0).max(1).optional(),
    /** Draws the principles, and what is sampled. */
    seed: z.int().min(0).default(0),
  })
  .superRefine(({ critique, principles, only, rounds }, context) => {
    const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message, input: undefined });
    if (critique !== 'given' && principles === undefined) {
      issue('principles', 'name the file of principles, such as examples/principles.yaml');
    }
    if (critique === 'given' && principles !== undefined) issue('principles', 'the judgments of the data are the critique; leave this out');
    if (critique === 'given' && rounds !== 1) issue('rounds', 'a given judgment is of the first response; write rounds: 1');
    if (principles === undefined && only !== undefined) issue('only', 'there are no principles to take from');
  });
export type RevisionsOptions = z.infer<typeof RevisionsOptions>;

export interface RevisionMeasures {
  /** Rows whose response changed, and rows whose response stayed as it was. */
  readonly revised: number;
  readonly unchanged: number;
  /** Critiques cut off at maxNewTokens.critique, of which the whole sentences were kept. */
  readonly cut: number;
  readonly rounds: readonly { readonly nothingToMend: number; readonly revised: number; readonly same: number }[];
  /** Mean words of a response, before and after. */
  readonly words: { readonly before: number; readonly after: number };
}

interface Round { readonly principle?: string; readonly critique?: string; readonly revision?: string }

interface State {
  readonly single: Single;
  readonly order: readonly Principle[];
  response: string;
  readonly rounds: Round[];
  failure?: LabelFailure;
}

/**
 * Rewrites each response. Rows: conversations that end with the last revision. Also `preferences` (the revision over the first response)
 * and, where there were critiques, `refined` (first response, critiques, revision: the rows of ILF).
 */
export async function labelRevisions(
  singles: readonly Single[], judge: Respondent, options: RevisionsOptions, principles: readonly Principle[],
): Promise<Labelled<RevisionMeasures>> {
  const { critique, rounds, maxNewTokens, temperature, topP, seed } = options;
  if (critique === 'given') requireJudgments(singles);
  const ask = (content: string, limit: number): TextQuestion => (
    { messages: [{ role: 'user', content }], maxNewTokens: limit, temperature, topP, seed }
  );
  const states = singles.map((single): State => {
    const key = JSON.stringify([promptKey(single.prompt), single.completion]);
    return { single, response: single.completion, rounds: [], order: hashOrder(principles, seed, ({ name }) => `${key}\u0000${name}`) };
  });
  let cut = 0;
  const criticised = (state: State, reply: TextReply | Failure): string | undefined => {
    const text = textOf(state, reply, 'critique');
    if (text === undefined || failed(reply) || reply.finish !== 'length') return text;
    const whole = wholeSentences(text);
    if (whole === '') return fail(state, 'cut-off', `the critique has no whole sentence within ${maxNewTokens.critique} tokens`);
    cut++;
    return whole;
  };
  const tallies = Array.from({ length: rounds }, () => ({ nothingToMend: 0, revised: 0, same: 0 }));

  for (let round = 0; round < rounds; round++) {
    const active = states.filter(({ failure, single }) =>
      failure === undefined && !(critique === 'given' && single.human?.satisfied === true));
    // Without principles the order is empty, and the remainder NaN: there is no principle.
    const ruled = active.map((state) => ({ state, principle: state.order[round % state.order.length] }));
    const critiques = critique === 'ask'
      ? await askForTexts(judge, ruled.map(({ state, principle }) => ask(criticise(state, principle!), maxNewTokens.critique)))
      : [];
    const critiqueOf = (state: State, i: number): string | undefined => {
      if (critique === 'given') return state.single.human!.judgment!;
      return critique === 'none' ? undefined : criticised(state, critiques[i]!);
    };
    const open = ruled.flatMap(({ state, principle }, i) => {
      const said = critiqueOf(state, i);
      if (state.failure !== undefined) return [];
      if (said !== undefined && findsNothing(said)) {
        tallies[round]!.nothingToMend++;
        state.rounds.push({ principle: principle?.name, critique: said });
        return [];
      }
      return [{ state, principle, said }];
    });
    const requests = open.map(({ state, principle, said }) => ask(revise(state, principle, said), maxNewTokens.revision));
    const revisions = await askForTexts(judge, requests);
    open.forEach(({ state, principle, said }, i) => {
      const reply = revisions[i]!;
      const text = textOf(state, reply, 'revision');
      if (text === undefined || failed(reply)) return;
      const made = { principle: principle?.name, critique: said };
      const unusable = whyUnusable(reply, state.response);
      if (unusable === 'cut-off') return void fail(state, 'cut-off', `the revision has more than ${maxNewTokens.revision} tokens`);
      tallies[round]![unusable === 'same' ? 'same' : 'revised']++;
      state.rounds.push(unusable === 'same' ? made : { ...made, revision: text });
      if (unusable !== 'same') state.response = text;
    });
  }

  const done = states.filter(({ failure }) => failure === undefined);
  const changed = done.filter(({ single, response }) => response.trim() !== single.completion.trim());
  const words = (of: (state: State) => string): number =>
    done.reduce((sum, state) => sum + of(state).trim().split(/\s+/).length, 0) / Math.max(1, done.length);
  const refined = done.filter(({ rounds: all, single }) =>
    single.human?.satisfied === true || all.some((one) => one.critique !== undefined && one.revision !== undefined));
  return {
    rows: done.map(({ single: { id, prompt }, response, rounds: all }): OutputRow => (
      { id, messages: [...prompt, { role: 'assistant', content: response }], rounds: all }
    )),
    more: {
      preferences: changed.map(({ single, response }): OutputRow => {
        const trl = asTrl(single.prompt);
        return { id: single.id, prompt: trl.prompt, chosen: trl.response(response), rejected: trl.response(single.completion) };
      }),
      ...(critique === 'none' ? {} : { refined: refined.map(refinedRow) }),
    },
    failures: states.flatMap(({ failure }) => failure ?? []),
    measures: {
      revised: changed.length, unchanged: done.length - changed.length, cut, rounds: tallies,
      words: { before: words(({ single }) => single.completion), after: words(({ response }) => response) },
    },
  };
}

function refinedRow({ single, response, rounds }: State): OutputRow {
  const { prompt, response: as } = asTrl(single.prompt);
  const first = { id: single.id, prompt, completion: as(single.completion) };
  const satisfied = single.human?.satisfied === true;
  if (satisfied) return { ...first, judgment: single.human.judgment ?? null, satisfied };
  const critiques = rounds.flatMap(({ critique, revision }) => (critique === undefined || revision === undefined ? [] : critique));
  return { ...first, judgment: critiques.join('\n'), satisfied, refinement: as(response) };
}

function requireJudgments(singles: readonly Single[]): void {
  const without = singles.find(({ human }) => human?.satisfied !== true && (human?.judgment ?? null) === null);
  if (without === undefined) return;
  throw new UserError(`${at(without.source)} has no judgment to revise by`, [
    'With label.critique: given every row has a judgment, or satisfied: true.',
    'Or let the judge write them: label.critique: ask.',
  ]);
}

/** The text of a reply, or undefined with the row's failure set. */
function textOf(state: State, reply: TextReply | Failure, what: string): string | undefined {
  if (failed(reply)) {
    state.failure = failureOf(state.single, [reply])!;
    return undefined;
  }
  const text = reply.text.trim();
  // A rewritten refusal may rightly be a refusal.
  const refusal = refusalIn(state.response) === undefined ? refusalOf(text, what) : undefined;
  if (refusal !== undefined) return fail(state, refusal.failure, refusal.detail);
  return text === '' ? fail(state, 'empty', `the ${what} is empty`) : text;
}

function fail(state: State, failure: LabelFailure['failure'], detail: string): undefined {
  state.failure = { source: state.single.source, id: state.single.id, failure, detail };
}

const shown = ({ single, response }: State): string => `Request:\n${fence(transcript(single.prompt))}\n\nResponse:\n${fence(response)}`;

const criticise = (state: State, { name, text }: Principle): string =>
  `${FENCE_NOTE}\n\n${shown(state)}\n\nThe rule: ${name}. ${text}\n`
  + 'Where does the response break this rule or fall short of it? '
  + 'Quote the words and say what to do about them, in three sentences at most. '
  + `If it keeps the rule, write "${NOTHING_TO_MEND}" and nothing else.`;

const revise = (state: State, principle: Principle | undefined, critique: string | undefined): string =>
  `${FENCE_NOTE}\n\n${shown(state)}\n\n`
  + (critique === undefined ? '' : `What was said about the response:\n${fence(critique)}\n\n`)
  + (principle === undefined ? '' : `The rule: ${principle.name}. ${principle.text}\n`)
  + `Rewrite the response so that ${critique === undefined ? 'it keeps this rule' : 'nothing of this can be said about it any more'}; `
  + 'keep what was right. Write the new response and nothing else.';

function report({ revised, unchanged, cut, rounds, words }: RevisionMeasures): ReportPart {
  const ofRounds = rounds.map(({ nothingToMend, revised: n, same }, i) =>
    `  round ${i + 1}: ${n} rewritten, ${nothingToMend} with nothing to mend, ${same} rewritten as they were`);
  return {
    lines: [
      `revised: ${revised}, unchanged: ${unchanged}`,
      ...ofRounds,
      ...lineIf(cut > 0, () => `critiques cut off, whole sentences kept: ${cut}`),
      `words of a response: ${words.before.toFixed(1)} before, ${words.after.toFixed(1)} after`,
    ],
  };
}

export const revisions = defineLabeler({
  name: 'revisions',
  material: 'singles',
  options: RevisionsOptions,
  files: ['preferences', 'refined'],
  refusesAnswers: ({ critique }) =>
    (critique === 'given' ? 'critique: given revises the responses that were judged; leave answers out' : undefined),
  prepare: async ({ principles, only }) => (principles === undefined ? [] : readPrinciples(principles, only)),
  label: labelRevisions,
  report,
});
