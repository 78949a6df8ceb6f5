/** Replies that refuse to reply. Closed lists of phrases, in several languages. */

const anyOf = (...ways: readonly string[]): string => `(?:${ways.join('|')})`;

/** What may come before a refusal: a greeting, thanks, regret, what the writer is. */
const LEAD = `${anyOf(
  '(?:okay|ok|hi|hello|hey|sure|no|well)[,.!]? ', 'thank(?:s| you)[^.!?]*?[.!,] ',
  'I (?:understand|appreciate|see)[^.!?]*?(?:[.!,]|,? but) ',
)}?`;
const BUT = '(?:,? ?(?:but|however|that|because|as)[, ]+)?';
const SORRY = anyOf(
  "(?:I(?: am|'m) )?(?:so |very |really |truly )?(?:sorry|afraid)(?: about that)?", '(?:my )?apologies', 'I (?:do )?apologi[sz]e[^,.;:!]*',
  'unfortunately', 'regrettably', 'regretfully',
);
const AS_AN_AI = '(?:as (?:an?|your) (?:AI|artificial|(?:large )?language|responsible|helpful)[^,.]*, )?';
const BEGINS = `^${LEAD}${AS_AN_AI}(?:${SORRY}[,.!;:-]* ?)?${BUT}${AS_AN_AI}`;

const CANNOT = anyOf(
  "can(?:no|')t", 'can not', "won't", 'will not', "could(?:n't| not)", "(?:would|'d) (?:rather|prefer) not(?: to)?", 'prefer not to',
  "(?:am|'m) (?:currently )?(?:unable|un?willing|not (?:able|going|willing|allowed|permitted|designed|programmed|in a position)) to",
  "(?:am|'m) not comfortable(?: with)?", "(?:do not|don't) (?:feel comfortable(?: with)?|think I (?:can|should))",
  '(?:must|have to|need to|will have to|(?:respectfully|politely) )*(?:decline|refuse) to', 'must (?:respectfully )?refrain from',
);
const ADVERB = '(?:(?:in good conscience|ethically|directly|really|currently|safely|be able to) )?';
/** What any assistant is asked to do. */
const HELP = anyOf(
  'assist(?:ing)?', 'help(?:ing)?', 'comply(?:ing)?', 'ful?fill?\\w*', 'engag\\w+', 'continu\\w+', 'proceed\\w*', 'participat\\w+',
  'respond\\w*', 'answer\\w*', 'provid\\w+', 'produc\\w+', 'generat\\w+', 'creat\\w+', 'writ(?:e|ing)', 'rewrit(?:e|ing)', 'support\\w*',
  'discuss\\w*', 'process\\w*', 'complet\\w+', 'offer\\w*', 'do (?:that|this|so)', 'accommodat\\w+', 'be of',
);
/** What a judge is asked to do. A judge may also say that some part of a response cannot be judged. */
const JUDGE = anyOf(
  'judg\\w+', 'evaluat\\w+', 'assess\\w*', 'rat(?:e|ing)', 'review\\w*', 'critiqu\\w+', 'critici[sz]\\w+', 'comment\\w*', 'analy[sz]\\w+',
  'grad(?:e|ing)', 'scor(?:e|ing)', 'compar\\w+', 'revis\\w+', 'edit\\w*', 'give (?:an?|any|my)',
);

const of = (pattern: string): RegExp => new RegExp(pattern, 'iu');

