import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const git = (...words: string[]) => spawnSync('git', words, { cwd: ROOT, encoding: 'utf8' });
const isCheckout = git('rev-parse', '--is-inside-work-tree').status === 0;

describe('a fresh clone', () => {
  // The first command of docs/start.md refuses to replace files: were its own output committed, it would fail for everybody.
  it.skipIf(!isCheckout)('holds nothing that the commands of the docs write', () => {
    expect(git('ls-files', '--', 'start', 'runs').stdout).toBe('');
    expect(git('check-ignore', 'start/log/train.jsonl', 'runs/log/report.html').stdout.trim().split('\n')).toHaveLength(2);
  });
});
