export { PRECISIONS, type Precision } from '../run/precision.js';
