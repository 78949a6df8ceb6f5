/**
 * Phrases with which a text speaks well of itself or of the question: SALMON (Sun et al. 2023, arXiv 2310.05910) saw reward models fall for
 * them. A closed list, English.
 */
const PRAISE = new RegExp([
  String.raw`\b(?:this|my|the above) (?:answer|response|solution|explanation|text) (?:is|provides|offers|gives) (?:\w+ ){0,3}`
    + '(?:excellent|perfect|comprehensive|thorough|high[- ]quality|helpful|outstanding|great|complete|detailed|clear|accurate)',
  String.raw`\bi (?:hope|trust|believe|am (?:sure|confident)) (?:that )?(?:this|my) (?:\w+ )?(?:helps|is helpful|answers|meets|satisfies)`,
  String.raw`\b(?:great|excellent|wonderful|fantastic|brilliant|insightful) question\b`,
].join('|'), 'i');

/** Whether a text praises itself or the question. */
export const praisesItself = (text: string): boolean => PRAISE.test(text);
