/**
 * What programs run on: `cpu`; `webgpu`, a GPU; `webgpu-software`, a GPU's driver that computes on the CPU, for tests; `auto`, a GPU where
 * there is one, else the CPU.
 */
export const DEVICES = ['cpu', 'webgpu', 'webgpu-software', 'auto'] as const;
