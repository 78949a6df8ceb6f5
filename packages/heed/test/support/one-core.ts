import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

// Set up by vitest.config.ts for files of tiny models. Each worker, with every process that it starts, keeps to a core of its own. An
// engine takes a thread for each core that it may use, and the threads of several engines on the same cores wait for each other: tiny
// models would take twice the time. Where this cannot be set, tests are only slower.
const cores = (): number[] =>
  /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });

if (process.platform === 'linux') {
  const all = cores();
  const core = all[Number(process.env['VITEST_POOL_ID'] ?? 1) % all.length]!;
  if (all.length > 1) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}
