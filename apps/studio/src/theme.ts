/** Light or dark: as the system has it, until somebody says otherwise. */
import { signal } from '@preact/signals';

const STORED = 'heed.theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const stored = localStorage.getItem(STORED);

/** Whether the page is dark now. */
export const dark = signal(stored === null ? system.matches : stored === 'dark');

const apply = (): void => { document.documentElement.dataset['theme'] = dark.peek() ? 'dark' : 'light'; };
apply();
system.addEventListener('change', ({ matches }) => {
  if (localStorage.getItem(STORED) !== null) return;
  dark.value = matches;
  apply();
});

/** The other one. Back at the system's own, the page follows the system again. */
export function toggleTheme(): void {
  dark.value = !dark.peek();
  if (dark.peek() === system.matches) localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, dark.peek() ? 'dark' : 'light');
  apply();
}
