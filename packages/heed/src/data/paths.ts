import { z } from 'zod';

/** A file, or several that are read as one. */
export const Paths = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** A path, or a list of paths, alone is short for a section: `{ path: … }`. */
export const sectionOfPath = (given: unknown): unknown => (typeof given === 'string' || Array.isArray(given) ? { path: given } : given);
