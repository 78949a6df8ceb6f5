/** From any log of answers and feedback to rows, a split and a recipe: `heed start` as a library. */
export { type Inspection, inspectLog, type LogOptions } from './inspect.js';
export { type PlanOptions, planStart, type StartPlan, writeStart } from './plan.js';
export type { LoggedAnswer, Values } from './answers.js';
export type { Fit, LoggedRow, LogKind } from './kinds.js';
export type { LeftOut } from './left-out.js';
export type { Group, Parts } from './parts.js';
export type { Preferred } from './preferred.js';
export type { Question } from './question.js';
export type { Recognised } from './recognise.js';
export type { Role } from './roles.js';
export type { Form, Shape } from './shapes.js';
export type { Scale, Vote } from './votes.js';
