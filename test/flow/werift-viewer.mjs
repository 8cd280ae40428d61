// A WebRTC viewer that we did not write: werift plays a channel by WHEP and counts what comes.
import { RTCPeerConnection, RTCRtpCodecParameters } from "werift";

/** `query` and `headers` go with the offer: a channel may want a token. */
export async function play(url, channel = "main", { query = "", headers = {} } = {}) {
  const peer = new RTCPeerConnection({
    codecs: {
      video: [
        new RTCRtpCodecParameters({
          mimeType: "video/H264",
          clockRate: 90000,
          payloadType: 102,
          parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
          rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }, { type: "ccm", parameter: "fir" }],
        }),
      ],
      audio: [new RTCRtpCodecParameters({ mimeType: "audio/opus", clockRate: 48000, channels: 2, payloadType: 111 })],
    },
  });
  const count = { video: 0, audio: 0, frames: 0, lost: 0, bytes: 0, keyFrames: 0 };
  peer.onTrack.subscribe((track) => {
    let last = null;
    track.onReceiveRtp.subscribe((rtp) => {
      count[track.kind]++;
      count.bytes += rtp.payload.length;
      // A gap counts as lost until the packet comes after all (it was sent again).
      const ahead = last === null ? 1 : ((rtp.header.sequenceNumber - last + 0x8000) & 0xffff) - 0x8000;
      if (track.kind === "video") count.lost += ahead > 0 ? ahead - 1 : -1;
      if (ahead > 0) last = rtp.header.sequenceNumber;
      if (track.kind === "video") {
        count.frames += rtp.header.marker ? 1 : 0;
        const type = rtp.payload[0] & 31;
        if ((type === 28 && rtp.payload[1] & 0x80 && (rtp.payload[1] & 31) === 5) || type === 5) count.keyFrames++;
      }
    });
  });
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.addTransceiver("audio", { direction: "recvonly" });
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(`${url}/v1/channels/${channel}/whep${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", ...headers },
    body: peer.localDescription.sdp,
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  const location = answer.headers.get("location");
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  return {
    count,
    peer,
    location,
    async close() {
      await fetch(url + location, { method: "DELETE" });
      await peer.close();
    },
  };
}


/** Call when all is over: werift keeps timers for minutes after it was closed, and a test file should not wait for them. */
export function doNotWaitForTimers() {
  setTimeout(() => process.exit(), 2000).unref(); // results are written by then; the exit code stays
}
