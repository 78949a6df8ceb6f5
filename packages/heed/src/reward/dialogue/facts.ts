/** What a speaker says of themselves, as facts that can be compared: "I have two dogs" against "I have no pets". English, by patterns. */
import { numbersIn } from '../../text/numbers.js';
import { type Span, sentencesOf } from '../../text/sentences.js';
import { isStopWord, plainWords, stem } from '../../text/words.js';

/** What a fact is about. Of the slots in `EXCLUSIVE` a person has one value only. */
export type Slot =
  | 'job' | 'home' | 'origin' | 'childhood' | 'age' | 'name' | 'diet' | 'partner' | 'working' | 'favourite' | 'named'
  | 'owns' | 'likes' | 'can' | 'been' | 'does';

export interface Fact {
  readonly slot: Slot;
  /** What of the slot: which favourite, what is owned, which verb is done; '' where a slot has one value. */
  readonly key: string;
  /** Stems of the words that the fact says. */
  readonly value: readonly string[];
  /** False where it is denied: "I do not like football". */
  readonly positive: boolean;
  /** How many or how much. */
  readonly number?: number;
  readonly span: Span;
}

const NOT_JOBS = /(?:mother|father|sister|brother|daughter|lover|beginner|owner|member|person|teenager|morning|winter|summer|number|dinner)$/;
const JOB = new RegExp('(?:er|or|ist|ian|ant|eer|cian|man|woman|nurse|chef|cook|student|clerk|pilot|judge|nun|guard|monk|smith|professional'
  + '|surgeon|architect|model|analyst|scientist|secretary|librarian|maid|guide|coach|agent)$');
