/** The frame of every page: what a browser may load, the look, the title. */
import { Html, html } from './html.js';
import { STYLE } from './style.js';

/** What a page has beside its text. Default: nothing. */
export interface Extras {
  /** Scripts that may run, as a Content-Security-Policy names them. */
  readonly scripts?: string;
  /** A style sheet before the pages' own. */
  readonly style?: string;
}

/** A page of its own, which loads nothing. `body`: what stands in the body. */
export function documentOf(title: string, body: Html, { scripts, style = '' }: Extras = {}): string {
  const runs = scripts === undefined ? [] : [`script-src ${scripts}`];
  const policy = ["default-src 'none'", "style-src 'unsafe-inline'", ...runs, "base-uri 'none'", "form-action 'none'"].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="generator" content="Heed">
<title>${title} · Heed</title>
<style>${new Html(style.replaceAll('</style', '<\\/style'))}${new Html(STYLE)}</style>
</head>
<body>${body}</body>
</html>
`.text;
}
