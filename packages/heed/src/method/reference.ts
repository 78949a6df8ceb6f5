import { z } from 'zod';
import type { Reference } from './method.js';

/** `reference` of a recipe: `base`, the model with the adapter switched off, or the folder of a saved adapter on it. */
export const reference = z.string().min(1).default('base');

/** What the option names. */
export const referenceOf = (name: string): Reference => (name === 'base' ? 'base' : { adapter: name });
