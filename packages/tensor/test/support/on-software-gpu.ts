import { useSoftwareGpu } from './software-gpu.js';

// Set up by vitest.gpu.config.ts: engines of these tests run on a GPU's driver that computes on the CPU.
const missing = useSoftwareGpu();
if (missing !== undefined) throw new Error(missing);
process.env['HEED_DEVICE'] = 'webgpu-software';
