/** Traces that generation leaves in texts: control tokens written out, and answers that stop in the middle. */

/** Control tokens of the usual templates, as text. */
const SPELT = /<\|[a-z][a-z0-9_]*\|>|<｜[^｜]{1,40}｜>|<\/?s>|\[\/?INST\]|<<\/?SYS>>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>/i;

/**
 * A control token that stands in a text as text: it is never read as one, and a model would learn to write it.
 *
 * @param known The model's own, beside those of the usual templates.
 */
export const speltControl = (text: string, known: readonly string[] = []): string | undefined =>
  SPELT.exec(text)?.[0] ?? known.find((token) => token.trim() !== '' && text.includes(token));

/** Reasons that servers give where an answer reached its limit of tokens. */
const LIMITS: readonly unknown[] = ['length', 'max_tokens', 'MAX_TOKENS', 'max_output_tokens'];
/** Columns in which an answer's end is told. */
export const FINISH_COLUMNS: readonly string[] = ['finish', 'finish_reason', 'stop_reason'];
export const reachedLimit = (reason: unknown): boolean => LIMITS.includes(reason);

/** Words after which no sentence ends. */
const DANGLING = /(?:^|\s)(?:and|or|but|because|the|an?|of|to|with|for|from|that|which|is|are|was|were|by|as|than|your|their|its)$/i;
/** How a finished text ends: with an end of a sentence, and marks that close around it. */
const ENDED = /[.!?…。！？।:;)\]}>"'”’»*_`|~]\s*$|\p{Extended_Pictographic}\uFE0F?\s*$/u;
const OPEN = /[,(\[{“«—–-]\s*$/;
/** Last lines that need no mark: an item of a list, a hashtag, an address, a name under a quotation, a name and its value. */
const UNMARKED = /^[-*•—]|(?:^|\s)#\w+$|https?:\/\/\S+$|—\s*\p{Lu}[\p{L}\s.]*$|^\p{Lu}[\p{L} ]*: \S|= ?\S+$/u;
/** Shorter answers are often no sentences: "Paris", "An apple". */
const LEAST_WORDS = 12;
/** Words of a numbered item, or of a line below a colon, that are a name or a value: "2. Lupus", "9 x 5 = 45". */
const NAME_WORDS = 6;

/** Whether an answer looks as if it was cut off: it stops within a sentence or a block of code. */
export function looksCutOff(response: string): boolean {
  const text = response.trimEnd();
  if (text.split(/\s+/).length < LEAST_WORDS) return false;
  if (((text.match(/^\s*```/gm) ?? []).length) % 2 === 1) return true;
  if (OPEN.test(text)) return true;
  if (ENDED.test(text)) return false;
  // Verses and lists end their lines without a mark: then the last line is like the others.
  const [last = '', ...others] = text.split('\n').map((line) => line.trim()).filter((line) => line !== '').reverse();
  const bare = others.filter((line) => !ENDED.test(line)).length;
  if (others.length > 0 && bare * 2 >= others.length && !DANGLING.test(last)) return false;
  if (DANGLING.test(last)) return true;
  if (others.length > 0 && isValue(last, others[0]!)) return false;
  return !UNMARKED.test(last) && /[.!?。！？]["”')\]]*\s/u.test(text);
}

/** Whether a last line is a short item of a numbered list, or the value that the line before it announces. */
function isValue(last: string, before: string): boolean {
  const numbers = /^[\d\s,.]+$/.test(last);
  const short = last.split(/\s+/).length <= NAME_WORDS;
  return (short && /^\d+[.)]\s/.test(last)) || ((short || numbers || /[=+]/.test(last)) && before.endsWith(':'));
}
