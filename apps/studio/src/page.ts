import type { ComponentType } from 'preact';

/** A page of the studio: a file in pages/ and a line in pages.ts. */
export interface Page {
  /** The word in the address, `#/runs`. */
  readonly id: string;
  readonly title: string;
  /** After `g`, the key that leads here. */
  readonly key: string;
  readonly view: ComponentType;
}
