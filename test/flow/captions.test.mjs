// Captions, cues and key frames for players of HLS, read by ffmpeg and held against what the server says of its words.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { Server, figure, listen, sleep, until } from "./harness.mjs";

const FIRST = 'Fish & chips <for two> cost "nine" pounds.';
const SECOND =
  "The second sentence is quite a bit longer than the first one, so that it takes several captions to show all that is said in it, one after another.";
let server, heard, cue;
const hls = (file, options) => server.get(`/v1/channels/main/hls/${file}`, options);

before(async () => {
  server = await Server.start();
  await server.silence();
  heard = await listen(server, "/v1/channels/main/captions", { key: null });
  await sleep(3000);
  cue = await server.say(`${FIRST} ${SECOND}`);
  await server.finished(cue.id);
  await sleep(2500); // the last segment is complete
});
after(async () => {
  await heard.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log);
});

const attributes = (line) => Object.fromEntries([...line.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g)].map(([, name, value]) => [name, value.replace(/^"|"$/g, "")]));
const seconds = (text) => text.split(/[:,]/).reduce((sum, part, i) => sum + part * [3600, 60, 1, 0.001][i], 0);

/** What ffmpeg reads from a file of captions. */
function readCaptions(bytes) {
  const { status, stdout, stderr } = spawnSync("ffmpeg", ["-v", "error", "-f", "webvtt", "-i", "-", "-f", "srt", "-"], { input: bytes, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return [...stdout.replaceAll("\r", "").matchAll(/(\S+) --> (\S+)\n(.+\n(?:.+\n)?)/g)].map(([, begin, end, text]) => ({ begin: seconds(begin), end: seconds(end), lines: text.trim().split("\n") }));
}

async function captionsOfAllSegments() {
  const files = (await hls("captions.m3u8")).text.split("\n").filter((line) => line.endsWith(".vtt"));
  const found = new Map();
  for (const file of files) {
    const answer = await hls(file);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "text/vtt");
    assert.match(answer.headers.get("cache-control"), /immutable/);
    for (const caption of readCaptions(answer.bytes)) found.set(JSON.stringify(caption), caption);
  }
  return [...found.values()].sort((a, b) => a.begin - b.begin);
}

test("captions hold the words that are said, within 100 ms of when they are said", async () => {
  const sentences = heard.events.map((event) => event.data).filter((data) => data.cue === cue.id);
  const captions = (await captionsOfAllSegments()).filter(({ begin }) => begin * 1000 >= sentences[0].start_ms);
  assert.deepEqual(sentences.map((s) => s.text), [FIRST, SECOND]);
  assert.equal(captions.map((caption) => caption.lines.join(" ")).join(" "), `${FIRST} ${SECOND}`);
  assert.ok(captions.length >= 3 && captions.every((c) => c.lines.length <= 2 && c.lines.every((line) => line.length <= 45)), JSON.stringify(captions));
  let worst = 0;
  for (const { begin, end, lines } of captions) {
    const sentence = sentences.find((s) => s.text.includes(lines.join(" ")));
    const from = sentence.text.indexOf(lines.join(" ")), to = from + lines.join(" ").length;
    const words = sentence.words.filter((word) => word.start >= from && word.end <= to);
    const next = sentence.words.find((word) => word.start >= to);
    const late = begin * 1000 - sentence.start_ms - words[0].t_ms, ends = end * 1000 - sentence.start_ms;
    worst = Math.max(worst, Math.abs(late));
    assert.ok(ends > words.at(-1).t_ms && ends <= (next?.t_ms ?? sentence.duration_ms) + 100, `${ends} ms of ${JSON.stringify(words)}`);
  }
  figure("captions_off_their_words", worst, "ms", "<= 100");
  assert.ok(worst <= 100, `${worst} ms`);
});

test("captions and picture are on one time line", async () => {
  const { text } = await hls("video.m3u8");
  const [, init] = /EXT-X-MAP:URI="([^"]+)"/.exec(text);
  const [, date, file] = /EXT-X-PROGRAM-DATE-TIME:(.+)\n(?:#EXT-X-PART.*\n)*#EXTINF.*\n(seg-.+)/.exec(text);
  const input = Buffer.concat([(await hls(init)).bytes, (await hls(file)).bytes]);
  const probe = spawnSync("ffprobe", ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", "-"], { input, encoding: "utf8" });
  const zeroMs = Date.parse(date) - parseFloat(probe.stdout) * 1000;
  const { wall_ms, start_ms } = heard.events.find((event) => event.data.cue === cue.id).data;
  assert.ok(Math.abs(zeroMs - (wall_ms - start_ms)) < 5, `${zeroMs} and ${wall_ms - start_ms}`);
});

test("the captions' playlist has the picture's segments", async () => {
  const [main, video, captions] = await Promise.all(["index.m3u8", "video.m3u8", "captions.m3u8"].map(async (file) => (await hls(file)).text));
  const media = attributes(/#EXT-X-MEDIA:(.*)/.exec(main)[1]);
  assert.deepEqual([media.TYPE, media.LANGUAGE, media.AUTOSELECT, media.DEFAULT, media.FORCED, media.URI], ["SUBTITLES", "en-US", "YES", "NO", "NO", "captions.m3u8"]);
  assert.equal(attributes(/#EXT-X-STREAM-INF:(.*)/.exec(main)[1]).SUBTITLES, media["GROUP-ID"]);
  const shape = (text) => [...text.matchAll(/#EXT-X-MEDIA-SEQUENCE:.*|#EXT-X-PROGRAM-DATE-TIME:.*|#EXTINF:.*/g)].map(([line]) => line).slice(0, 12);
  assert.deepEqual(shape(captions), shape(video));
});

test("a cue on air is a date range, with its length once it is over", async () => {
  const sentences = heard.events.map((event) => event.data).filter((data) => data.cue === cue.id);
  const range = (await hls("video.m3u8")).text.split("\n").filter((line) => line.startsWith("#EXT-X-DATERANGE:")).map(attributes).find((one) => one.ID === cue.id);
  assert.equal(range.CLASS, "compere.cue");
  assert.ok(Math.abs(Date.parse(range["START-DATE"]) - sentences[0].wall_ms) < 5);
  const length = sentences[1].start_ms + sentences[1].duration_ms - sentences[0].start_ms;
  assert.ok(Math.abs(range.DURATION * 1000 - length) < 50, `${range.DURATION} s of ${length} ms`);
  assert.equal(range["X-CUE"], undefined, "a text with quotes is left out");
  const other = await server.say("Short and plain.");
  await until(async () => new RegExp(`ID="${other.id}",[^\n]*X-CUE="Short and plain."`).test((await hls("video.m3u8")).text), { what: "the cue's date range" });
});

test("key frames are listed by ranges of the segments, and each decodes to a picture", async () => {
  const main = (await hls("index.m3u8")).text, keys = (await hls("keys.m3u8")).text;
  assert.equal(attributes(/#EXT-X-I-FRAME-STREAM-INF:(.*)/.exec(main)[1]).URI, "keys.m3u8");
  const init = await hls(/EXT-X-MAP:URI="([^"]+)"/.exec(keys)[1]);
  const listed = [...keys.matchAll(/#EXT-X-BYTERANGE:(\d+)@0\n(seg-.+)/g)];
  assert.ok(listed.length >= 3, keys);
  for (const [, length, file] of listed.slice(-3)) {
    const answer = await hls(file, { headers: { Range: `bytes=0-${length - 1}` } });
    assert.equal(answer.status, 206);
    assert.match(answer.headers.get("content-range"), new RegExp(`^bytes 0-${length - 1}/\\d+$`));
    assert.equal(answer.bytes.length, Number(length));
    const input = Buffer.concat([init.bytes, answer.bytes]);
    const decoded = spawnSync("ffmpeg", ["-v", "fatal", "-i", "-", "-map", "0:v", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"], { input, maxBuffer: 1 << 24 });
    assert.equal(decoded.stdout.length, 1280 * 720, decoded.stderr.toString());
  }
  assert.equal((await hls(listed[0][2], { headers: { Range: "bytes=99999999-" } })).status, 416);
});

test("the language is the channel's", async () => {
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { language: "en-GB" } })).status, 200);
  await until(async () => (await hls("index.m3u8")).text.includes('LANGUAGE="en-GB"'), { what: "the language" });
});
