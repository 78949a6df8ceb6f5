/** How a fact stands to another one of the same speaker. */
import { plainWords, stem } from '../../text/words.js';
import type { Fact, Slot } from './facts.js';

export type Relation = 'entail' | 'contradict' | 'neutral';

/** A person has one of each. */
const EXCLUSIVE: ReadonlySet<Slot> = new Set([
  'job', 'home', 'origin', 'childhood', 'age', 'name', 'diet', 'partner', 'working', 'favourite', 'named',
]);

const list = (text: string): ReadonlySet<string> => new Set(text.split(' ').map(stem));
const PETS = list('dog cat parrot bird fish rabbit hamster horse snake turtle lizard budgie canary mouse rat');
const MEAT = list('meat steak chicken beef pork ham bacon fish burger sausage lamb turkey salmon tuna veal duck');
const DAIRY_AND_EGGS = list('cheese milk egg butter honey cream yoghurt yogurt');
/** Words after which what follows is not eaten. */
const WITHOUT = /\b(?:without|no|not|never|free|instead of|rather than|allergic)\b|n't\b/;

/** How `said` stands to what is known. Of two facts about different things: neutral. */
export function relationOf(known: Fact, said: Fact): Relation {
  if (known.slot === 'owns' && said.slot === 'owns') return ofOwned(known, said);
  if (known.slot !== said.slot || known.key !== said.key) return 'neutral';
  const shared = overlaps(known, said);
  if (EXCLUSIVE.has(known.slot)) {
    if (known.number !== undefined && said.number !== undefined) return known.number === said.number ? 'entail' : 'contradict';
    if (shared) return known.positive === said.positive ? 'entail' : 'contradict';
    return known.positive && said.positive ? 'contradict' : 'neutral';
  }
  if (!shared) return 'neutral';
  return known.positive === said.positive ? 'entail' : 'contradict';
}

/** Whether one of the two says at least half of what the other one says. */
function overlaps({ value: a }: Fact, { value: b }: Fact): boolean {
  const common = a.filter((word) => b.includes(word)).length;
  return common > 0 && 2 * common >= Math.min(a.length, b.length);
}

function ofOwned(known: Fact, said: Fact): Relation {
  if (known.key === said.key) {
    if (known.positive !== said.positive) return 'contradict';
    if (known.number === undefined || said.number === undefined) return 'entail';
    return known.number === said.number ? 'entail' : 'contradict';
  }
  return known.positive && said.positive && PETS.has(known.key) && PETS.has(said.key) ? 'contradict' : 'neutral';
}

/** The food in a clause that a known fact rules out: meat for a vegetarian, or what the speaker does not eat. */
export function forbiddenFood(known: Fact, clause: string): string | undefined {
  const plain = clause.toLowerCase().replaceAll('’', "'");
  if (WITHOUT.test(plain)) return undefined;
  const forbids = (word: string): boolean => {
    const vegan = known.value.includes(stem('vegan'));
    if (known.slot === 'diet' && known.positive) return MEAT.has(word) || (vegan && DAIRY_AND_EGGS.has(word));
    if (known.slot !== 'does' || known.key !== 'eat' || known.positive) return false;
    return known.value.includes(word) || (known.value.includes('meat') && MEAT.has(word));
  };
  return plainWords(plain).find((word) => forbids(stem(word)));
}
