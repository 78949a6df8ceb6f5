/** Runs before the chart library, which fails while loading where the browser's language is not valid ("en-US@posix"). */
export const LANGUAGE_GUARD = `
try { new Intl.NumberFormat(navigator.language); }
catch { Object.defineProperty(navigator, 'language', { value: 'en-US' }); }
`;

/** What the report does in the browser: draw the curves, show a token's numbers, filter the answers. Plain JavaScript, no network. */
export const SCRIPT = String.raw`
'use strict';
(() => {
  const curves = JSON.parse(document.getElementById('curves').textContent);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = (value) => value == null ? '–' : String(Number(value.toPrecision(3)));
  const whole = (value) => Number.isInteger(value) ? value.toLocaleString('en-US') : '';
  let charts = [];
  const draw = () => {
    charts.forEach((chart) => chart.destroy());
    const [ink, line, accent] = [color('--soft'), color('--line'), color('--accent')];
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: '11px ' + color('--sans') };
    charts = [...document.querySelectorAll('[data-curve]')].map((place) => {
      const { name, x, y, smooth } = curves[Number(place.dataset.curve)];
      const dots = { show: x.length <= 60, size: 4, fill: accent };
      const caption = place.parentElement.querySelector('figcaption span');
      const still = caption.textContent;
      const own = smooth ? { width: 1, alpha: .35, points: { show: false } } : { width: 2, alpha: 1, points: dots };
      const series = [{}, { label: name, stroke: accent, ...own }];
      if (smooth) series.push({ label: 'mean', stroke: accent, width: 2, points: { show: false } });
      return new uPlot({
        width: Math.max(200, place.clientWidth), height: place.clientHeight,
        legend: { show: false }, scales: { x: { time: false } }, series,
        axes: [
          { ...axis, size: 28, values: (_, splits) => splits.map(whole) },
          { ...axis, size: 54, values: (_, splits) => splits.map(short) },
        ],
        cursor: { y: false, points: { size: 7 } },
        hooks: { setCursor: [({ cursor: { idx: i } }) => {
          caption.textContent = i == null ? still : 'step ' + whole(x[i]) + ': ' + short(y[i]);
        }] },
      }, smooth ? [x, y, smooth] : [x, y], place);
    });
  };
  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  let width = innerWidth;
  addEventListener('resize', () => { if (innerWidth !== width) { width = innerWidth; draw(); } });

  const tip = document.getElementById('tip');
  const hide = () => { tip.hidden = true; };
  document.addEventListener('pointerover', (event) => {
    const token = event.target instanceof Element ? event.target.closest('.tokens .t') : null;
    if (!token) return hide();
    const value = token.dataset.v === '' ? null : Number(token.dataset.v);
    const sign = value > 0 ? '+' : '';
    const ratio = value == null ? 'no number was recorded' : 'log q/p = ' + sign + value.toFixed(3) + '\nq/p = ' + short(Math.exp(value));
    tip.textContent = JSON.stringify(token.textContent) + '\n' + ratio + (token.tagName === 'MARK' ? '\npushed down' : '');
    tip.hidden = false;
    const box = token.getClientRects()[0];
    tip.style.left = Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8)) + 'px';
    tip.style.top = (box.top > tip.offsetHeight + 12 ? box.top - tip.offsetHeight - 6 : box.bottom + 8) + 'px';
  });
  addEventListener('scroll', hide, { passive: true });

  const buttons = [...document.querySelectorAll('[data-show]')];
  for (const button of buttons) button.addEventListener('click', () => {
    for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
    const wanted = button.dataset.show;
    for (const pair of document.querySelectorAll('[data-change]')) pair.hidden = wanted !== 'all' && pair.dataset.change !== wanted;
  });
})();
`;
