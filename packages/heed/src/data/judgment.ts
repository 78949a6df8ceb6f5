/** Whether a judgment is a failed call written down as text. (The CUT authors' data hold "$ERROR$" in 51 of 5,000 rows.) */
export const isFailedCall = (judgment: string): boolean => /^\s*(\$error\$|error)\s*$/i.test(judgment);

/** Whether a judgment has no words (a dash, dots, a question mark say nothing), or another program's word for nothing. */
export const isEmptyComment = (judgment: string): boolean => /^\s*(?:#?n\/a|nan|none|null|undefined|[-–—.…?]*)\s*$/i.test(judgment);

/** Whether nothing was said of a response, by failure or by silence. */
export const isJunkJudgment = (judgment: string): boolean => isFailedCall(judgment) || isEmptyComment(judgment);

/** What a judge says of a whole response: "Perfect.", by itself or in a sentence about the response. */
const PERFECT = [
  'perfect',
  '(?:a |the )?perfect (?:response|answer|output|reply)',
  '(?:the|this|your) (?:response|answer|output|reply) is (?:already )?perfect',
].join('|');

/** Words that find fault. Denials of a fault ("no mistakes", "nothing is missing") do not count. */
const FAULT = /\b(but|however|except|although|though|not|cannot|wrong|incorrect|inaccurate|false|mistakes?|errors?|missing|lacks?|fails?|should|could|instead|unfortunately)\b|n['’]t\b/i;
const NO_FAULT = /\b(no|without|free of|free from)( \p{L}+){0,2} (mistakes?|errors?|faults?|flaws?|weakness(es)?|problems?|issues?)\b|\bnothing\b[^.!?;]*|\bnot only\b/giu;
/** Whether a text finds fault. */
export const findsFault = (text: string): boolean => FAULT.test(text.replace(NO_FAULT, ''));

/** What stands after a text's first sentence, where that is one of `sayings`; undefined where it is not. */
function after(text: string, sayings: string): string | undefined {
  if (new RegExp(`^[^\\p{L}\\p{N}?]*(?:${sayings})[^\\p{L}\\p{N}?]*$`, 'iu').test(text)) return '';
  // In quotation marks with more behind it, it is quoted: `"Perfect!" is hype.`
  const rest = new RegExp(`^[\\s*_#]*(?:${sayings})[.!]+[*_]*\\s+([^]*)$`, 'iu').exec(text)?.[1];
  return rest === undefined || /^\p{Ll}/u.test(rest) ? undefined : rest;
}

/**
 * The verdict that a judgment's own words give, after the rule of CUT's authors (Xu et al. 2024, appendix A.2): a judge that was asked for
 * "perfect" alone in place of faults, and begins with the sentence "Perfect.", is satisfied. Only as a sentence: "Perfect grammar, but
 * the answer is wrong." is `criticism`. Where the judge finds fault after that sentence, the verdict is a `contradiction`: what the judge
 * meant is unknown. For labelers; rows read from files are never changed by it.
 */
export function verdictInWords(judgment: string): 'perfect' | 'criticism' | 'contradiction' {
  const rest = after(judgment, PERFECT);
  if (rest === undefined) return 'criticism';
  return findsFault(rest) ? 'contradiction' : 'perfect';
}

/** What a critic writes where there is nothing to mend. */
export const NOTHING_TO_MEND = 'Nothing to mend.';

/** Whether a critique says so, or "Perfect.", and finds no fault after it. */
export function findsNothing(critique: string): boolean {
  const rest = after(critique, `nothing to mend|${PERFECT}`);
  return rest !== undefined && !findsFault(rest);
}

/** What people say of a good answer, and nothing else. */
const THANKS = new RegExp(`^(?:${[
  '(?:many |much |ok(?:ay)? )?(?:thanks|thank you|thx|danke|merci|gracias)(?: a lot| so much| very much)?',
  '(?:very |really |so |all |looks? |sounds? |that is |that’s |that\'s )?'
    + '(?:good|great|nice|helpful|correct|satisfactory|excellent|awesome|amazing|super|ok|okay|fine)(?: job| work| answer| response)?',
  'lgtm|well done|exactly what i needed|that helped|works(?: for me)?|no (?:issues?|problems?|complaints?|faults?|errors?|mistakes?)',
  '(?:👍|🙏|❤|💯|✅|😀|😊|🙂|[\u{1F3FB}-\u{1F3FF}\uFE0F])+',
].join('|')})$`, 'iu');
const isThanks = (judgment: string): boolean => {
  const parts = judgment.split(/[.,;!\s]*(?:[.,;!]|$)\s*/u).map((part) => part.trim()).filter((part) => part !== '');
  return parts.length > 0 && parts.every((part) => THANKS.test(part));
};

/**
 * Praise stored as a negative judgment: "The response is perfect …", without fault in the same sentence, or thanks alone. The doctor counts
 * these.
 */
export function looksLikePraise(judgment: string): boolean {
  if (isThanks(judgment)) return true;
  const [first = ''] = judgment.split(/(?<=[.!?])\s/);
  return after(judgment, PERFECT) !== undefined || (new RegExp(`^[\\s*_#]*(?:${PERFECT})\\b`, 'i').test(first) && !findsFault(first));
}
