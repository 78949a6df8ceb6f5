/** `before`: the model alone; `after`: with the adapter. */
export type When = 'before' | 'after';

/** The name of the model that answered, in files and for people. */
export const byWhom = (when: When): 'base' | 'adapter' => (when === 'before' ? 'base' : 'adapter');
