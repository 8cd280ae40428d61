// Server-sent events read with fetch, since EventSource cannot send an Authorization header. Reconnects by
// itself and asks for what it missed with Last-Event-ID.
import { Backoff, sleep } from './backoff';

export interface ServerEvent {
  type: string;
  data: string;
  id: string;
}

/** Splits a stream of text into events, by the rules of the HTML standard (section 9.2.6). */
export class EventParser {
  #rest = '';
  #type = '';
  #data: string[] = [];
  lastId = '';

  push(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + chunk).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0)
          events.push({ type: this.#type || 'message', data: this.#data.join('\n'), id: this.lastId });
        this.#type = '';
        this.#data = [];
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') this.#type = value;
      else if (field === 'data') this.#data.push(value);
      else if (field === 'id') this.lastId = value;
    }
    return events;
  }
}

export interface StreamHandlers {
  event(event: ServerEvent): void;
  /** Called at each connect and loss; after a connect whatever is shown should be read anew. */
  link(up: boolean): void;
}

/** Follows the events at `path` until `signal` ends it. */
export async function followEvents(
  path: string,
  headers: Record<string, string>,
  handlers: StreamHandlers,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff(500, 8000);
  let lastId = '';
  while (!signal.aborted) {
    try {
      const response = await fetch(path, {
        headers: { Accept: 'text/event-stream', ...headers, ...(lastId ? { 'Last-Event-ID': lastId } : {}) },
        cache: 'no-store',
        signal,
      });
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      handlers.link(true);
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const parser = new EventParser();
      parser.lastId = lastId;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        backoff.reset();
        for (const event of parser.push(decoder.decode(value, { stream: true }))) handlers.event(event);
        lastId = parser.lastId;
      }
    } catch {
      // Lost or refused: the same treatment, try again later.
    }
    if (signal.aborted) return;
    handlers.link(false);
    await sleep(backoff.next(), signal);
  }
}
