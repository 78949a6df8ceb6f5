/** Where a long task stands: `what` is 'download', 'unpack', 'dequantise' …; `done` of `total` bytes. */
export type Progress = (progress: { what: string; done: number; total: number }) => void;
