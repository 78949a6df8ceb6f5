/** Judgments in words (CUT; Xu et al., ACL 2024 findings, arXiv 2312.14591, A.2): one response → what is wrong with it, or that nothing is. */
import { z } from 'zod';

import { isJunkJudgment, looksLikePraise } from '../data/judgment.js';
import { type ChoiceQuestion, failed, type Respondent, type TextQuestion } from '../judge/asked.js';
import { FENCE_NOTE, fence } from '../text/fence.js';
import { transcript } from '../text/principled.js';
import { wordingFault } from '../text/wording.js';
import { firstPlace } from './preferences.js';
import { failureOf, type Labelled, type LabelFailure, named, type Written } from './labelled.js';
import { asTrl, type Single } from './material.js';
import { quotedSpans } from './quotes.js';
import { proportionInterval } from '../run/statistics.js';
import type { Estimate } from '../run/statistics.js';

/** The request for a judgment, ours. `{request}` and `{response}` stand for the fenced texts. */
export const JUDGMENT_WORDING =
  'Judge the response below.\n\nRequest:\n{request}\n\nResponse:\n{response}\n\n' +
  'Say what is strong and what is weak about the response. Quote the words that you speak of, and say what exactly is wrong with them. If nothing could be better, write "Perfect." and nothing else.';

export const JudgmentsOptions = z.strictObject({
  name: z.literal('judgments'),
  /** The request in other words: `{request}` and `{response}`, each fenced unless `fence` is off. */
  wording: z.string().min(1).superRefine((wording, context) => {
    const fault = wordingFault(wording, ['request', 'response']);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `the wording ${fault}`, input: wording });
  }).default(JUDGMENT_WORDING),
  /** Off only for a judge that was taught with a wording without fences. */
  fence: z.boolean().default(true),
  /** Who decides whether the response satisfies: the judgment's own "Perfect" (as the authors' annotator did), or a question of yes and no after it (as their judge model does). */
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
  /** With people, by whether the response satisfies: accuracy, and the mean of both classes' accuracies, which a judge that always says the same has at ½. */
  readonly human?: { readonly accuracy: Estimate; readonly balanced: number };
  /** Mean probability of "Yes" and "No" together; `yes-no` only. */
  readonly mass?: number;
}

const YES_NO = ['Yes', 'No'] as const;

/** Asks for a judgment of each response, and where `decision` is `yes-no`, for the verdict after it. */
export async function labelJudgments(singles: readonly Single[], judge: Respondent, options: JudgmentsOptions): Promise<Labelled<JudgmentMeasures>> {
  const { wording, decision, maxNewTokens, temperature, topP, seed } = options;
  const show = options.fence ? fence : (text: string): string => text;
  const ask = ({ prompt, completion }: Single): TextQuestion => {
    const parts: Readonly<Record<string, string>> = { request: show(transcript(prompt)), response: show(completion) };
    const content = wording.replace(/\{(request|response)\}/g, (_, name: string) => parts[name]!);
    return { messages: [{ role: 'user', content: options.fence ? `${FENCE_NOTE} ${content}` : content }], maxNewTokens, temperature, ...(topP === undefined ? {} : { topP }), seed };
  };
  const texts = await judge.write(singles.map(ask));

  const failures = new Map<number, LabelFailure>();
  const written = new Map<number, string>();
  let cut = 0;
  singles.forEach((single, i) => {
    const reply = texts[i]!;
    if (failed(reply)) return void failures.set(i, failureOf(single, [reply])!);
    const text = reply.finish === 'length' ? wholeSentences(reply.text) : reply.text.trim();
    const fail = (failure: LabelFailure['failure'], detail: string): void => void failures.set(i, { source: single.source, id: single.id, failure, detail });
    if (reply.text.trim() === '' || isJunkJudgment(reply.text)) fail('empty', `the judge wrote ${JSON.stringify(reply.text)}`);
    else if (text === '') fail('cut-off', `no whole sentence within ${maxNewTokens} tokens`);
    else written.set(i, text);
    if (reply.finish === 'length' && text !== '') cut++;
  });

  const open = [...written.keys()];
  const verdicts = decision === 'perfect' ? [] : await judge.choose(open.map((i): ChoiceQuestion => {
    const { messages } = ask(singles[i]!);
    return { messages: [...messages, { role: 'assistant', content: written.get(i)! }, { role: 'user', content: 'Is the response perfect? Answer with "Yes" or "No".' }], answers: YES_NO };
  }));

  const rows: Written[] = [];
  const compared: { said: boolean; human: boolean }[] = [];
  const masses: number[] = [];
  const tally = { satisfied: 0, quoting: 0, misquotes: 0 };
  open.forEach((i, at) => {
    const single = singles[i]!;
    const judgment = written.get(i)!;
    const verdict = verdicts[at];
    if (verdict !== undefined && failed(verdict)) return void failures.set(i, failureOf(single, [verdict])!);
    if (verdict?.mass !== undefined) masses.push(verdict.mass);
    const yes = verdict === undefined ? undefined : firstPlace(verdict);
    const perfect = looksLikePraise(judgment);
    const satisfied = yes === undefined ? perfect : yes > 0.5;
    if (!satisfied && perfect) return void failures.set(i, { source: single.source, id: single.id, failure: 'contradiction', detail: `the judge wrote ${JSON.stringify(judgment.slice(0, 80))} and then decided that the response is not perfect` });
    const { spans, misquotes } = quotedSpans(judgment, single.completion);
    if (satisfied) tally.satisfied++;
    else {
      tally.misquotes += misquotes;
      if (spans.length > 0) tally.quoting++;
    }
    if (single.human?.satisfied !== undefined) compared.push({ said: satisfied, human: single.human.satisfied });
    const { prompt, response } = asTrl(single.prompt);
    rows.push({
      ...named(single), prompt, completion: response(single.completion), judgment: satisfied ? null : judgment, satisfied,
      ...(satisfied ? {} : { spans }), ...(yes === undefined ? {} : { satisfaction: yes }), ...(single.human?.satisfied === undefined ? {} : { human: single.human.satisfied }),
    });
  });

  const human = agreementOf(compared);
  return {
    rows,
    failures: [...failures].sort(([a], [b]) => a - b).map(([, failure]) => failure),
    measures: {
      ...tally, cut,
      ...(human === undefined ? {} : { human }),
      ...(masses.length === 0 ? {} : { mass: masses.reduce((a, b) => a + b, 0) / masses.length }),
    },
  };
}

function agreementOf(compared: readonly { readonly said: boolean; readonly human: boolean }[]): JudgmentMeasures['human'] {
  if (compared.length === 0) return undefined;
  const right = compared.filter(({ said, human }) => said === human);
  const share = (which: boolean): number[] => {
    const all = compared.filter(({ human }) => human === which).length;
    return all === 0 ? [] : [right.filter(({ human }) => human === which).length / all];
  };
  const classes = [...share(true), ...share(false)];
  return { accuracy: proportionInterval(right.length, compared.length), balanced: classes.reduce((a, b) => a + b, 0) / classes.length };
}

/** A text that ran into its limit, up to the last sentence that it ended; '' where it ended none. */
function wholeSentences(text: string): string {
  const end = /^[^]*[.!?]["'”’)\]]*(?=\s|$)/.exec(text.trim());
  return end?.[0].trim() ?? '';
}
