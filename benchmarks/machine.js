// @ts-check
// What the numbers were measured on, and what is needed to measure: the machine, and the peers' Python.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

export function describeMachine() {
  const cpuinfo = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/) ?? []);
  const engine = createRequire(new URL('../packages/tensor/package.json', import.meta.url));
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    // These decide the ratios: AMX makes bfloat16 several times as fast as float32 for whoever uses it.
    flags: ['avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_bf16', 'amx_int8', 'amx_tile'].filter((flag) => flags.has(flag)),
    memoryGb: Number((totalmem() / 1e9).toFixed(1)),
    system: `${platform()} ${arch()}`,
    node: process.versions.node,
    onnxruntime: JSON.parse(readFileSync(engine.resolve('onnxruntime-node/package.json'), 'utf8')).version,
    loadBefore: loadavg().map((x) => Number(x.toFixed(2))),
  };
}

/** Memory that could be had now, in bytes; what is free where the system does not say. */
export function availableMemory() {
  const kilobytes = existsSync('/proc/meminfo')
    ? /^MemAvailable:\s*(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
    : undefined;
  return kilobytes === undefined ? totalmem() / 2 : Number(kilobytes) * 1024;
}

/** The Python of the peers' environment, made from requirements.txt when it is missing or was made from another one. */
export function peersPython(log) {
  const requirements = `${here}peers/requirements.txt`;
  const venv = `${here}peers/.venv`;
  const python = `${venv}/${platform() === 'win32' ? 'Scripts/python.exe' : 'bin/python'}`;
  const stamp = `${venv}/.made-from`;
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  const call = (command, args) => {
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
    if (status !== 0)
      throw new Error(
        `${command} ${args.join(' ')} failed${error === undefined ? ` with ${status}` : `: ${error.message}`}. Or give `
        + 'an interpreter that has benchmarks/peers/requirements.txt: --python PATH',
      );
  };
  log(`making ${venv} (once; PyTorch takes several GB of disk) …`);
  call(platform() === 'win32' ? 'python' : 'python3', ['-m', 'venv', venv]);
  call(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  writeFileSync(stamp, wanted);
  return python;
}
