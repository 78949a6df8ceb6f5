/** The kinds of rows that feedback makes. */
export const FEEDBACK_KINDS = ['judged', 'refined', 'preference', 'labelled', 'scored', 'conversation'] as const;
export type FeedbackKind = (typeof FEEDBACK_KINDS)[number];
