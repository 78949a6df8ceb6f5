/** What the columns of a log can be, and the names that logs give them. */

/** What a column can be, in the words of rows and of feedback. */
export const ROLES = [
  'messages', 'speaker', 'content', 'chosen', 'rejected', 'first', 'second', 'preferred', 'prompt', 'input', 'system', 'completion',
  'demonstration', 'vote', 'score', 'comment', 'conversation', 'turn', 'user', 'date', 'id', 'finish',
] as const;
export type Role = (typeof ROLES)[number];

/** Names that rows give to the same things, taken in `--columns` too. */
export const ALSO_ROLES: Readonly<Record<string, Role>> = {
  judgment: 'comment', label: 'vote', satisfied: 'vote', refinement: 'demonstration',
};

/** What each role is, for people. */
export const SAYS: Readonly<Record<Role, string>> = {
  messages: 'the turns, the last answer of which is judged', speaker: 'who wrote the message', content: 'the message',
  chosen: 'the better answer', rejected: 'the worse answer', first: 'the first answer', second: 'the second answer',
  preferred: 'which answer is better', prompt: 'what was asked', input: 'the text that the prompt is about', system: 'the system prompt',
  completion: 'the answer', demonstration: 'the answer as it should have been', vote: 'whether the answer was good',
  score: 'how good the answer was', comment: 'what was said of the answer', conversation: 'which conversation', turn: 'the place in it',
  user: 'who asked', date: 'when', id: 'the id of the row', finish: 'why the answer ended',
};

/** Names of one role. Two `sure` names in one file raise a question; the other names count only where no `sure` name is there. */
export interface Names {
  readonly sure: readonly string[];
  readonly maybe: readonly string[];
}

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Of equals the earlier name is taken. Names are compared as `plainName` writes them. */
export const NAMES: Readonly<Record<Role, Names>> = {
  messages: {
    sure: words('messages conversations'), maybe: words('conversation dialog dialogue chat turns transcript thread history'),
  },
  speaker: { sure: words('role speaker'), maybe: words('sender from author author_type message_type') },
  content: { sure: words('content message'), maybe: words('text body value utterance') },
  chosen: {
    sure: words('chosen preferred_output'), maybe: words('chosen_response winner_response better_response preferred_response'),
  },
  rejected: { sure: words('rejected non_preferred_output'), maybe: words('rejected_response dispreferred loser_response worse_response') },
  first: { sure: [], maybe: [] },
  second: { sure: [], maybe: [] },
  preferred: {
    sure: words('winner preferred preference'),
    maybe: words('better best choice chosen_answer overall_preference preference_strength label vote verdict'),
  },
  prompt: {
    sure: words('prompt question instruction query user_message user_input customer_message user_query user_prompt frage pregunta demande'),
    maybe: words('input request customer_question message user human ask utterance goal task'),
  },
  input: { sure: words('input'), maybe: words('context') },
  system: { sure: words('system system_prompt'), maybe: words('system_message') },
  completion: {
    sure: words(`completion response answer reply output bot_reply bot_response assistant_message model_output model_response bot_answer
      ai_response model_answer antwort respuesta reponse`),
    maybe: words('assistant bot generation generated_text bot_message best_answer result prediction target'),
  },
  demonstration: {
    sure: words(`demonstration correction refinement corrected_answer corrected_response edited_answer edited_response ideal_answer
      ideal_response better_answer revised_answer`),
    maybe: words(`corrected edited revision rewrite ideal preferred_answer human_answer agent_answer gold expected expected_output reference
      korrektur`),
  },
  vote: {
    sure: words('vote thumb thumbs label satisfied rating feedback user_vote thumbs_up kto_tag bewertung'),
    maybe: words(`helpful liked like reaction is_helpful was_helpful is_good good useful accepted approved sentiment upvote positive correct
      truthful harmful hallucination toxic is_toxic is_harmful flagged bad wrong user_feedback`),
  },
  score: {
    sure: words('score rating stars csat'),
    maybe: words(`grade quality points reward overall overall_score helpfulness user_rating star_rating nps bewertung sterne etoiles
      estrellas`),
  },
  comment: {
    sure: words(`comment judgment judgement critique feedback feedback_text feedback_comment user_comment kommentar comentario
      commentaire`),
    maybe: words(`user_feedback comments note notes remark reason explanation review free_text bemerkung anmerkung remarque
      observacion`),
  },
  conversation: {
    sure: words('conversation_id conv_id chat_id session_id thread_id dialog_id dialogue_id episode_id'),
    maybe: words('conversation session thread ticket_id ticket case_id trace_id chat conv'),
  },
  turn: { sure: words('turn turn_index turn_id message_index'), maybe: words('position index step seq sequence') },
  user: {
    sure: words('user_id customer_id uid'),
    maybe: words('user customer client_id account_id username email who kunde nutzer client cliente'),
  },
  date: { sure: words('date timestamp created_at'), maybe: words('time datetime created ts at updated_at day datum fecha') },
  finish: { sure: words('finish_reason finish stop_reason'), maybe: [] },
  id: { sure: words('id message_id inference_id response_id request_id row_id'), maybe: words('uuid key trace_id ticket_id ticket') },
};

/** Votes of which true says that something is wrong. */
const AGAINST = new Set(words('harmful hallucination toxic is_toxic is_harmful flagged bad wrong'));

/** Whether true in a column of this name says that the answer is bad. */
export const saysBad = (name: string): boolean => AGAINST.has(plainName(name).split('.').at(-1)!);

/** A column's name in lower case and underscores: "Feedback Text", "feedbackText" and "feedback-text" are one name. */
export const plainName = (name: string): string =>
  name.normalize('NFD').replace(/\p{M}/gu, '').replace(/(?<=[\p{Ll}\d])(?=\p{Lu})/gu, '_').toLowerCase()
    .replace(/[^\p{L}\d.]+/gu, '_').replace(/^_+|_+$/g, '');

/** Where a name stands among those of a role, the whole name before its last part: `rank` from 0; undefined where it is none. */
export function rankOf(role: Role, name: string): { readonly sure: boolean; readonly rank: number } | undefined {
  const whole = plainName(name);
  const candidates = [...new Set([whole.replaceAll('.', '_'), whole.split('.').at(-1)!])];
  const { sure, maybe } = NAMES[role];
  for (const [names, certain] of [[sure, true], [maybe, false]] as const) {
    const ranks = candidates.map((one) => names.indexOf(one)).filter((rank) => rank !== -1);
    if (ranks.length > 0) return { sure: certain, rank: Math.min(...ranks) };
  }
  return undefined;
}

/** Names of two answers to one prompt: `response_a` and `response_b`, `output1` and `output2`. */
const SIDES = /^(response|answer|output|completion|reply|model|candidate|option|text)_?(a|b|1|2|left|right)(?:_response|_answer|_output)?$/;

/** Which of two answers a column's name says it is: the name of both, and the place. */
export function sideOf(name: string): { readonly stem: string; readonly role: 'first' | 'second' } | undefined {
  const [, stem, side] = SIDES.exec(plainName(name)) ?? [];
  if (stem === undefined || side === undefined) return undefined;
  return { stem, role: ['a', '1', 'left'].includes(side) ? 'first' : 'second' };
}
