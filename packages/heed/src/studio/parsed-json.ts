/** The value of a JSON text; undefined where it is none: for files that somebody may have cut or changed. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
