// Measuring instruments that run inside the page, beside the player (added by addInitScript; a plain script).
//
// Pictures are taken by requestVideoFrameCallback at the time at which they are shown; sound is tapped from the
// same MediaStream by an audio worklet, in steps of 128 samples. Both are on performance.now()'s clock.
(() => {
  'use strict';

  const WIDTH = 160;
  const HEIGHT = 90;
  const CELL = 4; // pixels of the small picture: 32 of 1280
  const COLUMNS = WIDTH / CELL;
  const ROWS = Math.floor(HEIGHT / CELL);
  const STRIP_WIDTH = 512;
  const STRIP_HEIGHT = 32;

  /** Runs on the audio thread: the RMS of every 128 samples, with the context's time at their end. */
  const TAP = `
    registerProcessor(
      'tap',
      class extends AudioWorkletProcessor {
        #batch = [];

        process([input]) {
          const samples = input[0];
          let power = 0;
          if (samples) for (const sample of samples) power += sample * sample;
          this.#batch.push({ end_s: currentTime + 128 / sampleRate, rms: samples ? Math.sqrt(power / samples.length) : 0 });
          if (this.#batch.length === 4) {
            this.port.postMessage(this.#batch);
            this.#batch = [];
          }
          return true;
        }
      },
    );
  `;

  const canvasOf = (width, height) => {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    return canvas.getContext('2d', { willReadFrequently: true, alpha: false });
  };

  /** CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xffff, not reflected. */
  function crc16(bytes) {
    let crc = 0xffff;
    for (const byte of bytes) {
      crc ^= byte << 8;
      for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
    return crc;
  }

  /** The wall-clock milliseconds in the strip of 2 x 32 blocks, or null when its check does not fit. */
  function readCode(pixels) {
    const bytes = new Uint8Array(8);
    for (let bit = 0; bit < 64; bit++) {
      const x0 = (bit % 32) * 16;
      const y0 = Math.floor(bit / 32) * 16;
      let sum = 0;
      for (let y = 5; y < 11; y++)
        for (let x = 5; x < 11; x++) sum += pixels[((y0 + y) * STRIP_WIDTH + x0 + x) * 4 + 1];
      if (sum / 36 > 127) bytes[bit >> 3] |= 0x80 >> (bit & 7);
    }
    if (crc16(bytes.subarray(0, 6)) !== ((bytes[6] << 8) | bytes[7])) return null;
    return bytes.subarray(0, 6).reduce((value, byte) => value * 256 + byte, 0);
  }

  class Recording {
    frames = []; // { t_ms, cells, presented }
    codes = []; // { t_ms, code } of every picture, when asked for
    sound = []; // { t_ms, rms }
    #video;
    #stopped = false;
    #node = null;
    #source = null;

    constructor(video) {
      this.#video = video;
    }

    async start({ pictures = true, codes = false, sound = true }) {
      if (sound) await this.#tap();
      const small = canvasOf(WIDTH, HEIGHT);
      const strip = canvasOf(STRIP_WIDTH, STRIP_HEIGHT);
      const take = (_now, metadata) => {
        if (this.#stopped) return;
        this.#video.requestVideoFrameCallback(take);
        const t_ms = metadata.expectedDisplayTime;
        if (pictures) {
          small.drawImage(this.#video, 0, 0, WIDTH, HEIGHT);
          this.frames.push({ t_ms, cells: cellsOf(small.getImageData(0, 0, WIDTH, HEIGHT).data) });
        }
        if (codes) {
          const scale = this.#video.videoWidth / 1280;
          strip.drawImage(this.#video, 0, 0, STRIP_WIDTH * scale, STRIP_HEIGHT * scale, 0, 0, STRIP_WIDTH, STRIP_HEIGHT);
          const code = readCode(strip.getImageData(0, 0, STRIP_WIDTH, STRIP_HEIGHT).data);
          this.codes.push({ t_ms, code });
        }
      };
      this.#video.requestVideoFrameCallback(take);
    }

    /** Chromium gives sound to Web Audio only while an element plays the stream too: unmuted, to be sure. */
    async #tap() {
      this.#video.muted = false;
      window.measureContext ??= new AudioContext({ latencyHint: 'interactive' });
      const context = window.measureContext;
      await context.resume();
      if (!context.tapReady) {
        await context.audioWorklet.addModule(URL.createObjectURL(new Blob([TAP], { type: 'text/javascript' })));
        context.tapReady = true;
      }
      const node = new AudioWorkletNode(context, 'tap', { numberOfInputs: 1, numberOfOutputs: 1 });
      // The worklet's clock is the context's; the earliest message shows how the two clocks stand.
      let offset = Infinity;
      const raw = [];
      node.port.onmessage = ({ data }) => {
        offset = Math.min(offset, performance.now() - data[data.length - 1].end_s * 1000);
        raw.push(...data);
        this.sound = raw;
        this.soundOffset = offset;
      };
      const stream = this.#video.srcObject ?? this.#video.captureStream();
      this.#source = context.createMediaStreamSource(stream);
      this.#source.connect(node).connect(context.destination);
      this.#node = node;
    }

    stop() {
      this.#stopped = true;
      this.#source?.disconnect();
      this.#node?.disconnect();
      if (this.soundOffset !== undefined)
        this.sound = this.sound.map(({ end_s, rms }) => ({ t_ms: end_s * 1000 - 64 / 48 + this.soundOffset, rms }));
      return this;
    }
  }

  /** Mean brightness of each cell. */
  function cellsOf(pixels) {
    const cells = new Float32Array(COLUMNS * ROWS);
    for (let y = 0; y < ROWS * CELL; y++)
      for (let x = 0; x < WIDTH; x++) {
        const at = (y * WIDTH + x) * 4;
        cells[Math.floor(y / CELL) * COLUMNS + Math.floor(x / CELL)] +=
          0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
      }
    return cells.map((sum) => sum / (CELL * CELL));
  }

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / (values.length || 1);

  /** What moves slower than half a second is the body, not the lips. */
  function highPass(values, times, half_ms = 400) {
    return values.map((value, i) => {
      let sum = 0;
      let n = 0;
      for (let k = i; k >= 0 && times[i] - times[k] <= half_ms; k--, n++) sum += values[k];
      for (let k = i + 1; k < values.length && times[k] - times[i] <= half_ms; k++, n++) sum += values[k];
      return value - sum / n;
    });
  }

  function correlation(a, b) {
    const ma = mean(a);
    const mb = mean(b);
    let ab = 0;
    let aa = 0;
    let bb = 0;
    for (let i = 0; i < a.length; i++) {
      ab += (a[i] - ma) * (b[i] - mb);
      aa += (a[i] - ma) ** 2;
      bb += (b[i] - mb) ** 2;
    }
    return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
  }

  /** Loudness around t, averaged over the time for which a picture stands. */
  function loudness(sound, t_ms, half_ms = 17) {
    let low = 0;
    let high = sound.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sound[middle].t_ms < t_ms - half_ms) low = middle + 1;
      else high = middle;
    }
    let power = 0;
    let n = 0;
    for (let i = low; i < sound.length && sound[i].t_ms <= t_ms + half_ms; i++, n++) power += sound[i].rms ** 2;
    return n ? Math.sqrt(Math.sqrt(power / n)) : 0; // square root of the RMS: closer to how loud it seems
  }

  const LAG_MS = 300;
  const LAG_STEP_MS = 5;

  /** Correlation of one brightness signal with the loudness `lag` later, for all lags. */
  function lagCurve(signal, envelopes) {
    return envelopes.map((envelope) => correlation(signal, envelope));
  }

  /**
   * How the sound stands to the picture, from lips that open and close: finds the cells whose brightness follows
   * the loudness best, and the lag at which it does.
   * sound_late_ms > 0: sound after picture. r: how sure (0..1).
   */
  function lipSync(recording) {
    const { sound } = recording;
    const inside = recording.frames.filter(
      ({ t_ms }) => sound.length && t_ms > sound[0].t_ms + LAG_MS && t_ms < sound[sound.length - 1].t_ms - LAG_MS,
    );
    const times = inside.map((frame) => frame.t_ms);
    const envelopes = [];
    for (let lag = -LAG_MS; lag <= LAG_MS; lag += LAG_STEP_MS)
      envelopes.push(highPass(times.map((t) => loudness(sound, t + lag)), times));
    const cells = [];
    for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
      // The outer parts of the picture have no mouth; the strip of the time code is among them.
      const row = Math.floor(cell / COLUMNS);
      const column = cell % COLUMNS;
      if (row < 3 || row > ROWS - 3 || column < COLUMNS / 4 || column >= (3 * COLUMNS) / 4) continue;
      const signal = highPass(inside.map((frame) => frame.cells[cell]), times);
      const spread = Math.sqrt(mean(signal.map((value) => value * value)));
      if (spread < 0.8) continue; // coding noise
      const curve = lagCurve(signal, envelopes);
      let best = 0;
      for (let i = 0; i < curve.length; i++) if (Math.abs(curve[i]) > Math.abs(curve[best])) best = i;
      cells.push({ cell, signal, r: curve[best] });
    }
    cells.sort((a, b) => Math.abs(b.r) - Math.abs(a.r));
    const chosen = cells.slice(0, 6);
    if (chosen.length === 0) return { frames: inside.length, r: 0, sound_late_ms: NaN, cells: [] };
    const together = times.map((_, i) => mean(chosen.map(({ signal, r }) => Math.sign(r) * signal[i])));
    const curve = lagCurve(together, envelopes);
    let best = curve.indexOf(Math.max(...curve));
    const [before, at, after] = [curve[best - 1] ?? curve[best], curve[best], curve[best + 1] ?? curve[best]];
    const bend = before - 2 * at + after;
    const fine = bend < 0 ? (0.5 * (before - after)) / bend : 0;
    return {
      frames: inside.length,
      r: at,
      sound_late_ms: -LAG_MS + (best + fine) * LAG_STEP_MS,
      cells: chosen.map(({ cell }) => cell),
    };
  }

  /** Mean change from picture to picture in some cells, apart for loud and for silent moments. */
  function motion(recording, cells, loud_rms = 0.01) {
    const moved = { loud: [], silent: [] };
    const { frames, sound } = recording;
    for (let i = 1; i < frames.length; i++) {
      const t = frames[i].t_ms;
      // Lips begin before the sound and end after it: what lies near an edge counts for neither.
      const near = sound.filter((one) => Math.abs(one.t_ms - t) < 350);
      const loudHere = near.filter((one) => Math.abs(one.t_ms - t) < 60 && one.rms > loud_rms).length;
      const change = mean(cells.map((cell) => Math.abs(frames[i].cells[cell] - frames[i - 1].cells[cell])));
      if (loudHere > 0) moved.loud.push(change);
      else if (near.length > 0 && near.every((one) => one.rms <= loud_rms)) moved.silent.push(change);
    }
    return { loud: mean(moved.loud), silent: mean(moved.silent), n_loud: moved.loud.length, n_silent: moved.silent.length };
  }

  /** Age of each picture at the time it was shown, from its code. */
  function latency(recording) {
    const epoch = Date.now() - performance.now();
    const read = recording.codes.filter(({ code }) => code !== null);
    return {
      pictures: recording.codes.length,
      unreadable: recording.codes.length - read.length,
      distinct: new Set(read.map(({ code }) => code)).size,
      ages_ms: read.map(({ t_ms, code }) => epoch + t_ms - code),
    };
  }

  const dB = (rms) => 20 * Math.log10(Math.max(rms, 1e-7));
  const level = (recording) => dB(Math.sqrt(mean(recording.sound.map(({ rms }) => rms * rms))));

  let recording = null;
  window.measure = {
    readCode,
    async start(what = {}) {
      const video = document.querySelector('video');
      recording = new Recording(video);
      await recording.start(what);
    },
    /** Ends the recording and answers what can be said of it. */
    stop(wanted, cells = []) {
      recording.stop();
      const answers = {
        sync: () => lipSync(recording),
        motion: () => motion(recording, cells),
        latency: () => latency(recording),
        level: () => ({
          rms_db: level(recording),
          seconds: recording.sound.length * (128 / 48000),
          peak_db: dB(Math.max(0, ...recording.sound.map(({ rms }) => rms))),
        }),
      };
      return Object.fromEntries(wanted.map((name) => [name, answers[name]()]));
    },
  };
})();
