/** Keys of services: they may never reach a log, a store or a report. */

/** How well-known services begin their keys. */
const PREFIXES = [/\b(?:sk|pk|key|glpat|xai|nvapi|pplx|csk)-[\w*.-]{6,}/i, /\b(?:sk|pk|rk|hf|ghp|gho|ghs|github_pat|gsk)_[\w*.-]{6,}/, /\bAIza[\w-]{20,}/];

/** Puts `[key]` in the place of everything in a text that is written as keys are. */
export const hideKeys = (text: string): string =>
  PREFIXES.reduce((plain, prefix) => plain.replaceAll(new RegExp(prefix, `${prefix.flags}g`), '[key]'), text).replaceAll(/\bBearer\s+\S+/gi, 'Bearer [key]');

/** Whether a word that is to be a name is a key: by how it begins, or because nobody would call anything so. */
export function looksLikeKey(name: string): boolean {
  if (hideKeys(name) !== name) return true;
  if (name.length < 16 || !/\d/.test(name)) return false;
  return /[a-z]/.test(name) ? /[A-Z]/.test(name) || !name.includes('_') : !name.includes('_');
}

const FIELDS = new Set(['key', 'apikey', 'xapikey', 'authorization', 'auth', 'bearer', 'token', 'apitoken', 'accesstoken', 'authtoken', 'accesskey', 'secret', 'secretkey', 'clientsecret', 'password', 'passwd', 'credential', 'credentials']);

/** Whether a field is one that holds a key: `api_key`, `Authorization`; `max_tokens` and `prompt_cache_key` are none. */
export const isKeyField = (name: string): boolean => FIELDS.has(name.toLowerCase().replaceAll(/[-_]/g, ''));

/** A setting as it was typed (`judge.endpoint.keyFrom=…`, `extra={ api_key: … }`) without what was given for a key. */
export const hideSettings = (text: string): string =>
  hideKeys(text.replaceAll(/([\w.-]+)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^,{}\n]+)/g, (all: string, name: string, sign: string) => {
    const field = name.split('.').at(-1)!;
    return field === 'keyFrom' || isKeyField(field) ? `${name}${sign}[key]` : all;
  }));
