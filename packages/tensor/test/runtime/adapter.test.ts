import { describe, expect, it } from 'vitest';
import { readProbe } from '../../src/runtime/adapter.js';
import { chooseDevice, type DeviceName } from '../../src/runtime/device.js';

const using = (name: string): string =>
  `[Vulkan Loader] DRIVER:                Using "${name}" with driver: "/usr/lib/x86_64-linux-gnu/libvulkan_x.so"\n`;

describe('the GPU', () => {
  it('is the one that the loader made a device of', () => {
    expect(readProbe(0, using('NVIDIA GeForce RTX 4060'))).toEqual({ name: 'NVIDIA GeForce RTX 4060', software: false });
    expect(readProbe(0, `INFO: [0] llvmpipe (LLVM 15.0.6, 256 bits)\n${using('AMD Radeon 780M (RADV PHOENIX)')}`))
      .toEqual({ name: 'AMD Radeon 780M (RADV PHOENIX)', software: false });
  });

  it('is known to compute on the CPU', () => {
    for (const name of ['SwiftShader Device (Subzero)', 'llvmpipe (LLVM 15.0.6, 256 bits)'])
      expect(readProbe(0, using(name))).toEqual({ name, software: true });
  });

  it('has no name where the system has no such loader', () => {
    expect(readProbe(0, '')).toEqual({ name: undefined, software: false });
  });

  it.each([
    [1, "Warning: Couldn't load Vulkan: libvulkan.so.1: …\nPROBLEM No supported adapters\n", /^Vulkan is not installed/],
    [1, 'PROBLEM Failed to get a WebGPU adapter: No supported adapters\n', /^No driver offers a GPU/],
    ['SIGSEGV', '', /driver ended the process that tried it \(SIGSEGV\)/],
    [1, 'noise\nPROBLEM Failed to get a WebGPU device: limits\n', /^The GPU could not be used: Failed to get a WebGPU device: limits$/],
    [7, '', /^The GPU could not be used/],
  ])('is missing for a reason that is said: exit %s', (ended, said, reason) => {
    const found = readProbe(ended, said);
    expect('problem' in found ? found.problem : '').toMatch(reason);
  });
});

it('refuses a device that it does not know', async () => {
  await expect(chooseDevice('gpu' as DeviceName)).rejects
    .toThrow('There is no device "gpu". There are cpu, webgpu, webgpu-software, cuda, auto.');
});