const REFUSALS: readonly RegExp[] = [
  of(`${BEGINS}I ?${CANNOT} ${ADVERB}${HELP}\\b`),
  of(`${BEGINS}I (?:must|have to|need to|will have to)(?: respectfully| politely)? (?:decline|refuse)\\b`),
  of(`${BEGINS}(?:that|this)(?: is|'s) (?:not )?something I(?: am|'m)? ?(?:can|cannot|can't|not|unable|won't)`),
  of(`${BEGINS}(?:this|the|your|that) (?:request|content|prompt|conversation|message|query|input|material)`
    + '(?: was| has been| is| may| might| appears to| seems to)* (?:be )?'
    + '(?:violat|flagged|blocked|refused|rejected|declined|against|go(?:es)? against|not allowed|conflict)'),
  /^(?:content|response|request) (?:was |has been )?(?:blocked|filtered|refused|denied|withheld|removed)\b/i,
  /^it (?:is|would be|'s) (?:against|not appropriate|inappropriate|not possible)[^.]{0,60}\b(?:for me|my (?:guidelines|polic\w+|programming))\b/i,
  // German, French, Spanish, Italian, Portuguese, Dutch.
  /^(?:es )?tut mir (?:sehr )?leid\b.{0,60}\b(?:kann|darf|möchte|werde)\b.{0,80}\b(?:nicht|keine?n?)\b/i,
  /^(?:leider )?(?:ich )?(?:kann|darf)(?: ich)?\b.{0,60}\b(?:nicht|keine?n?)\b.{0,40}\b(?:\w*helfen|unterstützen|\w*antworten|bewerten)\b/i,
  /^(?:je suis )?(?:vraiment )?désolée?.{0,20}\bje ne (?:peux|suis|saurais|pourrai)\b/iu,
  /^je ne (?:peux|suis)(?: malheureusement)? pas (?:en mesure|vous aider|répondre|traiter|évaluer)/i,
  /^lo siento\b.{0,20}\bno (?:puedo|podré|me es)|^no puedo (?:ayudar|asistir|responder|cumplir|proporcionar|evaluar)/i,
  /^mi dispiace\b.{0,20}\bnon (?:posso|sono)|^non posso (?:aiutar|assister|risponder|fornir|valutar)/i,
  /^(?:me )?(?:desculp[ea]|lamento|sinto muito)\b.{0,20}\bnão (?:posso|consigo)|^não posso (?:ajudar|responder|fornecer|avaliar)/i,
  /^(?:het )?spijt me\b.{0,20}\b(?:kan|mag)\b/i,
  // Russian, Chinese, Japanese, Korean.
  /^(?:извините|простите|к сожалению|мне (?:очень )?жаль).{0,30}не (?:могу|смогу)/i,
  /^(?:非常|很)?(?:抱歉|对不起|對不起|不好意思).{0,30}(?:无法|不能|無法|没法|不便)|^我(?:无法|不能|無法)(?:协助|帮助|回答|提供|評|评|協助|幫助)/,
  /^(?:大変)?(?:申し訳|すみません|恐れ入ります).{0,60}(?:できません|いたしかねます|お答えできません|応じられません)/,
  /^(?:죄송|미안).{0,60}(?:수 없|못 |않)/,
];

/** "I cannot judge this." */
const NOT_JUDGING = of(`${BEGINS}I ?${CANNOT} ${ADVERB}${JUDGE}\\b[^.!?]*[.!?]?`);

/** The phrase is what somebody speaks about: "I can't help with that is no answer." */
const SPOKEN_ABOUT = /\b(?:with|on|about|to) (?:that|this|it)(?: \w+)?["”'.,]* (?:is|was|isn't|wasn't|sounds|reads|seems|does|would|should)\b/i;

/**
 * The first words of a reply that refuses to reply, at most 160 characters; undefined where the reply does not. A reply that quotes a
 * refusal, or speaks of one, is no refusal.
 */
export function refusalIn(reply: string): string | undefined {
  const plain = withoutQuotes(reply.replaceAll(/[’ʼ´]/g, "'").replaceAll(/\s+/g, ' ').replace(/^[\s*_#>~-]+/, '').trim());
  const [first] = plain.split(/(?<=[.!?。！？])\s/, 1) as [string];
  if (SPOKEN_ABOUT.test(first)) return undefined;
  return REFUSALS.some((pattern) => pattern.test(plain)) || refusesToJudge(plain) ? plain.slice(0, 160) : undefined;
}

/** A reply that quotes the response, or goes on to judge it, is no refusal. */
function refusesToJudge(plain: string): boolean {
  const [found] = NOT_JUDGING.exec(plain) ?? [];
  if (found === undefined) return false;
  const goesOn = /\b(?:but|however|though|although)\b/i.test(found.replace(new RegExp(BEGINS, 'iu'), ''));
  return !goesOn && !/["“”«»`]/.test(plain.slice(found.length));
}

/** A reply that stands in quotation marks as a whole is the reply itself. */
const withoutQuotes = (text: string): string => /^["“«]([^"“”«»]*)["”»][.\s]*$/.exec(text)?.[1]?.trim() ?? text;
