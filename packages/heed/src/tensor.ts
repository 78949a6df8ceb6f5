/**
 * `@heed/heed/tensor`: `@heed/tensor` under another name, for the losses of methods of your own.
 *
 * @packageDocumentation
 */
export * from '@heed/tensor';
