import { describe, expect, it } from 'vitest';
import { redactRows } from '../../src/exchange/redact.js';

const one = (text: string) => {
  const { rows, counts } = redactRows([{ prompt: text }]);
  return [rows[0]!.prompt, counts];
};

describe('redacting', () => {
  it.each([
    ['Write to ann.lee+x@mail.example.co.uk.', 'Write to [EMAIL].', 'e-mail address'],
    // Test numbers of card networks: their check digits are right.
    ['Card 4111 1111 1111 1111 please', 'Card [CARD] please', 'card number'],
    ['378282246310005', '[CARD]', 'card number'],
    ['Call +49 30 1234567 now', 'Call [PHONE] now', 'phone number'],
    ['(555) 123-4567', '[PHONE]', 'phone number'], ['tel. 030/1234567', 'tel. [PHONE]', 'phone number'],
    ['from 192.168.0.17.', 'from [IP].', 'IP address'], ['host 2001:db8::ff00:42:8329 is up', 'host [IP] is up', 'IP address'],
    ['I live at 12 Old Mill Road, Leeds', 'I live at [ADDRESS], Leeds', 'street address'],
    ['Sie wohnt Lindenstraße 4b in Ulm', 'Sie wohnt [ADDRESS] in Ulm', 'street address'],
  ])('%s', (text, expected, what) => {
    expect(one(text)).toEqual([expected, { [what]: 1 }]);
  });

  it.each([
    'version 1.2.3.4567 of 2026-01-31', 'at 12:30:05 on 31.01.2026', 'in 1990-2026', '4111 1111 1111 1112 has a wrong check digit',
    '3.14159265358979 and 1234567', 'a@b, @ann, x = y', '999.1.1.1', 'order 12345-678', 'C::method and std::vector', '0000000000000000',
    'There are 12 Monkeys on the road', 'pages 100 200', 'sum 1000000 + 2500000',
  ])('leaves alone: %s', (text) => {
    expect(one(text)).toEqual([text, {}]);
  });

  it('at any depth, and ids stay', () => {
    const row = { id: 'a@b.org', messages: [{ role: 'user', content: 'a@b.org, c@d.org' }], score: 4111111111111111 };
    expect(redactRows([row])).toEqual({
      rows: [{ ...row, messages: [{ role: 'user', content: '[EMAIL], [EMAIL]' }] }], counts: { 'e-mail address': 2 },
    });
  });
});
