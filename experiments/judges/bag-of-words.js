// @ts-check
// The baseline of bag_of_words.py, on the rows that the judge learns from and is asked about.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('bag_of_words.py', import.meta.url));

export function countWords(train, asked, { work, python }) {
  const files = Object.entries({ train, asked }).map(([name, rows]) => {
    const file = join(work, `words-${name}.jsonl`);
    writeFileSync(
      file,
      rows.map(({ group, fields, yes }) => `${JSON.stringify({ group, text: Object.values(fields).join('\n'), yes })}\n`).join(''),
    );
    return file;
  });
  const { status, stdout, stderr, error } = spawnSync(python, [script, ...files], { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(
      `${python} ${script} failed: ${error?.message ?? stderr}\nIt needs experiments/judges/requirements.txt: pip `
      + 'install -r it, and name that Python with --python.',
    );
  return JSON.parse(stdout);
}
