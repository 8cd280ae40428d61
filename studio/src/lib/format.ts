import type { Cue, CueSpec, CueState } from './types';

export const WAITING: readonly CueState[] = ['queued', 'preparing', 'ready'];
export const isWaiting = (cue: Cue) => WAITING.includes(cue.state);

export const STATE_WORDS: Record<CueState, string> = {
  queued: 'Queued',
  preparing: 'Preparing',
  ready: 'Ready',
  speaking: 'On air',
  done: 'Done',
  cut: 'Cut',
  failed: 'Failed',
};

/** What a cue says, without the markup. */
export function lineOf(spec: CueSpec): string {
  if (spec.text) return spec.text;
  return (spec.ssml ?? '').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim() || 'SSML';
}

export const factor = (value: number) => `×${value.toFixed(2).replace(/0$/, '')}`;

export function clock(iso: string | undefined): string {
  if (!iso) return '';
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? '' : at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
}

/** With a full stop at its end, whatever the server wrote. */
export const sentence = (text: string) => (/[.!?…。]$/.test(text) ? text : `${text}.`);

export const milliseconds = (value: number) => (value < 10 ? value.toFixed(1) : Math.round(value).toString());

/** How long something is still kept: "5 h left". */
export function timeLeft(iso: string): string {
  const minutes = (new Date(iso).getTime() - Date.now()) / 60_000;
  if (Number.isNaN(minutes)) return '';
  if (minutes < 1) return 'expires now';
  if (minutes < 90) return `${Math.round(minutes)} min left`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h left` : `${Math.round(minutes / 1440)} days left`;
}

/** "3:07" of seconds, "1:03:07" of more than an hour. */
export function duration(seconds: number): string {
  const all = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** The part of a language tag that people choose by, in their own language: "en-US" is "English". */
export function languageName(tag: string | undefined): string {
  const language = (tag ?? '').split(/[-_]/)[0];
  if (!language) return 'Other';
  try {
    return new Intl.DisplayNames(undefined, { type: 'language' }).of(language) ?? language;
  } catch {
    return language;
  }
}
