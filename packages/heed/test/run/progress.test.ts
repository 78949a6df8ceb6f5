import { Writable } from 'node:stream';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { clock } from '../../src/run/numbers.js';
import { createProgress, rate } from '../../src/run/progress.js';
import { type SignalSource, onInterrupt } from '../../src/run/signals.js';

function sink(isTTY: boolean): { stream: Writable & { isTTY: boolean }; text: () => string } {
  let text = '';
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => ((text += chunk.toString()), done()) });
  return { stream: Object.assign(stream, { isTTY, columns: 120, cursorTo: () => true, clearLine: () => true }), text: () => text };
}

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('says nothing about what takes less than two seconds', () => {
    const { stream, text } = sink(false);
    const progress = createProgress({ stream, now: () => Date.now() });
    progress.start('Quick', 10);
    for (let i = 1; i <= 10; i++) {
      vi.advanceTimersByTime(190);
      progress.update(i);
    }
    progress.stop();
    expect(text()).toBe('');
  });

  it('writes a line about every ten seconds where there is no terminal', () => {
    const { stream, text } = sink(false);
    const progress = createProgress({ stream, now: () => Date.now() });
    progress.start('Training', 100, { unit: 'steps' });
    for (let i = 1; i <= 60; i++) {
      vi.advanceTimersByTime(500);
      progress.update(i, `loss ${i}`);
    }
    progress.stop();
    const lines = text().trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^Training: \d\/100 \(\d %\) · .* steps\/s · 1:\d\d left/);
    expect(lines[2]).toContain('2.0 steps/s');
    vi.advanceTimersByTime(60_000);
    expect(text().trim().split('\n')).toHaveLength(3);
  });

  it('shows what is beside all work as it is at that moment, until it is taken away', () => {
    const { stream, text } = sink(false);
    const progress = createProgress({ stream, now: () => Date.now() });
    let alive = 2;
    progress.beside(() => `${alive} of 2 workers`);
    progress.start('Training', 10);
    progress.update(1, 'loss 3');
    vi.advanceTimersByTime(2500);
    alive = 1;
    vi.advanceTimersByTime(10_000);
    progress.start('Answering', 10);
    vi.advanceTimersByTime(2500);
    progress.beside(undefined);
    vi.advanceTimersByTime(10_000);
    progress.stop();
    const ends = text().trim().split('\n').map((line) => line.split(' · ').slice(2).join(' · '));
    expect(ends).toEqual([
      expect.stringMatching(/left · loss 3 · 2 of 2 workers$/), expect.stringMatching(/left · loss 3 · 1 of 2 workers$/),
      expect.stringMatching(/left · 1 of 2 workers$/), expect.stringMatching(/left$/),
    ]);
  });

  it('shows a bar on a terminal, also while one unit takes long', () => {
    const { stream, text } = sink(true);
    const progress = createProgress({ stream, now: () => Date.now() });
    progress.start('Resumed', 10, { done: 5 });
    vi.advanceTimersByTime(3_000);
    expect(text()).toContain('Resumed');
    expect(text()).toContain('5/10');
    vi.advanceTimersByTime(1_000);
    progress.update(6);
    vi.advanceTimersByTime(500);
    expect(text()).toContain('4.0 s each'); // counted from where it resumed
    progress.stop();
  });

  it('never stands at 100 % while it is there', () => {
    const { stream, text } = sink(false);
    const progress = createProgress({ stream, now: () => Date.now() });
    progress.start('Answering', 4);
    progress.update(4);
    vi.advanceTimersByTime(3_000);
    progress.stop();
    expect(text()).toBe('Answering: 4/4 (99 %) · finishing\n');
    const terminal = sink(true);
    const bar = createProgress({ stream: terminal.stream, now: () => Date.now() });
    bar.start('Answering', 4);
    bar.update(4);
    vi.advanceTimersByTime(3_000);
    expect(terminal.text()).toContain('99 % · 4/4 · finishing');
    expect(terminal.text()).not.toContain('100');
    bar.stop();
  });

  it('is taken away before a line about Ctrl-C is written', () => {
    const { stream, text } = sink(true);
    const progress = createProgress({ stream, now: () => Date.now() });
    progress.start('Answering', 4);
    vi.advanceTimersByTime(3_000);
    const listeners = new Map<string, (signal: NodeJS.Signals) => void>();
    const on: SignalSource['on'] = (name, listener) => listeners.set(name, listener);
    onInterrupt((line) => void stream.write(`${line}\n`), { on, off: () => 0, kill: () => 0, pid: 1 });
    listeners.get('SIGINT')!('SIGINT');
    // The line is emptied, and the cursor shown again, right before the words.
    expect(text()).toMatch(/\r\u001B\[2K\u001B\[\?25hStopping after this step/);
    progress.stop();
  });

  it('counts whole units; a part of one moves the time left', () => {
    const { stream, text } = sink(false);
    const progress = createProgress({ stream, now: () => Date.now() });
    progress.start('Rows', 9);
    vi.advanceTimersByTime(7_000);
    progress.update(8 / 3);
    progress.stop();
    expect(text()).toBe('Rows: 0/9 (0 %) · – · – left\n');
    progress.start('Rows', 9);
    vi.advanceTimersByTime(1_900);
    progress.update(8 / 3);
    vi.advanceTimersByTime(200);
    progress.stop();
    expect(text().split('\n')[1]).toBe('Rows: 2/9 (22 %) · 1.3/s · 0:05 left');
  });

  it('writes numbers that people read', () => {
    expect([clock(5), clock(65), clock(7800), clock(Infinity)]).toEqual(['0:05', '1:05', '2:10:00', '–']);
    expect([rate(3.21, 'steps'), rate(512), rate(0.25), rate(0)]).toEqual(['3.2 steps/s', '512/s', '4.0 s each', '–']);
  });
});

describe('Ctrl-C', () => {
  it('asks first and kills second', () => {
    const listeners = new Map<string, ((signal: NodeJS.Signals) => void)[]>();
    const killed: string[] = [];
    const source = {
      pid: 4,
      on: (signal: string, listener: (s: NodeJS.Signals) => void) => listeners.set(signal, [...(listeners.get(signal) ?? []), listener]),
      off: (signal: string, listener: (s: NodeJS.Signals) => void) => {
        listeners.set(signal, (listeners.get(signal) ?? []).filter((one) => one !== listener));
      },
      kill: (pid: number, signal: string) => killed.push(`${pid} ${signal}`),
    };
    const said: string[] = [];
    const press = (): void => listeners.get('SIGINT')?.forEach((listener) => listener('SIGINT'));
    const interrupt = onInterrupt((line) => said.push(line), source);
    expect(interrupt.requested).toBe(false);
    press();
    expect(interrupt.requested).toBe(true);
    expect(said).toHaveLength(1);
    expect(killed).toEqual([]);
    press();
    expect(killed).toEqual(['4 SIGINT']);
    expect([...listeners.values()].flat()).toEqual([]);
  });
});
