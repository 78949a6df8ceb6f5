/** The report's style sheet: one column, one scale of sizes, light and dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --bg: #fbfaf8; --card: #ffffff; --ink: #1d1c1a; --soft: #67635c; --line: #e4e0d9; --accent: #0f6a6a;
  --good: #17713a; --bad: #b3261e; --more: 226 88 12; --less: 37 99 215; --full: .62; --shade: rgb(0 0 0 / .28);
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #161617; --card: #1f1f21; --ink: #ebe8e3; --soft: #a29d95; --line: #37363a; --accent: #5fc4c0;
    --good: #6fce8e; --bad: #ff8a80; --more: 249 130 50; --less: 90 150 255; --full: .5; --shade: rgb(255 255 255 / .3);
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 16px/1.55 var(--sans); }
main { max-width: 1040px; margin: 0 auto; padding: 48px 24px 96px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 4px; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 56px 0 16px; letter-spacing: -.01em; }
h4 { font-size: .8125rem; margin: 0 0 6px; color: var(--soft); font-weight: 600; }
p { margin: 0 0 12px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 16px 0 0; font-size: .875rem; }
a { color: var(--accent); text-underline-offset: 3px; }
.quiet, .note, .how, figcaption span { color: var(--soft); }
.note, .how, .quiet { font-size: .875rem; }
.how { max-width: 70ch; }
.headline { margin: 40px 0 24px; }
.metric { color: var(--soft); margin: 0; }
.big {
  font-size: clamp(2.5rem, 8vw, 4.25rem); line-height: 1.05; font-weight: 650; letter-spacing: -.035em;
  margin: 0 0 8px; font-variant-numeric: tabular-nums;
}
.big .was, .big .arrow { color: var(--soft); font-weight: 400; }
.big .is { color: var(--accent); }
.alarm { color: var(--bad); font-weight: 600; border-left: 4px solid var(--bad); padding-left: 14px; max-width: 70ch; }
.lede { font-size: 1.0625rem; color: var(--soft); }
.scroll {
  /* Shadows at the edges beyond which there is more; covers that move with the table hide them where there is none. */
  overflow-x: auto; margin: 0 0 24px;
  background:
    linear-gradient(to right, var(--bg) 40%, transparent) left / 48px 100% no-repeat local,
    linear-gradient(to left, var(--bg) 40%, transparent) right / 48px 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) left / 18px 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) right / 18px 100% no-repeat scroll;
}
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.scroll > table { margin: 0; }
.scroll tbody th:first-child, .scroll thead th:first-child {
  position: sticky; left: 0; z-index: 1; background: var(--bg); white-space: normal; min-width: 11rem;
}
table { border-collapse: collapse; width: 100%; margin: 0 0 24px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0 0 6px; }
th, td { text-align: left; padding: 8px 20px 8px 0; border-bottom: 1px solid var(--line); font-weight: 400; white-space: nowrap; }
thead th { color: var(--soft); font-size: .8125rem; padding-bottom: 4px; }
.num { text-align: right; } .strong { font-weight: 650; } .strong .quiet, caption .quiet { font-weight: 400; }
th.plot, td.plot { width: 40%; min-width: 160px; padding-right: 0; padding-left: 12px; }
th.plot span { display: inline-block; width: 50%; } th.plot span + span { text-align: right; }
.whisker { display: block; width: 100%; height: 16px; overflow: visible; }
.whisker line { vector-effect: non-scaling-stroke; }
.whisker .axis { stroke: var(--line); stroke-width: 1; }
.whisker .range { stroke: var(--accent); stroke-width: 5; opacity: .38; stroke-linecap: round; }
.whisker .mean { stroke: var(--accent); stroke-width: 3; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 14px 24px; margin: 0; }
.facts dt { color: var(--soft); font-size: .8125rem; } .facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 16px; }
figure { margin: 0; padding: 14px 14px 6px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; min-width: 0; }
figure.wide { grid-column: 1 / -1; }
figcaption {
  display: flex; justify-content: space-between; gap: 12px; font-size: .875rem; margin-bottom: 6px;
  font-variant-numeric: tabular-nums;
}
.chart { height: 170px; } .wide .chart { height: 240px; }
.u-legend { display: none; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 20px; margin: 0 0 14px; }
article header { display: flex; gap: 10px; align-items: baseline; font-size: .8125rem; margin-bottom: 6px; }
article header .count { margin-left: auto; color: var(--soft); }
.id { font: .8125rem var(--mono); color: var(--soft); }
.prompt { color: var(--soft); font-size: .9375rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.tokens { font-size: 1.0625rem; line-height: 1.95; white-space: pre-wrap; overflow-wrap: anywhere; }
.t {
  border-radius: 3px; padding: 2px 0; color: inherit; background: none; -webkit-box-decoration-break: clone;
  box-decoration-break: clone;
}
.t.more { background: rgb(var(--more) / calc(var(--a) * var(--full))); }
.t.less { background: rgb(var(--less) / calc(var(--a) * var(--full))); }
.t.none { outline: 1px dotted var(--soft); }
.tokens .t:hover { outline: 2px solid var(--ink); outline-offset: 0; }
mark.t {
  font-weight: 750; text-decoration: underline; text-decoration-thickness: 3px; text-underline-offset: 5px;
  text-decoration-color: rgb(var(--more)); text-decoration-skip-ink: none;
}
.judgment {
  margin: 12px 0 0; padding: 0 0 0 14px; border-left: 3px solid var(--line); font-size: .9375rem;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.judgment b { color: var(--soft); font-weight: 600; font-size: .8125rem; margin-right: 4px; }
.legend {
  display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; margin: 0 0 14px; font-size: .875rem;
  font-variant-numeric: tabular-nums;
}
.ramp {
  width: 180px; height: 12px; border-radius: 6px;
  background: linear-gradient(90deg, rgb(var(--less) / var(--full)), transparent 50%, rgb(var(--more) / var(--full)));
  border: 1px solid var(--line);
}
.words { font-size: .9375rem; line-height: 2; } .words b { font-weight: 600; margin-right: 6px; }
.word { padding: 2px 9px; border: 1px solid var(--line); border-radius: 99px; background: var(--card); white-space: nowrap; }
.word small { color: var(--soft); }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; }
.side { min-width: 0; } .text { white-space: pre-wrap; overflow-wrap: anywhere; }
.reason { color: var(--soft); font-size: .875rem; margin: 8px 0 0; overflow-wrap: anywhere; }
.chip { font-weight: 600; margin-left: 6px; } .chip.good { color: var(--good); } .chip.bad { color: var(--bad); }
.filter { display: flex; flex-wrap: wrap; gap: 8px; }
button {
  font: inherit; font-size: .875rem; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: 99px; padding: 4px 14px; cursor: pointer;
}
button[aria-pressed=true] { background: var(--ink); color: var(--bg); border-color: var(--ink); }
button:focus-visible, a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
pre {
  font: .8125rem/1.6 var(--mono); background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 16px 20px; margin: 0; overflow-x: auto;
}
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
#tip {
  position: fixed; z-index: 10; pointer-events: none; background: var(--ink); color: var(--bg); font-size: .8125rem;
  line-height: 1.45; padding: 6px 10px; border-radius: 6px; max-width: 280px; white-space: pre-line;
  font-variant-numeric: tabular-nums;
}
@media (max-width: 640px) {
  main { padding: 28px 16px 64px; }
  .sides { grid-template-columns: 1fr; gap: 16px; }
  .curves { grid-template-columns: 1fr; }
  th.plot, td.plot { display: none; }
  /* A table of several columns becomes a list of rows, so that no column is beyond the screen. */
  .cards, .cards tbody, .cards caption { display: block; }
  .cards thead { display: none; }
  .cards tr { display: block; padding: 10px 0; border-bottom: 1px solid var(--line); }
  .scroll tbody th:first-child { position: static; }
  .cards th, .cards td { display: block; border: 0; padding: 2px 0; white-space: normal; text-align: left; overflow-wrap: anywhere; }
  .cards td[data-label]::before {
    content: attr(data-label); color: var(--soft); font-size: .8125rem; font-weight: 400; margin-right: 8px;
  }
  .cards th[scope=row] { font-weight: 600; } .cards th .quiet { font-weight: 400; }
}
@media print { .scroll { overflow: visible; background: none; } article, figure { break-inside: avoid; } nav, .filter { display: none; } }
`;
