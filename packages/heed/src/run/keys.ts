/** Keys of services: they may never reach a log, a store or a report. */

/** How well-known services begin their keys. */
const PREFIXES = [
  /\b(?:sk|pk|key|glpat|xai|nvapi|pplx|csk)-[\w*.-]{6,}/i,
  /\b(?:sk|pk|rk|hf|ghp|gho|ghs|github_pat|gsk)_[\w*.-]{6,}/,
  /\bAIza[\w-]{20,}/,
];

/** Writes `[key]` in the place of everything in a text that looks like a key. */
export function hideKeys(text: string): string {
  const plain = PREFIXES.reduce((rest, prefix) => rest.replaceAll(new RegExp(prefix, `${prefix.flags}g`), '[key]'), text);
  return plain.replaceAll(/\bBearer\s+\S+/gi, 'Bearer [key]');
}

/** Whether a word that stands where a name belongs is a key: it begins as keys do, or nobody would choose it as a name. */
export function looksLikeKey(name: string): boolean {
  if (hideKeys(name) !== name) return true;
  if (name.length < 16 || !/\d/.test(name)) return false;
  return /[a-z]/.test(name) ? /[A-Z]/.test(name) || !name.includes('_') : !name.includes('_');
}

const FIELDS = new Set([
  'key', 'apikey', 'xapikey', 'accesskey', 'token', 'apitoken', 'accesstoken', 'authtoken', 'authorization', 'auth', 'bearer',
  'secret', 'secretkey', 'clientsecret', 'password', 'passwd', 'credential', 'credentials',
]);

/** Whether a field holds a key by its name: `api_key` and `Authorization` do, `max_tokens` and `prompt_cache_key` do not. */
export const isKeyField = (name: string): boolean => FIELDS.has(name.toLowerCase().replaceAll(/[-_]/g, ''));

/** A setting as it was typed (`judge.endpoint.keyFrom=…`, `extra={ api_key: … }`), with `[key]` in the place of a key. */
export const hideSettings = (text: string): string =>
  hideKeys(text.replaceAll(/([\w.-]+)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^,{}\n]+)/g, (all: string, name: string, sign: string) => {
    const field = name.split('.').at(-1)!;
    return field === 'keyFrom' || isKeyField(field) ? `${name}${sign}[key]` : all;
  }));
