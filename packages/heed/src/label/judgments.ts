/**
 * Judgments in words (CUT; Xu et al., Findings of ACL 2024, arXiv 2312.14591, A.2): one response → what is wrong with it, or that nothing
 * is.
 */
import { z } from 'zod';

import { isJunkJudgment, verdictInWords } from '../data/judgment.js';
import { type ChoiceQuestion, type ChoiceReply, type Failure, failed, type Respondent, type TextQuestion } from '../judge/respondent.js';
import { askForTexts, refusalOf } from '../judge/ask-for-texts.js';
import { FENCE_NOTE, fence } from '../text/fence.js';
import { transcript } from '../text/principled.js';
import { wholeSentences } from '../text/sentences.js';
import { wordingFault } from '../text/wording.js';
import type { Message } from '../text/template.js';
import { failureOf, type Labelled, type LabelFailure, meanOf, type OutputRow, unlabelled } from './labelled.js';
import { defineLabeler, type ReportPart } from './labeler.js';
import { asTrl, type Single } from './material.js';
import { firstPlace } from './preferences.js';
import { quotedSpans } from '../text/quotes.js';
import { calibrationLines, lineIf, massLine, verdictLines } from './report-lines.js';
import { type Calibration, calibration, type Verdicts, verdictsAgainst } from './statistics.js';

/** The request for a judgment, ours. `{request}` and `{response}` stand for the fenced texts. */
export const JUDGMENT_WORDING =
  'Judge the response below.\n\nRequest:\n{request}\n\nResponse:\n{response}\n\n' +
  'Say what is strong and what is weak about the response. Quote the words that you speak of, and say what exactly is wrong with them. ' +
  'If nothing could be better, write "Perfect." and nothing else.';

export const JudgmentsOptions = z.strictObject({
  name: z.literal('judgments'),
  /** The request in other words: `{request}` and `{response}`, each fenced unless `fence` is off. */
  wording: z.string().min(1).superRefine((wording, context) => {
    const fault = wordingFault(wording, ['request', 'response']);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `the wording ${fault}`, input: wording });
  }).default(JUDGMENT_WORDING),
  /** Off only for a judge that was taught with a wording without fences. */
  fence: z.boolean().default(true),
  /**
   * Who decides whether the response satisfies: the judgment's own "Perfect." (`verdictInWords`; as the authors' annotator did), or a
   * question of yes and no after it (as their judge model does).
   */
  decision: z.enum(['perfect', 'yes-no']).default('perfect'),
  maxNewTokens: z.int().min(1).default(160),
  temperature: z.number().min(0).default(0),
  topP: z.number().gt(0).max(1).optional(),
  seed: z.int().min(0).default(0),
});
export type JudgmentsOptions = z.infer<typeof JudgmentsOptions>;

export interface JudgmentMeasures {
  readonly satisfied: number;
  /** Judgments of unsatisfactory responses that quote the response, and quotations in them that are not from it. */
  readonly quoting: number;
  readonly misquotes: number;
  /** Judgments cut off at maxNewTokens, of which the whole sentences were kept. */
  readonly cut: number;
  /** With people, by whether the response satisfies. */
  readonly human?: Verdicts;
  /** Probability of "Yes" against what people said; `yes-no` only. */
  readonly calibration?: Calibration;
  /** Mean probability of "Yes" and "No" together; `yes-no` only. */
  readonly mass?: number;
}

const YES_NO = ['Yes', 'No'] as const;
/** What is asked after a judgment where `decision` is `yes-no`. */
export const DECISION_QUESTION = 'Is the response perfect? Answer with "Yes" or "No".';

/**
 * The request for a judgment, as a chat of one user turn: what the labeler asks, and therefore what a judge that is to write judgments is
 * taught with.
 *
 * @param prompt What the response answers, in turns.
 * @param options As in the recipe: other words, and whether the texts are fenced.
 */
export function judgmentPrompt(
  prompt: readonly Message[], completion: string, options: { readonly wording?: string; readonly fence?: boolean } = {},
): Message[] {
  const { wording = JUDGMENT_WORDING, fence: fenced = true } = options;
  const show = fenced ? fence : (text: string): string => text;
  const parts: Readonly<Record<string, string>> = { request: show(transcript(prompt)), response: show(completion) };
  const content = wording.replace(/\{(request|response)\}/g, (_, name: string) => parts[name]!);
  return [{ role: 'user', content: fenced ? `${FENCE_NOTE} ${content}` : content }];
}

/** What a judge wrote about one response, and how it decided. */
export interface WrittenJudgment {
  /** The judge's words; of a satisfactory response usually "Perfect." alone. */
  readonly text: string;
  readonly satisfied: boolean;
  /** Probability of "Yes", and of both answers together; `yes-no` only. */
  readonly satisfaction?: number;
  readonly mass?: number;
  /** Whether `satisfaction` is a share of samples. */
  readonly fromSamples?: true;
  /** Whether it ran into maxNewTokens, so that its whole sentences were kept. */
  readonly cut: boolean;
}

