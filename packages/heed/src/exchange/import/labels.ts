/** Words that stand for a vote or a number: "pass", "bad", "3 stars". */
import { UserError } from '../../errors.js';

/** What a word means: a vote, or a number. */
export type Meaning = boolean | number;

/** Words with one meaning everywhere. */
const KNOWN: ReadonlyMap<string, boolean> = new Map([
  ...['pass', 'passed', 'yes', 'true', 'good', 'correct', 'up', 'like', 'thumbsup', 'thumbs_up', 'helpful', 'positive']
    .map((word): [string, boolean] => [word, true]),
  ...['fail', 'failed', 'no', 'false', 'bad', 'incorrect', 'wrong', 'down', 'dislike', 'thumbsdown', 'thumbs_down', 'unhelpful', 'negative']
    .map((word): [string, boolean] => [word, false]),
]);

/** What `--map` writes for votes. */
const VOTES: ReadonlyMap<string, boolean> = new Map([['good', true], ['bad', false]]);

const plain = (word: string): string => word.trim().toLowerCase();

/**
 * `--map funny=good,rude=bad,so-so=0.5`.
 *
 * @throws UserError for a part that is no such pair
 */
export function readLabelMap(text: string | undefined): ReadonlyMap<string, Meaning> {
  const map = new Map<string, Meaning>();
  for (const part of (text ?? '').split(',').map((one) => one.trim()).filter((one) => one !== '')) {
    const [, word = '', meant = ''] = /^(.+)=([^=]+)$/.exec(part) ?? [];
    const meaning = VOTES.get(plain(meant)) ?? Number(meant);
    if (word === '' || (typeof meaning === 'number' && !Number.isFinite(meaning))) {
      throw new UserError(`--map ${text}: ${part} does not say what a label means.`, ['Write --map LABEL=good,LABEL=bad or LABEL=NUMBER.']);
    }
    if (map.has(plain(word))) throw new UserError(`--map ${text}: ${word} is mapped twice.`);
    map.set(plain(word), meaning);
  }
  return map;
}

/** What a word means: as the user says, else as everybody does; undefined where neither is known. */
export const meaningOf = (word: string, map: ReadonlyMap<string, Meaning>): Meaning | undefined =>
  map.get(plain(word)) ?? KNOWN.get(plain(word));

/** The end of a refusal of a word. */
export const MAP_IT = 'has no meaning that is known: say --map LABEL=good,LABEL=bad';

/**
 * `--fields prompt=question,vote=ok`: our word → the file's.
 *
 * @throws UserError for a part that is no such pair
 */
export function readFieldMap(text: string | undefined): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const part of (text ?? '').split(',').map((one) => one.trim()).filter((one) => one !== '')) {
    const [, ours = '', theirs = ''] = /^(\w+)=(.+)$/.exec(part) ?? [];
    if (ours === '') throw new UserError(`--fields ${text}: ${part} names no field.`, ['Write --fields prompt=NAME,vote=NAME.']);
    if (map.has(ours)) throw new UserError(`--fields ${text}: ${ours} is named twice.`);
    map.set(ours, theirs);
  }
  return map;
}
