// PNG, as much as tests need: 8 bits a channel, no interlacing.
import { deflateSync, inflateSync } from "node:zlib";
import { crc32 } from "./crc32.mjs";

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");

/** A chunk; its checksum is right. */
export function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]), whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

/** A PNG of given chunks between header and end; `data` is what is compressed in IDAT, as rows with filter bytes. */
export function wrap(width, height, data, between = []) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([SIGNATURE, chunk("IHDR", header), ...between, chunk("IDAT", deflateSync(data)), chunk("IEND", Buffer.alloc(0))]);
}

/** A PNG of one colour. */
export function png(width, height, [r, g, b]) {
  const row = Buffer.alloc(1 + 3 * width);
  for (let x = 0; x < width; x++) row.set([r, g, b], 1 + 3 * x);
  return wrap(width, height, Buffer.concat(Array(height).fill(row)));
}

const paeth = (a, b, c) => {
  const p = a + b - c, pa = Math.abs(p - a), pb = Math.abs(p - b), pc = Math.abs(p - c);
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
};

/** {width, height, channels, at(x, y)} of a PNG. */
export function decode(bytes) {
  const parts = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at))
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  const width = bytes.readUInt32BE(16), height = bytes.readUInt32BE(20), channels = bytes[25] === 6 ? 4 : 3;
  const raw = inflateSync(Buffer.concat(parts)), stride = width * channels, out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)], from = y * (stride + 1) + 1, to = y * stride;
    for (let i = 0; i < stride; i++) {
      const left = i >= channels ? out[to + i - channels] : 0, up = y ? out[to + i - stride] : 0;
      const corner = y && i >= channels ? out[to + i - stride - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[to + i] = raw[from + i] + guess;
    }
  }
  const at = (x, y) => out.subarray((y * width + x) * channels, (y * width + x + 1) * channels);
  return { width, height, channels, at };
}

/** How many pixels of a rectangle are as `is` says. */
export function count(picture, [x0, y0, x1, y1], is) {
  let n = 0;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) n += is(picture.at(x, y)) ? 1 : 0;
  return n;
}
