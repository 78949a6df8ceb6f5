/** A key that JSON writes twice in one object: `JSON.parse` would keep the last value and drop the others without a word. */

/** Where strings begin, and what opens and closes objects and lists. */
const MARK = /["{}[\]]/g;
const COLON = /\s*:/y;

/** The first key that an object of this JSON has twice; undefined where there is none. */
export function repeatedKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  const mark = new RegExp(MARK);
  for (let found = mark.exec(json); found !== null; found = mark.exec(json)) {
    const [token] = found;
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token !== '"') open.pop();
    else {
      const end = endOfString(json, found.index + 1);
      mark.lastIndex = COLON.lastIndex = end + 1;
      if (!COLON.test(json)) continue;
      const raw = json.slice(found.index + 1, end);
      const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

/** Where the quotation mark stands that ends a string: the next one behind an even number of backslashes. A pattern would need a stack. */
function endOfString(json: string, from: number): number {
  for (let at = json.indexOf('"', from); at >= 0; at = json.indexOf('"', at + 1)) {
    let slashes = 0;
    while (json[at - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return at;
  }
  return json.length;
}
