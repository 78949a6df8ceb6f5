/** The keys that work here. */
import { active, setShortcutsOn, shortcutsOn } from './keys.js';
import { Dialog } from './parts/dialog.js';

export function Help({ close }: { readonly close: () => void }) {
  const all = active.value.flatMap((one) => Object.entries(one));
  const shown = all.filter(([key], i) => all.findIndex(([other]) => other === key) === i);
  return (
    <Dialog title="Keys" close={close}>
      <table class="keys">
        <tbody>
          {shown.map(([key, { does }]) => (
            <tr key={key}><th scope="row">{key.split(' ').map((one) => <kbd key={one}>{one}</kbd>)}</th><td>{does}</td></tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">
        <label>
          <input type="checkbox" checked={shortcutsOn.value} onChange={(event) => setShortcutsOn(event.currentTarget.checked)} />
          {' '}Single keys do something. They never do in a text field.
        </label>
      </p>
    </Dialog>
  );
}
