/** Comes before the chart library, which fails while loading where the browser's language is not valid ("en-US@posix"). */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US' });
}
