/** A point in time as templates print it: Python's `strftime` in its C locale, which `strftime_now` of transformers is. */

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');
const dayOfYear = (at: Date): number =>
  Math.round((Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) - Date.UTC(at.getFullYear(), 0, 1)) / 86_400_000) + 1;
const twelve = (hours: number): number => hours % 12 || 12;

const DIRECTIVES: Readonly<Record<string, (at: Date) => string>> = {
  Y: (at) => String(at.getFullYear()),
  y: (at) => pad(at.getFullYear() % 100),
  m: (at) => pad(at.getMonth() + 1),
  B: (at) => MONTHS[at.getMonth()]!,
  b: (at) => MONTHS[at.getMonth()]!.slice(0, 3),
  h: (at) => MONTHS[at.getMonth()]!.slice(0, 3),
  d: (at) => pad(at.getDate()),
  e: (at) => String(at.getDate()).padStart(2),
  j: (at) => pad(dayOfYear(at), 3),
  A: (at) => DAYS[at.getDay()]!,
  a: (at) => DAYS[at.getDay()]!.slice(0, 3),
  w: (at) => String(at.getDay()),
  u: (at) => String(at.getDay() || 7),
  H: (at) => pad(at.getHours()),
  I: (at) => pad(twelve(at.getHours())),
  M: (at) => pad(at.getMinutes()),
  S: (at) => pad(at.getSeconds()),
  f: (at) => pad(at.getMilliseconds() * 1000, 6),
  p: (at) => (at.getHours() < 12 ? 'AM' : 'PM'),
  '%': () => '%',
};
const COMPOUND: Readonly<Record<string, string>> = { D: '%m/%d/%y', F: '%Y-%m-%d', T: '%H:%M:%S', R: '%H:%M' };

/** @param format `%d %b %Y` and the like; `%-d` is `%d` without its zeros. A directive that is not known stays as it is. */
export function strftime(at: Date, format: string): string {
  const plain = format.replace(/%([DFTR])/g, (_, name: string) => COMPOUND[name]!);
  return plain.replace(/%(-?)([A-Za-z%])/g, (directive, dash: string, name: string) => {
    const written = DIRECTIVES[name]?.(at);
    if (written === undefined) return directive;
    return dash === '' ? written : written.replace(/^[0 ]+(?=.)/, '');
  });
}
