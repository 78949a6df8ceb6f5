/** What a request leaves open: the thing that must be asked for before it can be done. English, by rules. */
import { namesIn } from '../../text/names.js';
import type { Message } from '../../text/template.js';
import { contentWords, plainWords, words } from '../../text/words.js';

/** Something that a request lacks, and the words of a question that asks for it. */
export interface Need {
  readonly what: string;
  readonly asks: RegExp;
}

const need = (what: string, asks: string): Need => ({ what, asks: new RegExp(`\\b(?:${asks})`, 'i') });
const TIME = need('the time', 'when|what time|which (?:day|date|time)|which hour|how long|day|date');
const PLACE = need('the place', 'where|which (?:place|town|city|country|area|location)|place|town|city|location');
const TEXT = need('the text', 'which (?:text|sentence|passage|message|code|word)|paste|text|what should|show me|send|share');
const RATING = need('the rating', 'how many|stars|points|rating|out of');
const PLAYLIST = need('the playlist', 'playlist|which');
const THING = need('what is meant', 'what|which|who|whom|do you mean|could you|can you tell|tell me');

const HAS_TIME = new RegExp('\\d\\s*(?:am|pm|o\'clock|:|h\\b)|\\b(?:today|tonight|tomorrow|now|noon|midnight|morning|afternoon|evening'
  + '|week|weekend|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may \\d|june|july|august'
  + '|september|october|november|december|minutes?|hours?|days?|years?|months?|from now|summer|winter|spring|autumn|usually)\\b', 'i');
const hasPlace = (text: string): boolean => namesIn(text).length > 0
  || /\b(?:in|at|near|around|from)\s+(?!the (?:morning|evening|afternoon)|noon|\d)\w+|\bhere\b/i.test(text);
/** A text to work on: quoted, behind a colon, or on lines of its own. */
const hasText = (text: string): boolean => /["“'‘][^"”'’]{2,}["”'’]|:\s*\S|\n\s*\S/.test(text);

/** Requests by their verb, and what each must say. */
const FRAMES: readonly (readonly [RegExp, (text: string) => readonly (Need | false)[]])[] = [
  [/(?:^|\b(?:to|please|you|and) )(?:book|reserve)\b/i, (text) => [
    !/\b(?:table|room|flight|hotel|ticket|seat|taxi|appointment|restaurant|trip)\b/i.test(text) && !hasPlace(text) && THING,
    !HAS_TIME.test(text) && TIME,
  ]],
  [/\b(?:set|wake)\b.*\b(?:alarm|timer|up)\b/i, (text) => [!/\d|noon|midnight/.test(text) && TIME]],
  [/\bremind me\b/i, (text) => [!HAS_TIME.test(text) && TIME]],
  [/\b(?:weather|forecast|temperature|rain)\b.*(?:\?|$)/i, (text) => [
    /\b(?:what|how|will|is it|tell)\b/i.test(text) && !/\b(?:icon|symbol|mean|why|usually)\b/i.test(text) && !hasPlace(text) && PLACE,
  ]],
  [/\bfind\b.*\b(?:restaurant|hotel|cinema|doctor|shop|bar|cafe)\b/i, (text) => [!hasPlace(text) && PLACE]],
  [/\b(?:translate|shorten|summari[sz]e|rewrite|proofread|correct|paraphrase)\b/i, (text) => [
    !hasText(text) && contentWords(text).length < 6 && TEXT,
  ]],
  [/\bmake (?:it|this|that)\b/i, (text) => [!hasText(text) && TEXT]],
  [/\bfix (?:it|this|that|the (?:bug|error|problem|code))\b/i, (text) => [!hasText(text) && TEXT]],
  [/\bwrite\b.*\b(?:email|e-mail|letter|message|mail)\b/i, (text) => [
    !/\b(?:about|that|saying|asking|because|to (?:ask|say|tell|thank|invite|apologi[sz]e))\b/i.test(text) && THING,
  ]],
  [/\bconvert\b/i, (text) => [!/(?:[€£$¥]|\b(?:euros?|pounds?|dollars?|yen|miles?|kilomet\w+|km|kg|celsius|fahrenheit|feet|inch\w*|grams?))[^]*\b(?:to|in|into)\b/i
    .test(text) && THING]],
  [/\brate\b.*\b(?:book|novel|film|movie|album|essay|saga|series)\b/i, (text) => [
    !/\d|\b(?:zero|one|two|three|four|five|six)\b/i.test(text.replaceAll(/\bout of (?:\d|five|six)/gi, '')) && RATING,
  ]],
  [/\badd\b.*\bplay ?list\b/i, (text) => [
    /\b(?:to|in|into|on)\s+(?:(?:my|the|a|his|her|our|this)\s+)?play ?list\b(?!\s+(?:called|named|:|\w))/i.test(text) && PLAYLIST,
  ]],
  [/^(?:please )?play\b/i, (text) => [namesIn(text).length === 0 && !/"/.test(text) && contentWords(text).length < 3 && THING]],
];

/** Words that point at something said before. */
const POINTS = /\b(?:it|this|that|these|those|them|they|he|she|him|her|there|one)\b/i;
const POINTS_NOWHERE = /\b(?:(?:will|would|is|was|does) (?:it|there)\b|it (?:is|was|will be|be|would be) (?:\w+ )?(?:to|that|for|safe|true|possible|raining|cold|warm|sunny)|is it (?:true|safe|possible|raining|ok)|there (?:is|are|was|were)|is there|are there|this (?:week|month|year|morning|evening|afternoon|weekend)|(?:so|such|know|think|say|said|mean|means|sure|hope|believe|everything|all|something|anything) that|one (?:of|line|word|sentence|more))\b/gi;

/**
 * What the last request of a chat leaves open; empty for a clear one. A word that points ("it", "there") leaves open what is meant where
 * nothing before it can be: no earlier turn, no text, and no name or thing in the request itself.
 */
export function needsOf(prompt: readonly Message[]): Need[] {
  const request = prompt.findLast(({ role }) => role === 'user')?.content ?? '';
  const found = FRAMES.flatMap(([frame, lacks]) => (frame.test(request) ? lacks(request) : [])).filter((one) => one !== false);
  if (found.length > 0 || prompt.length > 1) return found;
  // "Add Bob to": it ends before it says all. "What is it for?" does not.
  if (/^(?!wh|how).*\b(?:to|in|on|for|at|with|from|a|the)\s*[.?]?$/is.test(request)) return [THING];
  const pointing = POINTS.exec(request.replaceAll(POINTS_NOWHERE, ''));
  if (pointing === null || hasText(request)) return [];
  const before = request.slice(0, pointing.index);
  const things = contentWords(before).filter((word) => !/^(?:book|make|get|take|bring|play|fix|find|add|rate|set|write|long|send|show)$/.test(word));
  const thing = things.length > 0 || namesIn(request).length > 0 || words(request).length > 14;
  const determines = /\b(?:this|that|these|those) \w+/i.test(pointing[0] + request.slice(pointing.index + pointing[0].length))
    && !/\b(?:this|that) (?:is|was|normal|into|to)\b/i.test(request);
  return thing || (determines && plainWords(request).length > 8) ? [] : [THING];
}
