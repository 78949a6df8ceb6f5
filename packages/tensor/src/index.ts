export * from './adamw.js';
export * from './dims.js';
export * from './floats.js';
export * from './gradient.js';
export * from './lower.js';
export * from './ops/blocks.js';
export * from './ops/elementwise.js';
export * from './ops/matmul.js';
export * from './ops/model.js';
export * from './ops/reduce.js';
export * from './ops/shape.js';
export * from './ops/table.js';
export * from './ops/token-log-probs.js';
export type * from './onnx/model.js';
export type * from './program.js';
export {
  type GradientRule, type Node, type Origin, type Tensor, type ValueType, call, checkpoint, constant, detach, input, mapped, op,
  op1, recompute, scalar, sizes,
} from './tensor.js';
export {
  type Buffer, DeviceFailed, type Engine, type EngineElsewhere, type EngineOptions, type Feed, type HostArray, type HostTensor, MachineLost,
  type Posts, type Request, type RunRequest, type Session, type Team, type Thread, type View, createPosts, despiteLosses, engineOver,
  startEngine, view,
} from './runtime/engine.js';
export { type CudaFiles, DEVICES, type Device, type DeviceKind, type DeviceName, deviceByDefault } from './runtime/device.js';
export { type MemoryPrediction, predictPeak } from './memory.js';
