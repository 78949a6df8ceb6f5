/** A model's thoughts in what it wrote, told from what it says. */

/** Names of marks that stand for thoughts wherever they are: `<think>` (DeepSeek, Qwen), `[THINK]` (Mistral), `◁think▷` (Kimi). */
const ALWAYS = ['think', 'thinking', 'seed:think'];
/** Names that other texts use too, in XML say: thoughts only where the text begins with one, or ends one that it did not begin. */
const AT_THE_START = [
  'thought', 'thoughts', 'reasoning', 'reason', 'reflection', 'scratchpad', 'analysis',
  'antthinking', 'inner_thoughts', 'internal_monologue', 'thinking_process',
];
/** What stands round a name, as regular expressions. */
const FRAMES = [['<', '>'], ['\\[', '\\]'], ['◁', '▷']] as const;

/** Marks that are tokens of their own: Command A's, those of Sky-T1 and OpenThinker, MedGemma's. */
const TOKENS = ['<\\|(?:START|END)_THINKING\\|>', '<\\|(?:begin|end)_of_thought\\|>', '<unused9[45]>'];

/** Beginnings of thoughts that a model writes as one token or as several. */
const OPENINGS = [
  ...[...ALWAYS, ...AT_THE_START].map((name) => `<${name}>`), '[THINK]', '◁think▷', '<|channel|>analysis', '<|START_THINKING|>',
  '<|begin_of_thought|>', '<unused94>',
];

/** Whether a text begins to open thoughts: `<`, `<thi`, `<think>`. */
export function opensThoughts(text: string): boolean {
  const begun = text.trimStart();
  return begun !== '' && OPENINGS.some((opening) => opening.startsWith(begun) || begun.startsWith(opening));
}

/** The mark at the end of a text that opens thoughts, as some chat templates end with `<think>`; undefined where there is none. */
export const openedThoughts = (text: string): string | undefined => OPENINGS.find((opening) => text.trimEnd().endsWith(opening));

/** Whether a token's text is a mark round thoughts. */
export const isThoughtMark = (token: string): boolean => {
  const [mark, ...more] = marksIn(token);
  return mark !== undefined && more.length === 0 && mark.length === token.trim().length;
};

/** What a model says, without its thoughts. */
export interface Speech {
  readonly text: string;
  /** The text ends within thoughts, so what the model would have said is unknown. */
  readonly unfinished: boolean;
  /** Thoughts end that the text did not begin: the prompt had opened them. */
  readonly openedBefore: boolean;
}

/**
 * Takes thoughts out of a text: between `<think>` and `</think>` and their like, before a `</think>` alone (the prompt had opened the
 * thoughts), and after a `<think>` without an end. Of a text in channels (gpt-oss) only the final one is said. A mark in quotation marks or
 * backticks is spoken of, and opens nothing.
 */
export function speechOf(text: string): Speech {
  const channel = finalChannel(text);
  if (channel !== undefined) return channel;
  let [from, thinking, openedBefore] = [0, false, false];
  let said: string[] = [];
  for (const { index, length, closes } of marksIn(text)) {
    if (closes) {
      if (!thinking) {
        openedBefore = true;
        said = [];
      }
      from = index + length;
    } else if (!thinking) said.push(text.slice(from, index));
    thinking = !closes;
  }
  if (thinking) return { text: '', unfinished: true, openedBefore };
  const spoken = [...said, text.slice(from)].join('');
  return { text: from === 0 ? spoken : unwrapped(spoken.trim()), unfinished: false, openedBefore };
}

/**
 * Where a text begins to speak after its thoughts: 0 where it has none; undefined where it ends within them.
 */
export function startOfSpeech(text: string): number | undefined {
  const last = marksIn(text).at(-1);
  if (last === undefined) return 0;
  return last.closes ? last.index + last.length : undefined;
}

interface Mark { readonly index: number; readonly length: number; readonly closes: boolean }

/** Marks that open or close thoughts, in order. */
function marksIn(text: string): Mark[] {
  const begins = (name: string): boolean => new RegExp(`^\\s*<${name}>`, 'i').test(text);
  const opens = (name: string): boolean => new RegExp(`<${name}>`, 'i').test(text);
  const names = [...ALWAYS, ...AT_THE_START.filter((name) => begins(name) || !opens(name))].join('|');
  const framed = FRAMES.map(([open, close]) => `${open}/?(?:${names})\\s*${close}`);
  const pattern = new RegExp([...framed, ...TOKENS].join('|'), 'giu');
  return [...text.matchAll(pattern)]
    .filter(({ index, 0: mark }) => !isQuoted(text, index, index + mark.length))
    // Square brackets are common: only the capitals of Mistral's marks count.
    .filter(({ 0: mark }) => !mark.startsWith('[') || mark === mark.toUpperCase())
    .map(({ index, 0: mark }) => ({ index, length: mark.length, closes: /^.\/|^<\|end|^<unused95/iu.test(mark) }));
}

const isQuoted = (text: string, start: number, end: number): boolean => (
  /["'“‘„`«]$/u.test(text.slice(0, start)) && /^[^\S\n]*["'”’“`».,]/u.test(text.slice(end))
);

/** The final channel of a text in channels, with the marks of gpt-oss or as it is left where a server took the marks out. */
function finalChannel(text: string): Speech | undefined {
  const spoken = (said: string): Speech => ({ text: said.trim(), unfinished: false, openedBefore: false });
  const unfinished: Speech = { text: '', unfinished: true, openedBefore: false };
  const marked = /<\|channel\|>\s*final[^<]*<\|message\|>([^]*?)(?:<\|(?:end|return|start)\|>|$)/.exec(text);
  if (marked !== null) return spoken(marked[1]!);
  if (/<\|channel\|>\s*(?:analysis|commentary)/.test(text)) return unfinished;
  const bare = /^\s*(?:analysis|commentary)\s*(?=\p{Lu})[^]*?assistant\s*final\s*([^]*)$/u.exec(text);
  if (bare !== null) return spoken(bare[1]!);
  if (/^\s*(?:analysis|commentary)(?=\p{Lu})/u.test(text)) return unfinished;
  // Granite's words for both.
  const process = /^\s*Here is my thought process:[^]*?(?:Here is my response:([^]*))?$/.exec(text);
  if (process === null) return undefined;
  return process[1] === undefined ? unfinished : spoken(process[1]);
}

/** What a model that was asked to think first puts round its answer. */
const WRAPPED = new RegExp(`^(?:${[
  ...['answer', 'response', 'output'].map((name) => `<${name}>([^]*)</${name}>`), '<\\|START_RESPONSE\\|>([^]*?)(?:<\\|END_RESPONSE\\|>)?',
  '<\\|begin_of_solution\\|>([^]*?)(?:<\\|end_of_solution\\|>)?',
].join('|')})$`, 'i');
const unwrapped = (text: string): string => WRAPPED.exec(text)?.slice(1).find((inner) => inner !== undefined)?.trim() ?? text;
