/** What `device: cuda` is made of: files of Python wheels, because the npm package of ONNX Runtime has none of them. */
import type { Wheel, WheelEntry } from '../checkpoint/wheel.js';

/** Linux x64 with glibc 2.28 or newer. */
const built = { python: '3.12', platforms: ['manylinux_2_28_x86_64', 'manylinux_2_27_x86_64', 'manylinux2014_x86_64'] };

/** A wheel, and the shared libraries in it that are needed. */
export interface Part {
  readonly wheel: Wheel;
  readonly libraries: readonly string[];
}

/** The version of ONNX Runtime that the provider is of. Only the npm package of the same version can load it. */
export const ONNX_RUNTIME = '1.30.0';

/** CUDA's major version, and the oldest driver that knows it. */
export const CUDA = { version: 13, driver: 580 } as const;

/** ONNX Runtime's CUDA provider. */
export const PROVIDER: Part = {
  wheel: {
    requirement: `onnxruntime-gpu==${ONNX_RUNTIME}`,
    sha256: '6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1', bytes: 246_685_715, built,
  },
  libraries: ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'],
};

/** NVIDIA's libraries that the provider needs, those first that others need. */
export const NVIDIA: readonly Part[] = [
  {
    wheel: {
      requirement: 'nvidia-cuda-runtime==13.5.37',
      sha256: 'df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d', bytes: 2_504_024, built,
    },
    libraries: ['libcudart.so.13'],
  },
  {
    wheel: {
      requirement: 'nvidia-cublas==13.10.0.20',
      sha256: 'dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84', bytes: 444_289_903, built,
    },
    libraries: ['libcublasLt.so.13', 'libcublas.so.13'],
  },
  {
    wheel: {
      requirement: 'nvidia-curand==10.4.5.25',
      sha256: '22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529', bytes: 77_113_015, built,
    },
    libraries: ['libcurand.so.10'],
  },
];

/** The driver's library. It comes with the driver, and with nothing else. */
export const DRIVER_LIBRARY = 'libcuda.so.1';

/** A shared library inside a wheel. */
export const entryOf = (library: string): WheelEntry => ({
  name: new RegExp(`/${library.replaceAll('.', '\\.')}$`), called: library,
});
