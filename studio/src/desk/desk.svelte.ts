// What the desk knows and does: one object that every panel reads and calls. It follows the server's events and
// reads everything anew after each reconnect, so that nothing shown is older than the connection.
import { Api, ApiError, channelPath } from '../lib/api';
import { isWaiting } from '../lib/format';
import { followEvents, type ServerEvent } from '../lib/sse';
import type { Channel, ChannelStats, Cue, CueSpec, Question, Rundown, Viewers } from '../lib/types';
import { Line } from './line.svelte';
import { Palette } from './palette.svelte';
import { Questions } from './questions/questions.svelte';

export interface Notice {
  id: number;
  tone: 'fine' | 'trouble';
  what: string;
  next: string;
  undo?: () => void;
}

export type Policy = 'now' | 'word' | 'sentence';

const STATS_EVERY_MS = 2000;
const CUES_KEPT = 200;
const NOTICE_MS = { fine: 6000, trouble: 14000 };

export class Desk {
  channels = $state.raw<Channel[]>([]);
  channelId = $state('');
  channel = $state.raw<Channel | null>(null);
  /** Newest first, as the API lists them. */
  cues = $state.raw<Cue[]>([]);
  cuesKnown = $state(false);
  stats = $state.raw<ChannelStats | null>(null);
  statsFailed = $state(false);
  /** Frames dropped since the last look at the stats. */
  droppedLately = $state(0);
  linked = $state(true);
  notices = $state.raw<Notice[]>([]);
  policy = $state<Policy>('word');

  readonly speaking = $derived(this.cues.find((cue) => cue.state === 'speaking') ?? null);
  /** In the order in which they go on air. */
  readonly waiting = $derived(this.cues.filter(isWaiting).reverse());
  readonly earlier = $derived(this.cues.filter((cue) => !isWaiting(cue) && cue.state !== 'speaking'));
  readonly onAir = $derived(this.channel?.state?.on_air ?? false);
  readonly palette: Palette;
  readonly questions: Questions;
  /** Who stands on the channel's own stage; nobody named: the first there is. */
  readonly people = $derived.by(() => {
    const { presenter, presenters } = this.channel ?? {};
    return presenters ?? (presenter ? [presenter] : this.palette.presenters.slice(0, 1).map((one) => one.id));
  });

