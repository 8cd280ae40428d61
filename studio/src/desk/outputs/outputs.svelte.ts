// Where the channel is pushed to: added, switched, removed, and how each fares. Looked at while the panel is open.
import { channelPath, type Api } from '../../lib/api';
import type { Output } from '../../lib/types';

const LOOK_MS = 2000;

export interface NewOutput {
  preset: string;
  name: string;
  url: string;
  key?: string;
  backup_url?: string;
}

/** What the platforms call it, and where their addresses are found. */
export const PRESETS = [
  { preset: 'youtube', name: 'YouTube', url: 'rtmps://a.rtmps.youtube.com/live2', backup: 'rtmps://b.rtmps.youtube.com/live2?backup=1' },
  { preset: 'ivs-low-latency', name: 'Amazon IVS', url: 'rtmps://….global-contribute.live-video.net:443/app/', backup: '' },
  { preset: 'ivs-real-time', name: 'Amazon IVS real-time', url: 'rtmps://….global-contribute.live-video.net:443/app/', backup: '' },
  { preset: 'custom', name: 'Another ingest', url: 'rtmp://, rtmps:// or srt://', backup: '' },
] as const;

export class Outputs {
  all = $state.raw<Output[]>([]);
  /** kbit/s since the last look, by id. */
  rates = $state.raw<Record<string, number>>({});

  #bytes = new Map<string, { bytes: number; at: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open = false;

  constructor(
    readonly api: Api,
    readonly channel: string,
  ) {}

  #path(id = '') {
    return channelPath(this.channel, `/outputs${id && `/${encodeURIComponent(id)}`}`);
  }

  async read(): Promise<void> {
    const { outputs } = await this.api.get<{ outputs: Output[] }>(this.#path());
    const now = performance.now();
    const rates: Record<string, number> = {};
    for (const { id, health } of outputs) {
      const before = this.#bytes.get(id);
      if (before && health.bytes >= before.bytes) rates[id] = ((health.bytes - before.bytes) * 8) / (now - before.at);
      this.#bytes.set(id, { bytes: health.bytes, at: now });
    }
    this.rates = rates;
    this.all = outputs;
  }

  /** Looks again and again until stop(). Rejects when the first look fails. */
  async follow(): Promise<void> {
    this.#open = true;
    await this.read();
    const again = () => {
      clearTimeout(this.#timer);
      if (!this.#open) return;
      this.#timer = setTimeout(() => void this.read().catch(() => undefined).finally(again), LOOK_MS);
    };
    again();
  }

  stop(): void {
    this.#open = false;
    clearTimeout(this.#timer);
  }

  async add(output: NewOutput): Promise<void> {
    await this.api.post(this.#path(), output);
    await this.read();
  }

  async enable(id: string, enabled: boolean): Promise<void> {
    await this.api.request('PATCH', this.#path(id), { enabled });
    await this.read();
  }

  async remove(id: string): Promise<void> {
    await this.api.request('DELETE', this.#path(id));
    await this.read();
  }
}
