/**
 * What programs run on: `cpu`; `webgpu`, a GPU; `webgpu-software`, a GPU's driver that computes on the CPU, for tests; `cuda`, NVIDIA's GPU
 * by its own libraries; `auto`, a GPU by WebGPU where there is one, else the CPU.
 */
export const DEVICES = ['cpu', 'webgpu', 'webgpu-software', 'cuda', 'auto'] as const;
