/** Label: what there is to label, and one set of it that is opened. */
import type { Page } from '../page.js';
import { place } from '../router.js';
import { LabelHome } from './label/home.js';
import { OpenedSet } from './label/opened.js';
import '../style/label.css';

function Label() {
  const set = place.value.params.get('set');
  return set === null ? <LabelHome /> : <OpenedSet key={set} id={set} />;
}

export const labelPage: Page = { id: 'label', title: 'Label', key: 'l', view: Label };
