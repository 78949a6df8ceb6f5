/** What Python's methods of str do, where lm-evaluation-harness uses them and JavaScript's differ. */

/** Python's white space: JavaScript's without U+FEFF, with the four separators U+001C to U+001F and U+0085. */
const BLANK = String.raw`[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;
const START = new RegExp(`^${BLANK}+`);
const END = new RegExp(`${BLANK}+$`);

/** `str.rstrip()` */
export const rstrip = (text: string): string => text.replace(END, '');

/** `str.strip()` */
export const strip = (text: string): string => rstrip(text).replace(START, '');

/** `str.capitalize()`: the first character is made upper case, and **all others lower case**. */
export function capitalize(text: string): string {
  const [first = '', ...rest] = text;
  return first.toUpperCase() + rest.join('').toLowerCase();
}

/** `len(str)`: code points. */
export const codePoints = (text: string): number => [...text].length;
