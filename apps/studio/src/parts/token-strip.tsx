/** Tokens in a row, shaded, of which one is looked at: by the mouse, or by keys once the row has the focus. */
import { useRef } from 'preact/hooks';

/** A token as it is drawn. */
export interface Token {
  readonly text: string;
  /** From −1 (cold) to 1 (hot); 0 has no shade. */
  readonly shade: number;
  /** Drawn with a line below, and bold. */
  readonly marked?: boolean;
  /** Drawn with dots below. */
  readonly dotted?: boolean;
  /** Whether it is learned; undefined where that is not the question. */
  readonly learned?: boolean;
  /** What is said of it, for who does not see the shade. */
  readonly says?: string;
}

interface Props {
  readonly label: string;
  readonly tokens: readonly Token[];
  /** Which token is looked at; undefined for none. */
  readonly at?: number;
  readonly look: (at: number | undefined) => void;
}

/** A line break is seen, and breaks. */
export const visible = (text: string): string => text.replaceAll('\n', '⏎\n').replaceAll('\t', '⇥');

function classOf(learned: boolean | undefined, shade: number, marked = false, dotted = false): string {
  if (learned !== undefined) return learned ? 'learned' : 'pale';
  return `${shade < 0 ? 'cold' : 'hot'}${marked ? ' marked' : ''}${dotted ? ' dotted' : ''}`;
}

let strips = 0;

export function TokenStrip({ label, tokens, at, look }: Props) {
  const id = useRef(`strip-${strips++}`).current;
  const move = (event: KeyboardEvent): void => {
    const last = tokens.length - 1;
    const to = { ArrowRight: (at ?? -1) + 1, ArrowLeft: (at ?? 1) - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    look(Math.max(0, Math.min(last, to)));
  };
  return (
    <div
      class="strip" role="listbox" aria-label={label} tabIndex={0} aria-activedescendant={at === undefined ? undefined : `${id}-${at}`}
      onKeyDown={move}
    >
      {tokens.map(({ text, shade, marked, dotted, learned, says }, i) => (
        <span
          key={i} id={`${id}-${i}`} role="option" aria-selected={i === at} aria-label={says === undefined ? undefined : `${text} ${says}`}
          class={classOf(learned, shade, marked, dotted)}
          style={{ '--shade': `${Math.round(100 * Math.min(1, Math.abs(shade)))}%` }}
          onMouseEnter={() => look(i)} onClick={() => look(i)}
        >
          {visible(text)}
        </span>
      ))}
    </div>
  );
}
