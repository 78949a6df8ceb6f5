import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
// @ts-expect-error a script without types
import * as script from '../../../../tools/release-version.js';

interface Versions { readonly now: string; readonly next: string }
const { nextVersion, releaseNotes, withVersion } = script as {
  nextVersion(now: string, asked?: string): string;
  releaseNotes(text: string, versions: Versions): { readonly changelog: string; readonly notes: string };
  withVersion(json: string, versions: Versions): string;
};
const read = (file: string): string => readFileSync(fileURLToPath(new URL(`../../../../${file}`, import.meta.url)), 'utf8');

describe('a release', () => {
  it('has the next minor version, or a later one that was asked for', () => {
    expect(nextVersion('0.1.3')).toBe('0.2.0');
    expect(nextVersion('0.9.0', '0.10.0')).toBe('0.10.0');
    expect(nextVersion('0.9.9', '1.0.0')).toBe('1.0.0');
    expect(() => nextVersion('0.2.0', '0.2.0')).toThrow('0.2.0 is not later than 0.2.0');
    expect(() => nextVersion('1.0.0', '0.9.9')).toThrow('not later');
    expect(() => nextVersion('1.0.0', 'next')).toThrow('"next" is no version');
  });

  const log = '# Changelog\n\n## Unreleased\n\n- A new verb.\n\n## 0.1.0\n\n- All.\n';

  it('puts what is unreleased under the version', () => {
    expect(releaseNotes(log, { now: '0.1.0', next: '0.2.0' })).toEqual({
      changelog: '# Changelog\n\n## Unreleased\n\n## 0.2.0\n\n- A new verb.\n\n## 0.1.0\n\n- All.\n', notes: '- A new verb.',
    });
  });

  it.each([
    [log.replace('- A new verb.\n', ''), '0.1.0', 'says nothing under "## Unreleased"'],
    [log.replace('## Unreleased\n', ''), '0.1.0', 'says nothing under "## Unreleased"'],
    [log, '0.1.1', 'has no section for it'],
    [log.replace('0.1.0', '0.2.0').replace('## Unreleased', '## 0.1.0\n\n## Unreleased'), '0.1.0', 'has a section for 0.2.0 already'],
  ])('does not begin where changelog and version disagree (%#)', (text, now, why) => {
    expect(() => releaseNotes(text, { now, next: '0.2.0' })).toThrow(why);
  });

  it('changes the versions of the packages and of those that they need, and nothing else', () => {
    const now = (JSON.parse(read('packages/heed/package.json')) as { version: string }).version;
    const places = {
      'packages/heed/package.json': 2, 'packages/tensor/package.json': 1, 'packages/ai-sdk/package.json': 2, 'package-lock.json': 5,
    };
    for (const [file, n] of Object.entries(places)) {
      const [before, after] = [read(file), withVersion(read(file), { now, next: '9.8.7' })].map((text) => text.split('\n'));
      const changed = after!.filter((line, i) => line !== before![i]);
      expect(changed, file).toHaveLength(n);
      expect(changed.every((line) => /"(version|@heed\/(tensor|heed))": "9\.8\.7"/.test(line)), file).toBe(true);
    }
    expect(() => withVersion('{}', { now, next: '9.8.7' })).toThrow('No package');
  });
});