const HATES = /^(?:hate|dislike|detest|loathe|despise|(?:can't|cannot) stand)$/;
const NEVER = "(?:never |do not |don't |did not |didn't |no longer |cannot |can't )";

/** A pattern over a clause in lower case, and the fact that it gives; `undefined` where the words turn out to say something else. */
type Pattern = readonly [RegExp, (groups: Readonly<Record<string, string | undefined>>) => Omit<Fact, 'span'> | undefined];

const stems = (text = ''): string[] => plainWords(text).filter((word) => !isStopWord(word)).map(stem);
const fact = (slot: Slot, text: string | undefined, positive = true, key = ''): Omit<Fact, 'span'> | undefined => {
  const value = stems(text);
  return value.length === 0 ? undefined : { slot, key, value, positive };
};
const isNot = (text: string | undefined): boolean => /\b(?:not|never|no)\b|n't\b/.test(text ?? '');

/** "I have two big dogs": the last word is what is owned. */
function owned(text: string | undefined, positive: boolean): Omit<Fact, 'span'> | undefined {
  const [first = ''] = (text ?? '').split(/\b(?:named|called|who|that|which|and|at|in|with|from|for|on|to|over|but|when)\b/);
  const number = numbersIn(first)[0]?.value ?? (/^(?:an?|one)\b/.test(first) ? 1 : undefined);
  const none = /^(?:no|not any|any)\b/.test(first);
  const value = stems(first.replace(/^(?:no|not any|any)\b/, '')).filter((word) => numbersIn(word).length === 0);
  const key = value.at(-1);
  if (key === undefined) return undefined;
  const has = positive && !none;
  return { slot: 'owns', key, value, positive: has, number: has ? number : 0 };
}

const AM = "i(?:'m| am| was)(?<not> not)?(?: now| also| still| just)?";
const PATTERNS: readonly Pattern[] = [
  [/\bi(?:'m| am) (?<n>[\w-]+) years old|\bi(?:'m| am) (?<m>\d+)$/, ({ n, m }) => {
    const number = numbersIn(n ?? m ?? '')[0]?.value;
    return number === undefined ? undefined : { slot: 'age', key: '', value: [String(number)], positive: true, number };
  }],
  [/\bmy (?<who>\w+) is (?<n>[\w-]+) years old/, ({ who, n }) => {
    const number = numbersIn(n ?? '')[0]?.value;
    return number === undefined ? undefined : { slot: 'age', key: stem(who!), value: [String(number)], positive: true, number };
  }],
  [/\bmy name(?: is|'s) (?<name>\w+)/, ({ name }) => fact('name', name)],
  [/\bmy (?<who>\w+)(?: is|'s) (?:named|called) (?<name>\w+)/, ({ who, name }) => fact('named', name, true, stem(who!))],
  [/\b(?:an?|my) (?<who>\w+) (?:named|called) (?<name>\w+)/, ({ who, name }) => fact('named', name, true, stem(who!))],
  [/\bmy favou?rite (?<what>\w+)(?: is|'s| are) (?<it>.+)/, ({ what, it }) => fact('favourite', it, true, stem(what!))],
  [new RegExp(`\\b(?:${AM}|as)(?: an?)? (?<diet>vegan|vegetarian)\\b`), ({ not, diet }) => fact('diet', diet, !isNot(not))],
  [new RegExp(`\\b${AM} (?<state>married|single|divorced|engaged|widowed)\\b`), ({ not, state }) => fact('partner', state, !isNot(not))],
  [new RegExp(`\\b${AM}(?: an?)? retired\\b`), ({ not }) => ({ slot: 'working', key: '', value: ['work'], positive: isNot(not) })],
  [/\bi still (?:work|teach|drive|run|practise)\b/, () => ({ slot: 'working', key: '', value: ['work'], positive: true })],
  [new RegExp(`\\b${AM} allergic to (?<what>.+)`), ({ not, what }) => fact('does', what, isNot(not), 'eat')],
  [new RegExp(`\\b(?:${AM}|i come|i) from (?<where>.+)`), ({ not, where }) => fact('origin', where, !isNot(not))],
  [/\bi grew up (?:in|on|at|near) (?<where>.+)/, ({ where }) => fact('childhood', where)],
  [/\bi(?:'ve| have)? live[ds]?(?: \w+)? in (?<where>.+)/, ({ where }) => fact('home', where)],
  [/\bi (?:work|worked) as an? (?<job>[\w' -]+)/, ({ job }) => fact('job', job!.split(/ (?:in|at|for|on|from|with|near|all|and) /)[0])],
  [new RegExp(`\\b${AM} an? (?<job>[\\w' -]+)`), ({ not, job }) => {
    const noun = job!.split(/ (?:in|at|for|on|from|with|near|of|by|who|that|and|when|all) /)[0]!.trim();
    return JOB.test(noun) && !NOT_JOBS.test(noun) ? fact('job', noun, !isNot(not)) : undefined;
  }],
  [/\bi(?:'ve| have)(?<never> never| not)? been to (?<where>.+)/, ({ never, where }) => fact('been', where, never === undefined)],
  [/\bi (?<not>do not|don't|never) (?:have|own) (?<what>.+)/, ({ what }) => owned(what, false)],
  [/\bi(?:'ve got| have got| have| own) (?<what>.+)/, ({ what }) => owned(what, true)],
  [/\bi (?<can>can(?:not|'t| not)?) (?<what>.+)/, ({ can, what }) => fact('can', what, can === 'can')],
  [/\bi (?:really |also |just |still )?(?<verb>love|like|enjoy|adore|hate|dislike|detest|loathe|despise) (?:to )?(?<what>.+)/,
    ({ verb, what }) => fact('likes', what, !HATES.test(verb!))],
  [/\bi (?:do not|don't|never|no longer)(?: really)? (?:love|like|enjoy) (?:to )?(?<what>.+)/, ({ what }) => fact('likes', what, false)],
  [new RegExp(`\\bi (?<never>${NEVER})?(?:also |still |often |usually |always |mostly )?(?<verb>[a-z]{2,}) (?<what>.+)`),
    ({ never, verb, what }) => (isStopWord(verb!) ? undefined : fact('does', what, !isNot(never), stem(verb!)))],
];

/** Where one clause ends and the next begins. */
const CLAUSE = /[,;:.!?()]+|\s(?:but|although|though|because|so that|so|while|which|and(?= (?:i|my|he|she|they|it|the|in|on|both|at)\b))\s/gi;

/** Parts of a sentence, each with its place in the text. */
function clausesOf({ text, start }: Span): Span[] {
  const spans: Span[] = [];
  let from = 0;
  const add = (to: number): void => {
    const piece = text.slice(from, to);
    const trimmed = piece.trim();
    const at = start + from + piece.indexOf(trimmed);
    if (trimmed !== '') spans.push({ text: trimmed, start: at, end: at + trimmed.length });
  };
  for (const match of text.matchAll(CLAUSE)) {
    add(match.index);
    from = match.index + match[0].length;
  }
  add(text.length);
  return spans;
}

/** The facts that a text says of its speaker. Questions say none. */
export function factsOf(text: string): Fact[] {
  return sentencesOf(text).filter((sentence) => !sentence.text.endsWith('?')).flatMap(clausesOf).flatMap((span) => {
    const plain = span.text.toLowerCase().replaceAll('’', "'");
    const found: Fact[] = [];
    for (const [pattern, read] of PATTERNS) {
      const groups = pattern.exec(plain)?.groups;
      const one = groups === undefined && !pattern.test(plain) ? undefined : read(groups ?? {});
      // "I am a retired teacher" is a job and no longer working; of the general patterns the first one that fits counts.
      if (one !== undefined && (found.length === 0 || one.slot === 'job' || one.slot === 'named')) found.push({ ...one, span });
    }
    return found;
  });
}

/** A system message that says "You are a baker. You have two dogs.", as the persona itself would say it. */
export const asFirstPerson = (text: string): string => text
  .replaceAll(/\byou are\b/gi, 'I am').replaceAll(/\byou're\b/gi, "I'm").replaceAll(/\byour\b/gi, 'my').replaceAll(/\byou\b/gi, 'I');
