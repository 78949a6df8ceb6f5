// @ts-check
// What a release does to versions and the changelog, as functions of text.

const VERSION = /^(\d+)\.(\d+)\.(\d+)$/;

/** @param {string} version @returns {number[]} */
function numbersOf(version) {
  const found = VERSION.exec(version);
  if (found === null) throw new Error(`"${version}" is no version; write it as 1.2.3.`);
  return found.slice(1).map(Number);
}

/** The version that is released: the one asked for, which must be later, or else the next minor one. */
export function nextVersion(/** @type {string} */ now, /** @type {string | undefined} */ asked) {
  const [major, minor, patch] = numbersOf(now);
  if (asked === undefined) return `${major}.${minor + 1}.0`;
  const wanted = numbersOf(asked);
  const difference = [major, minor, patch].map((n, i) => wanted[i] - n).find((d) => d !== 0) ?? 0;
  if (difference <= 0) throw new Error(`${asked} is not later than ${now}, which the packages have.`);
  return asked;
}

/** The text under a heading of the changelog; undefined where there is no such heading. */
const sectionOf = (/** @type {string} */ text, /** @type {string} */ heading) =>
  text.split(/^(?=## )/m).find((part) => part.split('\n')[0].trim() === `## ${heading}`)?.split('\n').slice(1).join('\n').trim();

/** The changelog of the release: what is under "Unreleased" goes under the version. */
export function releaseNotes(/** @type {string} */ text, /** @type {{ now: string, next: string }} */ { now, next }) {
  if (sectionOf(text, now) === undefined) throw new Error(`The packages have the version ${now}, and CHANGELOG.md has no section for it.`);
  if (sectionOf(text, next) !== undefined) throw new Error(`CHANGELOG.md has a section for ${next} already.`);
  const notes = sectionOf(text, 'Unreleased');
  if (notes === undefined || notes === '') throw new Error('CHANGELOG.md says nothing under "## Unreleased".');
  return { changelog: text.replace(/^## Unreleased$/m, `## Unreleased\n\n## ${next}`), notes };
}

/** A package.json or the lock file with the version of the packages, also where one depends on the other. */
export function withVersion(/** @type {string} */ json, /** @type {{ now: string, next: string }} */ { now, next }) {
  const changed = json
    .replaceAll(new RegExp(`("name": "@heed/[\\w-]+",\\s+"version": ")${now.replaceAll('.', '\\.')}"`, 'g'), `$1${next}"`)
    .replaceAll(new RegExp(`("@heed/[\\w-]+": ")${now.replaceAll('.', '\\.')}"`, 'g'), `$1${next}"`);
  if (changed === json) throw new Error(`No package of Heed's with the version ${now} in:\n${json.slice(0, 200)}`);
  return changed;
}
