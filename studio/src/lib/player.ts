// Plays a channel in a <video>: WebRTC first, LL-HLS where that does not come through, and again from the start,
// with growing pauses, whenever the picture is lost. The pages only listen to its state.
import type Hls from 'hls.js';
import { channelPath, withToken, type Admission } from './api';
import { Backoff, sleep } from './backoff';
import { WhepError, WhepSession } from './whep';

export type Transport = 'webrtc' | 'hls';
/** offline: the server answers, or does not, but there is no picture; it is tried again by itself.
 *  refused: the channel wants a token, and ours is not good; so nothing is tried again. */
export type PlayerState = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'refused' | 'stopped';

export interface PlayerStats {
  transport: Transport | null;
  state: PlayerState;
  width: number;
  height: number;
  /** Frames decoded since the connection stands (WebRTC), or since the page was opened (HLS). */
  frames: number;
  frames_dropped: number;
  fps: number;
  packets_lost: number;
  /** Milliseconds a picture waits in this browser before it is shown, over the last second. */
  jitter_buffer_ms: number | null;
  rtt_ms: number | null;
  /** Best guess of how far behind the server this picture is. */
  latency_ms: number | null;
}

/** No picture by WebRTC after this long: a firewall is in between, take HLS. */
const WEBRTC_PATIENCE_MS = 4000;
const HLS_PATIENCE_MS = 12000;
/** No new picture for this long: the connection is dead, whatever it says. */
const STALL_MS = 4000;
const HLS_STALL_MS = 10000;

/** Sound this much behind the picture is not noticed; the picture waits for what is more (EBU R37 allows 60). */
const SOUND_LATE_MS = 20;
const PICTURE_WAITS_AT_MOST_MS = 80;
const SYNC_EVERY_MS = 1000;

interface Attempt {
  result: 'played' | 'failed' | 'absent' | 'refused';
}

export class Player {
  transport: Transport | null = null;
  state: PlayerState = 'connecting';

  readonly #abort = new AbortController();
  readonly #changed: (player: Player) => void;
  #session: WhepSession | null = null;
  #hls: Hls | null = null;
  #backoff = new Backoff(500, 8000);
  #meter = { at: 0, frames: 0, delay: 0, emitted: 0, fps: 0, jitter: null as number | null };
  #playedBefore = false;

  constructor(
    readonly channel: string,
    readonly video: HTMLVideoElement,
    changed: (player: Player) => void = () => undefined,
    readonly only: Transport | null = null,
    readonly admission: Admission = {},
  ) {
    this.#changed = changed;
    // What is behind bfcache or a closed tab must not stay a viewer at the server.
    addEventListener('pagehide', this.#left);
    addEventListener('pageshow', this.#cameBack);
    void this.#run();
  }

  stop(): void {
    removeEventListener('pagehide', this.#left);
    removeEventListener('pageshow', this.#cameBack);
    this.#abort.abort();
    this.#drop();
    this.#set('stopped', null);
  }

  #left = () => this.#drop();
  #cameBack = (event: PageTransitionEvent) => {
    if (event.persisted) location.reload();
  };

  #set(state: PlayerState, transport: Transport | null): void {
    if (state === this.state && transport === this.transport) return;
    this.state = state;
    this.transport = transport;
    this.#changed(this);
  }

  #drop(): void {
    this.#session?.close();
    this.#session = null;
    this.#hls?.destroy();
    this.#hls = null;
    this.#meter = { at: 0, frames: 0, delay: 0, emitted: 0, fps: 0, jitter: null };
  }

  async #run(): Promise<void> {
    const signal = this.#abort.signal;
    while (!signal.aborted) {
      let attempt: Attempt = { result: 'failed' };
      if (this.only !== 'hls' && 'RTCPeerConnection' in window) attempt = await this.#playWebrtc(signal);
      this.#drop();
      if (signal.aborted) return;
      if (attempt.result === 'failed' && this.only !== 'webrtc') attempt = await this.#playHls(signal);
      this.#drop();
      if (signal.aborted) return;
      if (attempt.result === 'played') {
        this.#backoff.reset();
        this.#set('reconnecting', null);
        await sleep(250, signal);
        continue;
      }
      if (attempt.result === 'refused') {
        this.#set('refused', null);
        return;
      }
      this.#set('offline', null);
      await sleep(this.#backoff.next(), signal);
    }
  }

  #live(transport: Transport): void {
    this.#playedBefore = true;
    this.#set('live', transport);
  }

