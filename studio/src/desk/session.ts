// Where the key is kept: in this tab's session, or on this device if asked.
const NAME = 'compere.key';

export function storedKey(): string | null {
  // "/studio/#key=cpk_..." is how the server's first lines can hand a key over. The part after # never leaves the
  // browser; it is taken out of the address so that it does not stay in the history.
  const handed = /^#key=(.+)$/.exec(location.hash)?.[1];
  if (handed) {
    history.replaceState(null, '', location.pathname + location.search);
    keepKey(decodeURIComponent(handed), false);
  }
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME);
}

export function keepKey(key: string, onDevice: boolean): void {
  sessionStorage.setItem(NAME, key);
  if (onDevice) localStorage.setItem(NAME, key);
}

export function forgetKey(): void {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
}

const THEME = 'compere.theme';
export type Theme = 'dark' | 'light';

export function storedTheme(): Theme {
  return localStorage.getItem(THEME) === 'light' ? 'light' : 'dark';
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem(THEME, theme);
}
