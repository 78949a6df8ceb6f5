import { expect, it } from 'vitest';
import { renderCredit } from '../../src/cli/render-credit.js';

const answer = { texts: ['The', ' best', '\n', 'lamp', '.', '<end>'], advantages: [0.5, -1, -1, -0.2, -0.2, 0] };

it('an answer has its advantages in brackets, neighbours of one advantage together', () => {
  expect(renderCredit(answer, 1, false)).toBe('[+0.50]The[−1.00] best⏎\n[−0.20]lamp.[+0.00]<end>');
});

it('in colour: green above 0, red below, bold where it is large and dim where it is small; styles end with their line', () => {
  const [green, red, bold, dim, plain, normal] = ['\u001b[32m', '\u001b[31m', '\u001b[1m', '\u001b[2m', '\u001b[39m', '\u001b[22m'];
  expect(renderCredit(answer, 1, true)).toBe(
    `${green}The${plain}${bold}${red} best⏎${plain}${normal}\n${dim}${red}lamp.${plain}${normal}<end>`,
  );
});
