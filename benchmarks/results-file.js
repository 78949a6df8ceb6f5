// @ts-check
// Where results are kept: a file a day, to which a run of some groups adds what it measured.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What must not differ between numbers in one file. */
const SAME_MACHINE = ['cpu', 'cores', 'memoryGb', 'system', 'node', 'onnxruntime', 'peersIsa'];

/**
 * Whether what will be measured can be added to a file, asked before measuring.
 *
 * @throws Error where the file is from another machine or other versions
 */
export function requireSameMachine(file, machine) {
  if (!existsSync(file)) return;
  const { machine: known } = JSON.parse(readFileSync(file, 'utf8'));
  const other = [
    ...SAME_MACHINE.filter((name) => known[name] !== machine[name]),
    ...Object.entries(machine.peers ?? {})
      .filter(([name, version]) => (known.peers?.[name] ?? version) !== version)
      .map(([name]) => name),
  ];
  if (other.length > 0)
    throw new Error(
      `${file} was measured with another ${other.join(', ')}, and numbers of both do not belong together. Give another file: -o FILE`,
    );
}

/**
 * Writes results. `part` (of a run of some groups alone): { groups, names: all that these groups can measure }; what an existing file has
 * of them goes, ratios and checks included, what it has else stays, and the run is noted under `added`.
 */
export function writeResults(file, results, part) {
  let all = results;
  if (part !== undefined && existsSync(file)) {
    requireSameMachine(file, results.machine);
    all = merge(JSON.parse(readFileSync(file, 'utf8')), results, part);
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}

function merge(known, results, { groups, names }) {
  const measured = new Set(names);
  const about = {
    ours: (key) => [key],
    peers: (key) => [key],
    ratios: (key) => [key.replace('time: ', '').split('/')[0]],
    checks: (key) => key.split(/[\s:,]+/),
    curves: () => [],
  };
  const parts = Object.entries(about).flatMap(([part, namesIn]) => {
    const kept = Object.entries(known[part] ?? {}).filter(([key]) => !namesIn(key).some((name) => measured.has(name)));
    const all = { ...Object.fromEntries(kept), ...results[part] };
    return part === 'curves' && Object.keys(all).length === 0 ? [] : [[part, all]];
  });
  const { loadBefore, peers } = results.machine;
  return {
    machine: { ...known.machine, ...(peers === undefined ? {} : { peers: { ...known.machine.peers, ...peers } }) },
    ...Object.fromEntries(parts),
    warnings: known.warnings,
    // The same groups again replace what was noted of them.
    added: [
      ...(known.added ?? []).filter((run) => !run.groups.every((group) => groups.includes(group))),
      { groups, loadBefore, warnings: results.warnings },
    ],
  };
}