  #trying(): void {
    // While offline, stay so until there is a picture: a page that flickers between two words tells nothing.
    if (this.state !== 'offline') this.#set(this.#playedBefore ? 'reconnecting' : 'connecting', null);
  }

  /** Resolves once the WebRTC connection is over or never came about. */
  async #playWebrtc(signal: AbortSignal): Promise<Attempt> {
    this.#trying();
    const session = new WhepSession();
    this.#session = session;
    try {
      await session.open(this.channel, signal, this.admission);
    } catch (error) {
      if (error instanceof WhepError && [401, 403].includes(error.status)) return { result: 'refused' };
      // 404: no such channel; 409, 503: not on air. The server was reached, HLS has nothing more to offer.
      if (error instanceof WhepError && [404, 409, 503].includes(error.status)) return { result: 'absent' };
      if (error instanceof TypeError) return { result: 'absent' };
      return { result: 'failed' };
    }
    this.video.srcObject = session.stream;
    this.#playVideo();
    let frames = 0;
    let lastProgress = performance.now();
    let lastSync = lastProgress;
    let played = false;
    while (!signal.aborted && this.#session === session) {
      await sleep(played ? 500 : 50, signal);
      if (signal.aborted || this.#session !== session) break;
      const now = performance.now();
      const seen = await decodedFrames(session.peer);
      if (seen > frames) {
        frames = seen;
        lastProgress = now;
        if (!played) {
          played = true;
          this.#live('webrtc');
        }
      }
      if (played && now - lastSync > SYNC_EVERY_MS) {
        lastSync = now;
        await syncPicture(session.peer);
      }
      const gone = ['failed', 'closed'].includes(session.peer.connectionState);
      if (gone || now - lastProgress > (played ? STALL_MS : WEBRTC_PATIENCE_MS)) break;
    }
    return { result: played ? 'played' : 'failed' };
  }

  async #playHls(signal: AbortSignal): Promise<Attempt> {
    this.#trying();
    const { token, key } = this.admission;
    const url = withToken(channelPath(this.channel, '/hls/index.m3u8'), token);
    this.video.srcObject = null;
    let broken = false;
    let refused = false;
    const { default: HlsPlayer } = await import('hls.js');
    if (signal.aborted) return { result: 'failed' };
    if (HlsPlayer.isSupported()) {
      const hls = new HlsPlayer({
        lowLatencyMode: true,
        backBufferLength: 10,
        // The worker would be started from a blob: address, which the page's policy forbids.
        enableWorker: false,
        maxLiveSyncPlaybackRate: 1.08,
        xhrSetup: (request) => {
          if (key) request.setRequestHeader('Authorization', `Bearer ${key}`);
        },
      });
      this.#hls = hls;
      hls.on(HlsPlayer.Events.ERROR, (_event, data) => {
        if (!data.fatal) return;
        broken = true;
        refused = data.response?.code === 401 || data.response?.code === 403;
      });
      hls.loadSource(url);
      hls.attachMedia(this.video);
    } else {
      this.video.src = url;
    }
    this.#playVideo();
    const started = performance.now();
    let at = -1;
    let lastProgress = started;
    let played = false;
    while (!signal.aborted && !broken) {
      await sleep(played ? 500 : 50, signal);
      const now = performance.now();
      if (this.video.error) break;
      if (this.video.currentTime !== at && this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
        // The first look only says where it starts.
        if (at >= 0) {
          lastProgress = now;
          if (!played) {
            played = true;
            this.#live('hls');
          }
        }
        at = this.video.currentTime;
      }
      if (this.video.paused && played) lastProgress = now;
      if (now - lastProgress > (played ? HLS_STALL_MS : HLS_PATIENCE_MS)) break;
    }
    this.video.removeAttribute('src');
    if (refused) return { result: 'refused' };
    return { result: played ? 'played' : broken ? 'absent' : 'failed' };
  }

  #playVideo(): void {
    this.video.play().catch(() => {
      // Sound without a click is not allowed: play without, the page offers the click.
      this.video.muted = true;
      this.video.play().catch(() => undefined);
    });
  }

  async stats(): Promise<PlayerStats> {
    const base: PlayerStats = {
      transport: this.transport,
      state: this.state,
      width: this.video.videoWidth,
      height: this.video.videoHeight,
      frames: 0,
      frames_dropped: 0,
      fps: 0,
      packets_lost: 0,
      jitter_buffer_ms: null,
      rtt_ms: null,
      latency_ms: null,
    };
    if (this.#session) return this.#webrtcStats(this.#session.peer, base);
    const quality = this.video.getVideoPlaybackQuality();
    base.frames = quality.totalVideoFrames;
    base.frames_dropped = quality.droppedVideoFrames;
    base.fps = this.#rate(base.frames, 0, 0);
    const behind = this.#hls?.latency;
    if (behind !== undefined && Number.isFinite(behind)) base.latency_ms = behind * 1000;
    return base;
  }

  async #webrtcStats(peer: RTCPeerConnection, stats: PlayerStats): Promise<PlayerStats> {
    if (peer.connectionState === 'closed') return stats;
    let decode = 0;
    for (const row of (await peer.getStats()).values()) {
      if (row.type === 'inbound-rtp' && row.kind === 'video') {
        stats.frames = row.framesDecoded ?? 0;
        stats.frames_dropped = row.framesDropped ?? 0;
        stats.packets_lost += row.packetsLost ?? 0;
        stats.fps = this.#rate(stats.frames, row.jitterBufferDelay ?? 0, row.jitterBufferEmittedCount ?? 0);
        if (row.framesDecoded) decode = (1000 * (row.totalDecodeTime ?? 0)) / row.framesDecoded;
      } else if (row.type === 'inbound-rtp' && row.kind === 'audio') {
        stats.packets_lost += row.packetsLost ?? 0;
      } else if (row.type === 'candidate-pair' && row.nominated && row.currentRoundTripTime !== undefined) {
        stats.rtt_ms = row.currentRoundTripTime * 1000;
      }
    }
    stats.jitter_buffer_ms = this.#meter.jitter;
    if (stats.jitter_buffer_ms !== null)
      stats.latency_ms = stats.jitter_buffer_ms + decode + (stats.rtt_ms ?? 0) / 2;
    return stats;
  }

  /** Frames a second since the last look; also works out the jitter buffer's delay over that time. */
  #rate(frames: number, delay: number, emitted: number): number {
    const now = performance.now();
    const meter = this.#meter;
    if (now - meter.at < 400 && meter.at > 0) return meter.fps;
    if (meter.at > 0) {
      meter.fps = Math.max(0, ((frames - meter.frames) * 1000) / (now - meter.at));
      if (emitted > meter.emitted) meter.jitter = (1000 * (delay - meter.delay)) / (emitted - meter.emitted);
    }
    Object.assign(meter, { at: now, frames, delay, emitted });
    return meter.fps;
  }
}

