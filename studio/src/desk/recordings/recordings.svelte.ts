// The channel's recordings: begun, ended, fetched, removed. Looked at while the panel is open or one runs.
import type { Api } from '../../lib/api';
import type { Recording } from '../../lib/types';

const LOOK_MS = 1000;
const PAGE = 20;

export class Recordings {
  /** Newest first. */
  all = $state.raw<Recording[]>([]);
  more = $state(false);
  running = $derived(this.all.find((one) => one.state === 'recording'));

  #cursor = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open = false;
  #ended = false;

  constructor(
    readonly api: Api,
    readonly channel: string,
  ) {}

  async read(further = false): Promise<void> {
    const from = further && this.#cursor ? `&cursor=${encodeURIComponent(this.#cursor)}` : '';
    const page = await this.api.get<{ recordings: Recording[]; cursor: string }>(
      `/v1/recordings?channel=${encodeURIComponent(this.channel)}&limit=${PAGE}${from}`,
    );
    this.all = from ? [...this.all, ...page.recordings] : page.recordings;
    this.#cursor = page.cursor;
    this.more = page.cursor !== '';
    this.#again();
  }

  /** Only the one that runs changes by itself. */
  async #look(): Promise<void> {
    const { running } = this;
    if (!running) return;
    const now = await this.api.get<Recording>(`/v1/recordings/${running.id}`);
    this.all = this.all.map((one) => (one.id === now.id ? now : one));
  }

  #again(): void {
    clearTimeout(this.#timer);
    if (this.#ended || !(this.#open || this.running)) return;
    this.#timer = setTimeout(() => void this.#look().catch(() => undefined).finally(() => this.#again()), LOOK_MS);
  }

  /** Whether somebody looks. */
  async show(open: boolean): Promise<void> {
    this.#open = open;
    if (open) await this.read();
  }

  stop(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  async begin(title: string): Promise<void> {
    await this.api.post('/v1/recordings', { channel: this.channel, ...(title && { title }) });
    await this.read();
  }

  async end(id: string): Promise<void> {
    await this.api.post(`/v1/recordings/${id}/stop`, {});
    await this.read();
  }

  /** The browser saves it by itself, from an address that is good for a minute. */
  async save(id: string): Promise<void> {
    const { url } = await this.api.post<{ url: string }>(`/v1/recordings/${id}/url`, { expires_s: 60 });
    const link = document.createElement('a');
    link.href = url;
    link.download = `${id}.mp4`;
    link.click();
  }

  async remove(id: string): Promise<void> {
    await this.api.request('DELETE', `/v1/recordings/${id}`);
    this.all = this.all.filter((one) => one.id !== id);
  }
}
