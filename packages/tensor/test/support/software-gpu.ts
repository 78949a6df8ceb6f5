import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

// The test browser's package brings SwiftShader, a Vulkan driver that computes on the CPU, and the loader that finds it. So programs for a
// GPU are tested on machines without one. (It has no 16-bit floats.)

const WORKSPACE = path.join(import.meta.dirname, '../../../..');
/** Node asks for no such flag by itself: the loader must stay in memory, though it is no module of Node's. */
const RTLD_NODELETE = 0x1000;

/** Why this machine has no software GPU; undefined where it has one, which this process and those that it starts then use. */
export function useSoftwareGpu(): string | undefined {
  const { platform, arch } = process;
  if (platform !== 'linux' || arch !== 'x64') return `The test browser's package has no software GPU for ${platform} ${arch}.`;
  const folder = unpacked();
  // The driver's description, for the loader; where the loader is, for processes that are started.
  process.env['VK_ICD_FILENAMES'] = path.join(folder, 'vk_swiftshader_icd.json');
  process.env['LD_LIBRARY_PATH'] = folder;
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, path.join(folder, 'libvulkan.so.1'), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch {
    // "Module did not self-register": it is loaded all the same.
  }
  return undefined;
}

/** The folder with driver and loader, which is made once. */
function unpacked(): string {
  const archive = path.join(path.dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../../bin/swiftshader.tar.br');
  const cache = path.join(WORKSPACE, 'node_modules/.cache');
  const folder = path.join(cache, 'swiftshader');
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const making = mkdtempSync(path.join(cache, 'swiftshader-'));
  const tar = spawnSync('tar', ['-x', '-C', making], { input: brotliDecompressSync(readFileSync(archive)) });
  if (tar.status !== 0) throw new Error(`tar: ${String(tar.stderr)}`);
  try {
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true });
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
