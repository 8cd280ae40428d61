// Captions of what is being said, from the channel's public stream of marks. A server without that stream
// answers 404; then there are none, and nobody is bothered with it.
import { channelPath, withToken } from './api';
import type { Caption } from './types';

export interface CaptionLine {
  text: string;
  /** How much of the text has been said, in characters. */
  said: number;
}

const LINGER_MS = 1200;
const MS_A_CHARACTER = 65;
const RETRY_MS = 60_000;

/** Byte offsets into UTF-8, as marks have them, to offsets into a JavaScript string. */
export function utf16Offsets(text: string, byteOffsets: number[]): number[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  return byteOffsets.map((offset) => decoder.decode(bytes.subarray(0, offset)).length);
}

export class Captions {
  #source: EventSource | null = null;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param show called with the line to show, or null for none
   * @param available called when it is known whether this channel has captions
   * @param delayMs how far behind the server the picture is at this moment
   */
  constructor(
    readonly channel: string,
    readonly show: (line: CaptionLine | null) => void,
    readonly available: (yes: boolean) => void,
    readonly delayMs: () => number,
    readonly token: string | null = null,
  ) {
    this.#open();
  }

  #open(): void {
    const source = new EventSource(withToken(channelPath(this.channel, '/captions'), this.token));
    this.#source = source;
    source.onopen = () => this.available(true);
    source.onerror = () => {
      // CONNECTING: the browser tries again by itself. CLOSED: refused.
      if (source.readyState !== EventSource.CLOSED) return;
      this.available(false);
      this.#retry = setTimeout(() => this.#open(), RETRY_MS);
    };
    source.addEventListener('caption', (event) => {
      try {
        this.#play(JSON.parse((event as MessageEvent<string>).data) as Caption);
      } catch {
        // A caption that cannot be read is a caption less.
      }
    });
  }

  #play(caption: Caption): void {
    const { text, words = [] } = caption;
    if (!text) return;
    const delay = this.delayMs();
    this.#clear();
    const ends = utf16Offsets(
      text,
      words.map((word) => word.end),
    );
    const last = caption.duration_ms || (words[words.length - 1]?.t_ms ?? text.length * MS_A_CHARACTER);
    if (words.length === 0) this.#at(delay, { text, said: text.length });
    words.forEach((word, i) => this.#at(delay + word.t_ms, { text, said: ends[i] ?? text.length }));
    this.#at(delay + last + LINGER_MS, null);
  }

  #at(ms: number, line: CaptionLine | null): void {
    this.#timers.push(setTimeout(() => this.show(line), Math.max(0, ms)));
  }

  #clear(): void {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
  }

  close(): void {
    this.#source?.close();
    clearTimeout(this.#retry);
    this.#clear();
    this.show(null);
  }
}
