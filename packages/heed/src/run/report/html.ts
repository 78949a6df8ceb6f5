/** HTML that cannot forget to escape: whatever enters the template is text, unless it came out of the template. */

/** A piece of finished HTML. */
export class Html {
  constructor(readonly text: string) {}
}

/** What may stand in a template. `false`, null and undefined stand for nothing. */
export type Part = Html | string | number | false | null | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === false || part === null || part === undefined) return '';
  if (typeof part === 'object') return part.map(render).join('');
  // NUL and other control characters are not HTML, escaped or not.
  return String(part).replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char).replaceAll(/[\0-\x08\x0B\x0C\x0E-\x1F\x7F]/g, '�');
}

/** `` html`<p>${text}</p>` ``: the text is escaped, inner `html` is not. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((text, string, i) => text + render(parts[i - 1]) + string));
}

/** Data for a script, in an element that holds nothing but it. */
export function jsonBlock(id: string, value: unknown): Html {
  const text = JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  return new Html(`<script type="application/json" id="${id}">${text}</script>`);
}

/** The attributes of a box in which a wide table scrolls, also by the keys. */
export const SCROLLING = new Html('class="scroll" tabindex="0" role="group" aria-label="table"');
