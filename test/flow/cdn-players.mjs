// Many players of LL-HLS in one process, each on two connections of its own, as lean as can be: what is measured is the server's way.
import { connect } from "node:net";

/** One connection that is kept; one request at a time. Bodies of parts are counted, not kept. */
class Wire {
  constructor(port, name) {
    Object.assign(this, { port, name, chunks: [], length: 0, head: null });
  }

  get(path, { keep = false } = {}) {
    return new Promise((done, fail) => {
      Object.assign(this, { done, fail, keep, chunks: [], length: 0, head: null });
      if (!this.socket) this.open();
      this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.name}\r\n\r\n`);
    });
  }

  open() {
    this.socket = connect(this.port, "127.0.0.1").setNoDelay();
    this.socket.on("data", (bytes) => this.take(bytes));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.socket = null;
      this.fail?.(new Error(`the connection to port ${this.port} closed`));
    });
  }

  take(bytes) {
    if (!this.head) {
      const all = this.chunks.length ? Buffer.concat([...this.chunks, bytes]) : bytes;
      const end = all.indexOf("\r\n\r\n");
      if (end < 0) return void this.chunks.push(bytes);
      this.head = all.toString("latin1", 0, end);
      this.status = Number(this.head.slice(9, 12));
      const length = /\r\ncontent-length: *(\d+)/i.exec(this.head);
      if (!length) return this.socket.destroy(new Error("an answer without a length"));
      this.wanted = Number(length[1]);
      this.chunks = [];
      bytes = all.subarray(end + 4);
    }
    this.length += bytes.length;
    if (this.keep) this.chunks.push(bytes);
    if (this.length < this.wanted) return;
    const { done } = this;
    this.done = this.fail = null;
    done({ status: this.status, head: this.head, bytes: this.length, text: this.keep ? Buffer.concat(this.chunks).toString() : "", at_ms: performance.now() });
  }

  close() {
    this.fail = null;
    this.socket?.destroy();
  }
}

const parsed = new Map(); // hundreds of players read the same text
/** Where a playlist ends (the next part's segment and number), its hint and its parts. */
export function readPlaylist(text) {
  if (parsed.has(text)) return parsed.get(text);
  if (parsed.size > 50) parsed.clear();
  const number = (pattern) => Number(pattern.exec(text)?.[1] ?? 0);
  let msn = number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/) + number(/SKIPPED-SEGMENTS=(\d+)/), part = 0;
  const parts = [];
  for (const [, uri, complete] of text.matchAll(/#EXT-X-PART:[^\n]*URI="([^"]+)"|(#EXTINF:)/g))
    if (complete) msn++, (part = 0);
    else parts.push({ uri, at: `${msn}.${part++}` });
  const read = { msn, part, parts, hint: /#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(text)?.[1] };
  parsed.set(text, read);
  return read;
}

/** Plays until stop(): preload hint and blocking reload at once, as the drafts tell players to. */
export class Player {
  constructor(port, path, name) {
    Object.assign(this, { path, name, got: new Map(), requests: 0, errors: [], playlists: [] });
    this.lists = new Wire(port, name);
    this.files = new Wire(port, name);
    this.over = this.play().catch((error) => this.stopped || this.errors.push(error.message));
  }

  async ask(wire, file, query = "", options) {
    this.requests++;
    const answer = await wire.get(`${this.path}/${file}?viewer=${this.name}${query}`, options);
    if (answer.status !== 200 && !this.stopped) this.errors.push(`${answer.status} for ${file}?${query}`);
    return answer;
  }

  async fetchPart(uri) {
    const answer = await this.ask(this.files, uri);
    if (answer.status === 200) this.got.set(uri, answer.at_ms);
  }

  async play() {
    let list = readPlaylist((await this.ask(this.lists, "video.m3u8", "", { keep: true })).text);
    this.first = list.hint;
    while (!this.stopped) {
      const sent_ms = performance.now(), { hint, msn, part } = list;
      const [answer] = await Promise.all([
        this.ask(this.lists, "video.m3u8", `&_HLS_msn=${msn}&_HLS_part=${part}&_HLS_skip=YES`, { keep: true }),
        this.fetchPart(hint),
      ]);
      if (answer.status !== 200) break;
      list = readPlaylist(answer.text);
      this.playlists.push({ sent_ms, at_ms: answer.at_ms, last: list.parts.at(-1).uri });
      if (list.msn < msn || (list.msn === msn && list.part <= part)) this.errors.push(`a playlist up to ${list.msn}.${list.part} for ${msn}.${part}`);
      const from = list.parts.findIndex((p) => p.uri === hint);
      for (const { uri } of from < 0 ? [] : list.parts.slice(from + 1)) if (!this.got.has(uri)) await this.fetchPart(uri);
    }
  }

  stop() {
    this.stopped = true;
    this.lists.close();
    this.files.close();
  }
}
