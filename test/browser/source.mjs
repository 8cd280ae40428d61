// A WHEP source made of a second page: a canvas with the time code and a mouth, and a tone that sounds while the
// mouth is open. Its faults are known (sound late by so many milliseconds), so the player and the measuring
// instruments can be held against it without a server that has a picture.

/** Runs in the page: starts drawing and sounding. */
function perform() {
  const canvas = document.createElement('canvas');
  canvas.width = 1280;
  canvas.height = 720;
  document.body.append(canvas);
  const context = canvas.getContext('2d');

  const crc16 = (bytes) => {
    let crc = 0xffff;
    for (const byte of bytes) {
      crc ^= byte << 8;
      for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
    return crc;
  };
  // When the mouth opens within each 4 s, and for how long: irregular, so that no other lag fits as well.
  const BURSTS = [[100, 180], [460, 120], [820, 260], [1400, 100], [1650, 140], [2300, 220], [2750, 90], [3300, 200]];
  const open = (t_ms) => BURSTS.some(([from, length]) => t_ms % 4000 >= from && t_ms % 4000 < from + length);

  const draw = () => {
    const t = performance.now();
    context.fillStyle = '#456';
    context.fillRect(0, 0, 1280, 720);
    context.fillStyle = '#ca9';
    context.fillRect(480 + 3 * Math.sin(t / 900), 120, 320, 440);
    context.fillStyle = '#311';
    if (window.speaking && open(t)) context.fillRect(580, 420, 120, 60);
    const bytes = new Uint8Array(8);
    let value = Math.round(performance.timeOrigin + t);
    for (let i = 5; i >= 0; i--, value = Math.floor(value / 256)) bytes[i] = value % 256;
    const crc = crc16(bytes.subarray(0, 6));
    bytes.set([crc >> 8, crc & 255], 6);
    for (let bit = 0; bit < 64; bit++) {
      context.fillStyle = bytes[bit >> 3] & (0x80 >> (bit & 7)) ? '#fff' : '#000';
      context.fillRect((bit % 32) * 16, Math.floor(bit / 32) * 16, 16, 16);
    }
  };
  window.speaking = true;
  window.soundLateMs = 0;
  setInterval(draw, 33);

  const audio = new AudioContext({ latencyHint: 'interactive' });
  const tone = new OscillatorNode(audio, { frequency: 440 });
  const gain = new GainNode(audio, { gain: 0 });
  const out = audio.createMediaStreamDestination();
  tone.connect(gain).connect(out);
  tone.start();
  setInterval(() => {
    gain.gain.value = window.speaking && open(performance.now() - window.soundLateMs) ? 0.4 : 0;
  }, 4);

  const stream = new MediaStream([...canvas.captureStream(30).getVideoTracks(), ...out.stream.getAudioTracks()]);
  const peers = [];
  window.answer = async (offer) => {
    const peer = new RTCPeerConnection();
    peers.push(peer);
    await peer.setRemoteDescription({ type: 'offer', sdp: offer });
    for (const track of stream.getTracks()) {
      const sender = peer.addTrack(track, stream);
      if (track.kind !== 'video') continue;
      // Rather fewer pictures than smaller ones: a small code cannot be read.
      track.contentHint = 'detail';
      const parameters = sender.getParameters();
      parameters.degradationPreference = 'maintain-resolution';
      await sender.setParameters(parameters);
    }
    await peer.setLocalDescription(await peer.createAnswer());
    await new Promise((done) => {
      const look = () => peer.iceGatheringState === 'complete' && done();
      peer.onicegatheringstatechange = look;
      look();
    });
    return peer.localDescription.sdp;
  };
  window.hangUp = () => peers.splice(0).forEach((peer) => peer.close());
}

/** Makes `mock` a channel with a picture. */
export async function addSource(browser, mock) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto('about:blank');
  await page.evaluate(perform);
  mock.whep = (offer) => page.evaluate((sdp) => window.answer(sdp), offer);
  return {
    hangUp: () => page.evaluate(() => window.hangUp()),
    delaySound: (ms) => page.evaluate((late) => (window.soundLateMs = late), ms),
    speak: (on) => page.evaluate((yes) => (window.speaking = yes), on),
  };
}
