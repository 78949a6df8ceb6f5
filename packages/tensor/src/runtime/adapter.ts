import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The GPU that WebGPU takes. */
export interface Adapter {
  /** As its driver calls it; only Vulkan's loader (Linux) says so. */
  readonly name?: string;
  /** Whether the driver computes on the CPU. */
  readonly software: boolean;
}

let found: Promise<Adapter | { readonly problem: string }> | undefined;

/**
 * The GPU, or what is in the way of one. A process of its own computes something there: a driver that is broken ends that process, and
 * what Vulkan's loader prints names the GPU, which ONNX Runtime does not tell. Looked for once.
 */
export const findAdapter = (): Promise<Adapter | { readonly problem: string }> => (found ??= look());

async function look(): Promise<Adapter | { readonly problem: string }> {
  const file = new URL(import.meta.url.endsWith('.ts') ? '../../dist/runtime/probe.js' : './probe.js', import.meta.url);
  const probe = spawn(process.execPath, [fileURLToPath(file)], { env: { ...process.env, VK_LOADER_DEBUG: 'driver' } });
  let said = '';
  for (const stream of [probe.stdout, probe.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { said += text; });
  const ended = await new Promise<number | string>((settle) => {
    probe.on('error', (error) => settle(error.message));
    probe.on('close', (code, signal) => settle(code ?? signal ?? 'unknown'));
  });
  return readProbe(ended, said);
}

/** What a probe's end, an exit code or a signal, and its output mean. */
export function readProbe(ended: number | string, said: string): Adapter | { readonly problem: string } {
  if (ended === 0) {
    const name = [...said.matchAll(/Using "(.*)" with driver: /g)].at(-1)?.[1];
    return { name, software: /swiftshader|llvmpipe|lavapipe|software/i.test(name ?? '') };
  }
  if (typeof ended === 'string') return { problem: `The GPU's driver ended the process that tried it (${ended}). Update the driver.` };
  if (said.includes("Couldn't load Vulkan"))
    return { problem: 'Vulkan is not installed: there is no libvulkan.so.1. Debian and Ubuntu have it in libvulkan1.' };
  if (said.includes('No supported adapters'))
    return { problem: 'No driver offers a GPU that WebGPU can use. Install the driver of your GPU; on Linux that is its Vulkan driver.' };
  const error = /^PROBLEM (.*)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
  return { problem: `The GPU could not be used: ${error}` };
}
