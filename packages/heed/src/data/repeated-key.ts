/** A key that JSON writes twice in one object: `JSON.parse` would keep the last value and drop the others without a word. */

/** Strings, with the colon that makes one a key, and what opens and closes objects and lists. */
const TOKEN = /"((?:[^"\\]|\\[^])*)"(\s*:)?|[{}[\]]/g;

/** The first key that an object of this JSON has twice; undefined where there is none. */
export function repeatedKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, raw, colon] of json.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const key = raw!.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw!;
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
