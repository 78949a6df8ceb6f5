/** One of several, as buttons: which of a list is shown. */
interface Props<T extends string> {
  readonly label: string;
  readonly choices: readonly { readonly id: T; readonly title: string; readonly count?: number }[];
  readonly chosen: T;
  readonly choose: (id: T) => void;
}

export function Choices<T extends string>({ label, choices, chosen, choose }: Props<T>) {
  return (
    <div class="choices" role="group" aria-label={label}>
      {choices.map(({ id, title, count }) => (
        <button key={id} type="button" aria-pressed={id === chosen} onClick={() => choose(id)}>
          {title} {count !== undefined && <span class="quiet">{count.toLocaleString('en-US')}</span>}
        </button>
      ))}
    </div>
  );
}
