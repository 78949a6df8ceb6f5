/** Half a surrogate pair is no character: tokenizers and files of UTF-8 would make "\ufffd" of it. */

/** The first text of a record with half a surrogate, and what is wrong with it; undefined where there is none. */
export function illFormed(
  fields: Readonly<Record<string, unknown>>,
): { readonly column: string; readonly reason: string; readonly value: string } | undefined {
  for (const [column, cell] of Object.entries(fields)) {
    const text = halfIn(column) ?? halfIn(cell);
    if (text === undefined) continue;
    const at = text.search(/\p{Surrogate}/u);
    const reason = `has half a surrogate pair (\\u${text.charCodeAt(at).toString(16)}), which is no character`;
    return { column, reason, value: text.slice(Math.max(0, at - 20), at + 20) };
  }
  return undefined;
}

/** The first text in a value with half a surrogate. */
export function halfIn(value: unknown): string | undefined {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? value : undefined;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = (Array.isArray(value) ? undefined : halfIn(key)) ?? halfIn(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
