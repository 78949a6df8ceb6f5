import { expect, it } from 'vitest';
import { refusalIn } from '../../src/text/refusal.js';

it.each([
  'I cannot assist with evaluating this exchange.',
  'I’m sorry, but I’m not able to help with this one.',
  "Sorry, I can't comply with that.",
  '**I must decline** to look at such material.',
  'I won’t be able to provide a critique here.',
  'As an AI language model, I cannot judge this text.',
  'Unfortunately, I am unable to continue with this request.',
  'I apologize for the inconvenience, but I cannot fulfill this request.',
  'Thank you for sharing. However, I cannot evaluate this content.',
  'I understand you want feedback, but I can’t engage with this topic.',
  "I'm not comfortable rating this response.",
  'I’d rather not comment on this.',
  'I cannot judge this.',
  'I respectfully decline to answer.',
  'This request violates our usage policies.',
  'The content has been flagged and cannot be processed.',
  '"I\'m sorry, but I can\'t assist with that request."',
  'Es tut mir leid, aber dabei kann ich nicht helfen.',
  'Désolé, mais je ne peux pas vous aider.',
  'Lo siento, pero no puedo ayudar con eso.',
  'Mi dispiace, ma non posso rispondere.',
  'Desculpe, mas não posso ajudar com isso.',
  'Het spijt me, maar ik kan hier niet mee helpen.',
  'Извините, но я не могу с этим помочь.',
  '抱歉，我无法协助处理这个请求。',
  '申し訳ありませんが、そのご依頼にはお応えできません。',
  '죄송하지만 그 요청은 도와드릴 수 없습니다.',
])('refuses: %s', (reply) => {
  expect(refusalIn(reply)).toBeDefined();
});

it.each([
  'Perfect.',
  '"I\'m sorry, but I can\'t assist" is a needless refusal: the request is harmless.',
  'The response says "I cannot help with that", although the question is about tea.',
  'I\'m sorry, but I can\'t help with that is no answer to a question about tea.',
  'I cannot judge whether the date is right, but "amazing" is hype.',
  'I cannot evaluate the last claim. The words "by far the best" are hype.',
  'I can\'t find anything wrong with it.',
  'I can\'t recommend this response: it names no source.',
  'Sorry to say, the answer is wrong.',
  'Unfortunately, the response leaves out the price.',
  'The response refuses to help and gives no reason.',
  'It cannot help anyone to be told to look it up.',
  'This request is answered well.',
  'The response would violate the rule on length.',
  'I am afraid the second sentence is false.',
])('does not refuse: %s', (reply) => {
  expect(refusalIn(reply)).toBeUndefined();
});
