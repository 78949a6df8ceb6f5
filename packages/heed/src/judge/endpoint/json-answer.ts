/**
 * The objects of JSON that a text holds, in order; not those within other objects. They may stand in a code fence, with words before and
 * after.
 */
export function objectsIn(text: string): object[] {
  const found: object[] = [];
  for (let start = text.indexOf('{'); start >= 0; start = text.indexOf('{', start)) {
    const end = endOf(text, start);
    const value = end === undefined ? undefined : parsed(text.slice(start, end));
    if (value !== undefined) found.push(value);
    start = value === undefined ? start + 1 : end!;
  }
  return found;
}

/** Where the brace at `start` is closed; braces in strings do not count. */
function endOf(text: string, start: number): number | undefined {
  let [depth, inString] = [0, false];
  for (let i = start; i < text.length; i++) {
    const character = text[i];
    if (inString && character === '\\') i++;
    else if (character === '"') inString = !inString;
    else if (!inString && character === '{') depth++;
    else if (!inString && character === '}' && --depth === 0) return i + 1;
  }
  return undefined;
}

function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