async function decodedFrames(peer: RTCPeerConnection): Promise<number> {
  if (peer.connectionState === 'closed') return 0;
  for (const row of (await peer.getStats()).values())
    if (row.type === 'inbound-rtp' && row.kind === 'video') return row.framesDecoded ?? 0;
  return 0;
}

/**
 * Lets the picture wait for the sound. Browsers show a live picture at once but keep some 60 ms of sound against
 * gaps, and with a playout delay of zero they do not even the two out; this does, in small steps, by what the
 * browser says of both: the sender's time of what is being shown and heard.
 */
async function syncPicture(peer: RTCPeerConnection): Promise<void> {
  const receiver = peer.getReceivers().find((one) => one.track.kind === 'video');
  if (!receiver || !('jitterBufferTarget' in receiver) || peer.connectionState === 'closed') return;
  const playing: Record<string, number> = {};
  for (const row of (await peer.getStats()).values())
    if (row.type === 'inbound-rtp' && row.estimatedPlayoutTimestamp) playing[row.kind] = row.estimatedPlayoutTimestamp;
  if (!playing.video || !playing.audio) return;
  const soundLate = playing.video - playing.audio;
  if (Math.abs(soundLate - SOUND_LATE_MS) < 8 || Math.abs(soundLate) > 1000) return;
  const target = (receiver.jitterBufferTarget ?? 0) + (soundLate - SOUND_LATE_MS) / 2;
  receiver.jitterBufferTarget = Math.round(Math.min(PICTURE_WAITS_AT_MOST_MS, Math.max(0, target)));
}