  #lines = new Map<string, Line>();
  #following: AbortController | null = null;
  /** One list for each refresh under way: the cues that events told of since it began. */
  #listening = new Set<Cue[]>();
  #noticeId = 0;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly signedOut: (why: ApiError) => void,
  ) {
    this.palette = new Palette(api);
    this.questions = new Questions(api);
  }

  /** The line that is being written for a channel. */
  line(channel: string): Line {
    let line = this.#lines.get(channel);
    if (!line) this.#lines.set(channel, (line = new Line(channel, this.palette)));
    return line;
  }

  async start(): Promise<void> {
    const wanted = new URLSearchParams(location.search).get('channel');
    const { channels } = await this.api.get<{ channels: Channel[] }>('/v1/channels');
    this.channels = channels ?? [];
    const first = this.channels.find((one) => one.id === wanted) ?? this.channels.find((one) => one.id === 'main');
    this.open((first ?? this.channels[0])?.id ?? '');
    void this.palette.read();
  }

  stop(): void {
    this.#following?.abort();
    this.#following = null;
  }

  open(id: string): void {
    this.stop();
    this.channelId = id;
    this.channel = this.channels.find((one) => one.id === id) ?? null;
    this.cues = [];
    this.cuesKnown = false;
    this.stats = null;
    if (!id) return;
    const following = new AbortController();
    this.#following = following;
    const signal = following.signal;
    void followEvents(
      `/v1/events?channel=${encodeURIComponent(id)}`,
      this.api.headers(),
      {
        event: (event) => this.#event(event),
        link: (up) => {
          this.linked = up;
          if (up) void this.refresh(signal);
        },
      },
      signal,
    );
    void this.refresh(signal);
    void this.#watchStats(signal);
  }

  async refresh(signal?: AbortSignal): Promise<void> {
    const id = this.channelId;
    const meanwhile: Cue[] = [];
    this.#listening.add(meanwhile);
    // A viewer's key may not read them; the panel stays empty then.
    void this.questions.read(id).catch((error: unknown) => this.checkKey(error));
    const [channel, page] = await Promise.allSettled([
      this.api.get<Channel>(channelPath(id)),
      this.api.get<{ cues: Cue[] }>(channelPath(id, '/cues?limit=100')),
    ]);
    this.#listening.delete(meanwhile);
    if (signal?.aborted || id !== this.channelId) return;
    if (channel.status === 'fulfilled') this.#setChannel(channel.value);
    else this.checkKey(channel.reason);
    if (page.status === 'fulfilled') {
      this.cues = page.value.cues ?? [];
      this.cuesKnown = true;
      // What events told while the list was under way may be newer than the list.
      for (const cue of meanwhile) this.#setCue(cue);
    }
  }

  async #watchStats(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const stats = await this.api.get<ChannelStats>(channelPath(this.channelId, '/stats'));
        if (signal.aborted) return;
        this.droppedLately = Math.max(0, (stats.dropped ?? 0) - (this.stats?.dropped ?? stats.dropped ?? 0));
        const spoke = this.stats?.speaking;
        this.stats = stats;
        this.statsFailed = false;
        if (stats.speaking !== spoke) this.#refreshSoon();
      } catch (error) {
        this.statsFailed = true;
        this.checkKey(error);
      }
      await new Promise((resolve) => setTimeout(resolve, STATS_EVERY_MS));
    }
  }

  #event(event: ServerEvent): void {
    let data: unknown;
    try {
      data = JSON.parse(event.data);
    } catch {
      return;
    }
    if (event.type === 'cue') {
      this.#setCue(data as Cue);
      for (const meanwhile of this.#listening) meanwhile.push(data as Cue);
    }
    if (event.type === 'question') this.questions.set(data as Question);
    if (event.type === 'channel') this.#setChannel(data as Channel);
    else if (event.type === 'caption') this.#refreshSoon();
    else if (event.type === 'viewers') this.stats = { ...this.stats, viewers: viewersOf(data) };
  }

  /** A sentence began: the rundown may stand elsewhere now. The server tells of channels only when changed. */
  #refreshSoon(): void {
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = setTimeout(() => void this.#readChannel(), 60);
  }

  async #readChannel(): Promise<void> {
    try {
      this.#setChannel(await this.api.get<Channel>(channelPath(this.channelId)));
    } catch (error) {
      this.checkKey(error);
    }
  }

  #setCue(cue: Cue): void {
    if (cue.channel && cue.channel !== this.channelId) return;
    const at = this.cues.findIndex((one) => one.id === cue.id);
    if (at < 0) this.cues = [cue, ...this.cues].slice(0, CUES_KEPT);
    else this.cues = this.cues.map((one, i) => (i === at ? cue : one));
  }

  #setChannel(channel: Channel): void {
    if (channel.id !== this.channelId) return;
    this.channel = channel;
    this.channels = this.channels.map((one) => (one.id === channel.id ? channel : one));
  }

  /** Back to the sign-in page when the key is refused. */
  checkKey(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) {
      this.stop();
      this.signedOut(error);
    }
  }

  // --- what the operator does ---

  /** Throws an ApiError that the line box shows; the text stays there until this has returned. */
  async send(spec: CueSpec): Promise<Cue> {
    const cue = await this.api.post<Cue>(channelPath(this.channelId, '/cues'), spec);
    // The event may have come first, and further.
    if (!this.cues.some((one) => one.id === cue.id)) this.#setCue({ ...spec, ...cue });
    return cue;
  }

  interrupt(policy: Policy = this.policy): Promise<void> {
    return this.#do(() => this.api.post(channelPath(this.channelId, '/interrupt'), { policy }));
  }

  play(cue: Cue): Promise<void> {
    return this.#do(() =>
      this.api.post(channelPath(this.channelId, `/cues/${encodeURIComponent(cue.id)}/play`), { policy: this.policy }),
    );
  }

  remove(cue: Cue): Promise<void> {
    return this.#do(async () => {
      await this.api.request('DELETE', channelPath(this.channelId, `/cues/${encodeURIComponent(cue.id)}`));
      if (cue.state !== 'speaking') this.cues = this.cues.filter((one) => one.id !== cue.id);
    });
  }

  /** Shows the change at once and takes it back if the server refuses it. */
  async setRundown(rundown: Rundown, told?: string): Promise<void> {
    const before = this.channel;
    if (!before) return;
    this.channel = { ...before, rundown };
    try {
      this.#setChannel(await this.api.json<Channel>('PATCH', channelPath(before.id), { rundown }));
      if (told && before.rundown) {
        const old = before.rundown;
        this.notify({ tone: 'fine', what: told, next: '', undo: () => void this.setRundown(old) });
      }
    } catch (error) {
      this.channel = { ...this.channel, ...before };
      this.trouble(error, 'The rundown is as it was.');
    }
  }

  /** Changes the channel itself; throws an ApiError that the stage's panel shows. */
  async change(changes: Partial<Channel>): Promise<void> {
    const id = this.channelId;
    this.#setChannel(await this.api.json<Channel>('PATCH', channelPath(id), changes));
  }

  async snapshot(): Promise<void> {
    await this.#do(async () => {
      const response = await this.api.request('GET', channelPath(this.channelId, '/snapshot.png'));
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await response.blob());
      link.download = `${this.channelId}-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  }

  async #do(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.trouble(error, 'Nothing on air has changed.');
    }
  }

  // --- notices ---

  trouble(error: unknown, safe: string): void {
    this.checkKey(error);
    if (error instanceof ApiError)
      this.notify({ tone: 'trouble', what: `${error.message}.`, next: `${safe} ${error.next}` });
    else this.notify({ tone: 'trouble', what: 'Something went wrong in this page.', next: `${safe} Reload the page.` });
  }

  notify(notice: Omit<Notice, 'id'>): void {
    const id = (this.#noticeId += 1);
    this.notices = [...this.notices.slice(-2), { ...notice, id }];
    setTimeout(() => this.dismiss(id), NOTICE_MS[notice.tone]);
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((one) => one.id !== id);
  }
}

function viewersOf(data: unknown): Viewers {
  return (data as { viewers?: Viewers }).viewers ?? (data as Viewers);
}
