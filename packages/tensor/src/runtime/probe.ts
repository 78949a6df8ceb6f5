import { openWebgpu } from './webgpu.js';

/* A program of its own: has the GPU compute something (see adapter.ts). */

try {
  openWebgpu().test();
} catch (error) {
  process.stdout.write(`PROBLEM ${(error as Error).message.split('\n').join(' ')}\n`);
  process.exitCode = 1;
}
