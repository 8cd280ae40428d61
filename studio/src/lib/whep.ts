// WebRTC playback by WHEP: one POST with an offer, one answer, one DELETE on leaving.
import { channelPath, withToken, type Admission } from './api';

export class WhepError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class WhepSession {
  readonly peer: RTCPeerConnection;
  readonly stream = new MediaStream();
  #location: string | null = null;
  #closed = false;

  constructor() {
    this.peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.peer.addTransceiver('video', { direction: 'recvonly' });
    this.peer.addTransceiver('audio', { direction: 'recvonly' });
    this.peer.ontrack = ({ track, receiver }) => {
      // As little buffer as the network allows: this is a conversation, not a film.
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
      this.stream.addTrack(track);
    };
  }

  /** Offers, and applies the answer. The server is ICE-lite and learns our address from our checks, so the
   *  offer goes out at once, without waiting for candidates. */
  async open(channel: string, signal: AbortSignal, admission: Admission = {}): Promise<void> {
    const url = new URL(withToken(channelPath(channel, '/whep'), admission.token), location.href);
    await this.peer.setLocalDescription(await this.peer.createOffer());
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/sdp',
        Accept: 'application/sdp',
        ...(admission.key ? { Authorization: `Bearer ${admission.key}` } : {}),
      },
      body: this.peer.localDescription?.sdp ?? '',
      signal,
    });
    if (response.status !== 201) throw new WhepError(response.status, `whep answered ${response.status}`);
    const where = response.headers.get('Location');
    if (where) this.#location = new URL(where, url).href;
    const answer = await response.text();
    if (this.#closed) {
      this.#leave();
      return;
    }
    await this.peer.setRemoteDescription({ type: 'answer', sdp: answer });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.peer.ontrack = null;
    this.peer.close();
    this.#leave();
  }

  #leave(): void {
    if (!this.#location) return;
    const where = this.#location;
    this.#location = null;
    // keepalive lets it go out while the page is being left.
    fetch(where, { method: 'DELETE', keepalive: true }).catch(() => undefined);
  }
}