/** Asks for a judgment of each response, and where `decision` is `yes-no`, for the verdict after it. One outcome for each, same index. */
export async function writeJudgments(
  singles: readonly Single[], judge: Respondent, options: JudgmentsOptions,
): Promise<readonly (WrittenJudgment | LabelFailure)[]> {
  const { decision, maxNewTokens, temperature, topP, seed } = options;
  const prompts = singles.map(({ prompt, completion }) => judgmentPrompt(prompt, completion, options));
  const replies = await askForTexts(
    judge, prompts.map((messages): TextQuestion => ({ messages, maxNewTokens, temperature, topP, seed })),
  );
  const failure = ({ source, id }: Single, reason: LabelFailure['failure'], detail: string): LabelFailure => (
    { source, id, failure: reason, detail }
  );

  const texts = singles.map((single, i): { readonly text: string; readonly cut: boolean } | LabelFailure => {
    const reply = replies[i]!;
    if (failed(reply)) return failureOf(single, [reply])!;
    const cut = reply.finish === 'length';
    const said = unfenced(reply.text);
    const text = cut ? wholeSentences(said) : said;
    if (said === '' || isJunkJudgment(said)) return failure(single, 'empty', `the judge wrote ${JSON.stringify(reply.text)}`);
    const refusal = refusalOf(said, 'judgment');
    if (refusal !== undefined) return failureOf(single, [refusal])!;
    return text === '' ? failure(single, 'cut-off', `no whole sentence within ${maxNewTokens} tokens`) : { text, cut };
  });

  const verdicts = new Map<number, ChoiceReply | Failure>();
  if (decision === 'yes-no') {
    const open = texts.flatMap((written, i) => (unlabelled(written) ? [] : [{ i, text: written.text }]));
    const said = await judge.choose(open.map(({ i, text }): ChoiceQuestion => ({
      messages: [...prompts[i]!, { role: 'assistant', content: text }, { role: 'user', content: DECISION_QUESTION }], answers: YES_NO,
    })));
    open.forEach(({ i }, at) => verdicts.set(i, said[at]!));
  }

  return singles.map((single, i) => {
    const written = texts[i]!;
    if (unlabelled(written)) return written;
    const verdict = verdicts.get(i);
    if (verdict !== undefined && failed(verdict)) return failureOf(single, [verdict])!;
    const words = verdictInWords(written.text);
    const perfect = words !== 'criticism';
    const yes = verdict === undefined ? undefined : firstPlace(verdict);
    const wrote = `the judge wrote ${JSON.stringify(written.text.slice(0, 80))}`;
    if (yes === undefined && words === 'contradiction') {
      return failure(single, 'contradiction', `${wrote}: that it is perfect, and then a fault`);
    }
    const satisfied = yes === undefined ? perfect : yes > 0.5;
    if (!satisfied && perfect) return failure(single, 'contradiction', `${wrote} and then decided that the response is not perfect`);
    return { ...written, satisfied, satisfaction: yes, mass: verdict?.mass, fromSamples: verdict?.source === 'samples' ? true : undefined };
  });
}

/** A judgment that stands in a code fence as a whole. */
const unfenced = (text: string): string => (/^\s*```[a-z]*\n([^`]*)```\s*$/i.exec(text)?.[1] ?? text).trim();

/** Judged rows from the judgments of single responses. */
export async function labelJudgments(
  singles: readonly Single[], judge: Respondent, options: JudgmentsOptions,
): Promise<Labelled<JudgmentMeasures>> {
  const outcomes = await writeJudgments(singles, judge, options);
  const rows: OutputRow[] = [];
  const compared: { said: boolean; human: boolean }[] = [];
  const probable: { label: number; human: number }[] = [];
  const masses: number[] = [];
  const tally = { satisfied: 0, quoting: 0, misquotes: 0 };
  let cut = 0;
  singles.forEach((single, i) => {
    const outcome = outcomes[i]!;
    if (unlabelled(outcome)) return;
    const { text, satisfied, satisfaction, mass, fromSamples } = outcome;
    if (outcome.cut) cut++;
    if (mass !== undefined) masses.push(mass);
    const { spans, misquotes } = quotedSpans(text, single.completion);
    if (satisfied) tally.satisfied++;
    else {
      tally.misquotes += misquotes;
      if (spans.length > 0) tally.quoting++;
    }
    const human = single.human?.satisfied;
    if (human !== undefined) compared.push({ said: satisfied, human });
    if (human !== undefined && satisfaction !== undefined) probable.push({ label: satisfaction, human: Number(human) });
    const { prompt, response } = asTrl(single.prompt);
    rows.push({
      id: single.id, prompt, completion: response(single.completion), judgment: satisfied ? null : text, satisfied,
      spans: satisfied ? undefined : spans, satisfaction, from_samples: fromSamples, human,
    });
  });

  return {
    rows,
    failures: outcomes.filter((outcome) => unlabelled(outcome)),
    measures: {
      ...tally, cut,
      human: verdictsAgainst(compared),
      calibration: calibration(probable),
      mass: meanOf(masses),
    },
  };
}

function report(measures: JudgmentMeasures, labelled: number): ReportPart {
  const { satisfied, quoting, misquotes, cut, human, calibration: calibrated, mass } = measures;
  return {
    lines: [
      `satisfied: ${satisfied} of ${labelled}`,
      `judgments that quote the response: ${quoting} of ${labelled - satisfied}; quotations that are not from it: ${misquotes}`,
      ...lineIf(cut > 0, () => `judgments cut off, whole sentences kept: ${cut}`),
      ...verdictLines(human),
      ...massLine(mass, '"Yes" and "No"'),
      ...calibrationLines(calibrated),
    ],
    calibration: calibrated,
  };
}

export const judgments = defineLabeler({
  name: 'judgments', material: 'singles', options: JudgmentsOptions, label: labelJudgments, report,
});
