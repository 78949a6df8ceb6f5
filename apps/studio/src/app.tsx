/** The frame of every page: the menu, the theme, the help, and the door where a token is asked for. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Door } from './door.js';
import { Help } from './help.js';
import { type Shortcuts, useKeys } from './keys.js';
import { PAGES } from './pages.js';
import { Notices } from './parts/notices.js';
import { addressOf, go, place } from './router.js';
import { locked } from './server.js';
import { dark, toggleTheme } from './theme.js';

export function App() {
  const help = useSignal(false);
  const page = PAGES.find(({ id }) => id === place.value.page) ?? PAGES[0]!;
  const pageKeys: Shortcuts = Object.fromEntries(
    PAGES.map(({ id, title, key }) => [`g ${key}`, { does: `go to ${title}`, run: () => go(addressOf(id)) }]),
  );
  useKeys({
    ...pageKeys,
    '?': { does: 'show or hide this help', run: () => { help.value = !help.value; } },
    t: { does: 'light or dark', run: toggleTheme },
  }, true);
  useEffect(() => { document.title = `${page.title} · Heed studio`; }, [page]);
  if (locked.value) return <Door />;
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>
        Skip to the page
      </a>
      <header class="menu">
        <a class="brand" href={addressOf('runs')}><img src="icon.svg" alt="" width="24" height="24" /> Heed studio</a>
        <nav aria-label="Pages">
          {PAGES.map(({ id, title, key }) => (
            <a key={id} href={addressOf(id)} aria-current={id === page.id ? 'page' : undefined} title={`g ${key}`}>{title}</a>
          ))}
        </nav>
        <div class="tools">
          <button type="button" class="plain" onClick={toggleTheme} title="Light or dark (t)">
            {dark.value ? 'Light' : 'Dark'}
          </button>
          <button type="button" class="plain" onClick={() => { help.value = true; }} title="Keyboard shortcuts (?)">
            <kbd>?</kbd> Help
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}><page.view /></main>
      <Notices />
      {help.value && <Help close={() => { help.value = false; }} />}
    </div>
  );
}
