import { expect, it } from 'vitest';
import { countedAgain } from '../../src/runtime/resident.js';

const mapping = (at: string, offset: string, inode: number, rss: number): string =>
  `${at}-7f0000fff000 r--p ${offset} fe:00 ${inode}  /weights\nSize:  9999 kB\nRss:  ${rss} kB\nPss:  1 kB\nVmFlags: rd mr\n`;

it('counts parts of files that are mapped again, and nothing else', () => {
  const twice = mapping('7f0000000000', '00001000', 7, 500) + mapping('7f1000000000', '00001000', 7, 300);
  const others = mapping('7f2000000000', '00002000', 7, 40) + mapping('7f3000000000', '00001000', 8, 60);
  const anonymous = mapping('7f4000000000', '00000000', 0, 1000) + mapping('7f5000000000', '00000000', 0, 1000);
  expect(countedAgain(twice + others + anonymous)).toBe(300 * 1024);
  expect(countedAgain(twice + mapping('7f6000000000', '00001000', 7, 700))).toBe(800 * 1024);
  expect(countedAgain('')).toBe(0);
});
