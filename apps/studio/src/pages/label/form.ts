import type { LabelSetLine, ShownItem } from '../../api.js';
import type { Labelling } from './labelling.js';

/** What a form of a task gets. */
export interface FormProps {
  readonly set: LabelSetLine;
  readonly item: ShownItem;
  readonly work: Labelling;
}
