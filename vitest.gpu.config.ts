import { defineConfig } from 'vitest/config';

// npm run test:gpu: tests that hold numbers to PyTorch and TRL, on a Vulkan driver that computes on the CPU (docs/devices.md). Float16
// within a program is left out, which that driver lacks; so is what only the CPU has, such as memory that it maps.
export default defineConfig({
  test: {
    testTimeout: 600_000, hookTimeout: 600_000, pool: 'forks', maxWorkers: 1,
    setupFiles: ['packages/tensor/test/support/on-software-gpu.ts'],
    include: [
      'packages/tensor/test/{ops,gradient,adamw,blocks}.test.ts', 'packages/tensor/test/webgpu.gpu.ts',
      'packages/heed/test/train/trl.long.test.ts', 'packages/heed/test/train/webgpu.gpu.ts',
      'packages/heed/test/model/{architectures,peft}.test.ts',
    ],
    testNamePattern: /^(?!.*float16)/,
  },
});
