// Channels recorded: the file is clean and complete, a cue's piece is the cue's, and neither a crash nor a broken store takes more than it must.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Server, figure, makeDirectory, sleep, until } from "./harness.mjs";

const CHANNEL = "/v1/channels/main";
let server;
before(async () => {
  server = await Server.start();
  await server.silence();
});
after(async () => assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log));

const recording = async (id, on = server) => (await on.get(`/v1/recordings/${id}`)).json;
async function record(fields = {}, on = server) {
  const made = await on.post("/v1/recordings", { channel: "main", ...fields });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.get("location"), `/v1/recordings/${made.json.id}`);
  return made.json;
}
const longerThan = (id, seconds, on = server) => until(async () => (await recording(id, on)).duration_s > seconds, { ms: 30_000, what: `${seconds} s of recording` });

/** What ffprobe and ffmpeg find in an MP4; both must have nothing to say. */
function examine(bytes) {
  const asked = spawnSync("ffprobe", ["-v", "warning", "-count_frames", "-show_streams", "-show_format", "-show_packets", "-of", "json", "-"], { input: bytes, maxBuffer: 1 << 28 });
  assert.equal(asked.stderr.toString(), "");
  const { streams, packets } = JSON.parse(asked.stdout);
  const decoded = spawnSync("ffmpeg", ["-v", "warning", "-xerror", "-i", "-", "-map", "0:a", "-f", "s16le", "-ac", "1", "-ar", "8000", "-"], { input: bytes, maxBuffer: 1 << 28 });
  assert.equal(decoded.stderr.toString(), "");
  const sound = new Int16Array(decoded.stdout.buffer, decoded.stdout.byteOffset, decoded.stdout.length >> 1);
  const video = streams.find((one) => one.codec_type === "video"), audio = streams.find((one) => one.codec_type === "audio");
  const times = packets.filter((one) => one.codec_type === "video").map((one) => Number(one.pts_time));
  return { video, audio, sound, times, length: times.at(-1) + 1 / 30, from: times[0], key: packets.find((one) => one.codec_type === "video").flags[0] === "K" };
}
/** The first and last second-fractions at which there is a voice. */
function voice(sound) {
  const loud = (i) => Math.abs(sound[i]) > 600;
  let first = 0, last = sound.length - 1;
  while (first < sound.length && !loud(first)) first++;
  while (last > 0 && !loud(last)) last--;
  return { from: first / 8000, to: last / 8000 };
}

test("a recording is one clean file of all that went on air, and of each cue", async () => {
  const { id, state, expires_at, started_at } = await record({ title: "Evening show", keep_s: 3600 });
  assert.equal(state, "recording");
  assert.equal(Date.parse(expires_at) - Date.parse(started_at), 3_600_000);
  const again = await server.post("/v1/recordings", { channel: "main" });
  assert.equal(again.status, 409);
  assert.match(again.json.detail, new RegExp(`recorded already: ${id}`));
  await sleep(3000);
  const first = await server.say("The first line tells of parcels that go to Spain.");
  await server.finished(first.id);
  await sleep(4000);
  const second = await server.say("And the second line follows.");
  await server.finished(second.id);
  await longerThan(id, 8);
  const ended = await server.post(`/v1/recordings/${id}/stop`, {});
  assert.equal(ended.status, 200, ended.text);
  assert.equal(ended.json.state, "done");
  assert.equal(ended.json.lost_s, 0);
  assert.equal((await server.post(`/v1/recordings/${id}/stop`, {})).json.ended_at, ended.json.ended_at, "ending twice is as good");
  const { items, duration_s, bytes } = await recording(id);
  assert.deepEqual(items.map((one) => one.cue), [first.id, second.id]);
  assert.equal(items[0].text, "The first line tells of parcels that go to Spain.");

  const whole = await server.get(`/v1/recordings/${id}/video.mp4`);
  assert.equal(whole.status, 200);
  assert.equal(whole.headers.get("content-type"), "video/mp4");
  assert.match(whole.headers.get("content-disposition"), new RegExp(`attachment; filename="${id}.mp4"`));
  assert.ok(whole.bytes.length >= bytes);
  const all = examine(whole.bytes);
  assert.equal(all.video.codec_name, "h264");
  assert.equal(all.audio.codec_name, "aac");
  assert.equal(all.from, 0);
  assert.ok(Math.abs(all.length - duration_s) < 0.05, `${all.length} s in the file, ${duration_s} s said`);
  const steps = all.times.slice(1).map((time, i) => time - all.times[i]);
  assert.ok(Math.max(...steps) < 0.3, `a hole of ${Math.max(...steps)} s`);
  const heard = voice(all.sound);
  assert.ok(Math.abs(heard.from - items[0].at_s) < 0.4, `heard at ${heard.from} s, said at ${items[0].at_s} s`);

  /* The index says how long it is, and ranges put together are the file. */
  const directory = makeDirectory(), file = join(directory, "show.mp4");
  writeFileSync(file, whole.bytes);
  const told = Number(spawnSync("ffprobe", ["-v", "warning", "-show_entries", "format=duration", "-of", "csv=p=0", file]).stdout);
  assert.ok(Math.abs(told - duration_s) < 0.1, `${told} of ${duration_s} s`);
  rmSync(directory, { recursive: true });
  const size = whole.bytes.length, cuts = [0, 100, 5000, size >> 1, size];
  const ranges = [];
  for (let i = 1; i < cuts.length; i++) {
    const range = await server.get(`/v1/recordings/${id}/video.mp4`, { headers: { Range: `bytes=${cuts[i - 1]}-${cuts[i] - 1}` } });
    assert.equal(range.status, 206);
    assert.equal(range.headers.get("content-range"), `bytes ${cuts[i - 1]}-${cuts[i] - 1}/${size}`);
    ranges.push(range.bytes);
  }
  assert.ok(Buffer.concat(ranges).equals(whole.bytes));
  assert.equal((await server.get(`/v1/recordings/${id}/video.mp4`, { headers: { Range: `bytes=${size}-` } })).status, 416);

  const piece = examine((await server.get(`/v1/recordings/${id}/video.mp4?cue=${first.id}`)).bytes);
  assert.equal(piece.from, 0);
  assert.ok(piece.key, "begins with a key frame");
  const said = voice(piece.sound);
  assert.ok(said.from < 2.5, `the cue is heard ${said.from} s after the key frame before it`);
  assert.ok(Math.abs(said.to - said.from - (heard.to - heard.from)) > 1, "the second line is not in it");
  assert.ok(Math.abs(piece.length - (items[1].at_s - items[0].at_s)) < 3.1, `${piece.length} s`);
  const part = examine((await server.get(`/v1/recordings/${id}/video.mp4?from_ms=4000&to_ms=6000`)).bytes);
  assert.ok(part.length >= 2 && part.length < 5.1, `${part.length} s`);

  const figures = (await server.get("/metrics")).text;
  assert.match(figures, /^compere_recordings_running 0$/m);
  assert.ok(Number(figures.match(/^compere_recorded_seconds_total (\S+)/m)[1]) >= duration_s - 0.01);
});

test("nothing is public, a signed address grants what it names, and errors say what to do", async () => {
  const { id } = await record({ max_s: 1 });
  await until(async () => (await recording(id)).state === "done", { ms: 15_000, what: "the end by itself" });
  const { items } = await recording(id);
  assert.deepEqual(items, []);
  const path = `/v1/recordings/${id}/video.mp4`;
  assert.equal((await server.get(path, { key: null })).status, 401);
  const { url } = (await server.post(`/v1/recordings/${id}/url`, { expires_s: 60 })).json;
  assert.equal((await server.get(url, { key: null })).status, 200);
  assert.equal((await server.get(url.replace(/signature=.../, "signature=000"), { key: null })).status, 403);
  assert.equal((await server.get(url.replace("?", "?cue=other&"), { key: null })).status, 403, "the address is of the whole");
  assert.equal((await server.get(`${path}?cue=nobody`)).status, 404);
  const past = await server.get(`${path}?from_ms=60000`);
  assert.equal(past.status, 400);
  assert.match(past.json.detail, /recording is \d+\.\d s long/);
  assert.equal((await server.post("/v1/recordings", { channel: "nobody" })).status, 404);
  assert.equal((await server.get("/v1/recordings/rec_none")).status, 404);
  assert.equal((await server.post("/v1/recordings/rec_none/stop", {})).status, 404);
  assert.ok((await server.get("/v1/recordings?channel=main")).json.recordings.some((one) => one.id === id));
  assert.deepEqual((await server.get("/v1/recordings?channel=other")).json.recordings, []);
});

test("the rundown's lines are items too, a line that is taken up again once more", async () => {
  const cues = ["The first line of the rundown stands here and is long enough to be interrupted by somebody. It has two sentences.", "The second line."].map((text) => ({ text }));
  const { id } = await record();
  await longerThan(id, 1);
  assert.equal((await server.call("PATCH", CHANNEL, { json: { rundown: { loop: false, cues } } })).status, 200);
  await until(async () => (await recording(id)).items.length, { ms: 30_000, what: "the first item" });
  const cue = await server.say("Somebody interrupts.");
  const found = await until(async () => {
    const { items: all } = await recording(id);
    return all.at(-1).text === "The second line." && all;
  }, { ms: 30_000, what: "the second line" });
  assert.deepEqual(found.map((one) => one.cue), [null, cue.id, ...found.slice(2).map(() => null)]);
  assert.ok(found.length > 2);
  await until(async () => !(await server.get(`${CHANNEL}/stats`)).json.speaking, { ms: 30_000, what: "the rundown's end" });
  await server.post(`/v1/recordings/${id}/stop`, {});
  const { length } = examine((await server.get(`/v1/recordings/${id}/video.mp4?item=${found.length - 1}`)).bytes);
  assert.ok(length > 1 && length < 7, `${length} s`);
  const { url } = (await server.post(`/v1/recordings/${id}/url`, { item: 1 })).json;
  assert.match(url, /item=1&/);
  assert.equal((await server.get(url, { key: null })).status, 200);
  assert.equal((await server.get(url.replace("item=1", "item=0"), { key: null })).status, 403);
  assert.equal((await server.post(`/v1/recordings/${id}/url`, { item: 99 })).status, 404);
});

test("a removed recording leaves nothing", async () => {
  const { id } = await record();
  await longerThan(id, 1);
  const folder = join(server.data, "objects", "recordings", id);
  assert.ok(existsSync(folder), folder);
  assert.equal((await server.call("DELETE", `/v1/recordings/${id}`)).status, 204);
  assert.equal((await server.get(`/v1/recordings/${id}`)).status, 404);
  await until(() => !existsSync(folder) || !readdirSync(folder).some((name) => /m4s|mp4/.test(name)), { what: "the end of the objects" });
});

test("a store that fails holds the recording up, not the show, and nothing is lost", async () => {
  const { id } = await record();
  await longerThan(id, 1);
  const folder = join(server.data, "objects", "recordings", id), aside = `${folder}-aside`;
  renameSync(folder, aside);
  writeFileSync(folder, "not a folder");
  await until(async () => (await recording(id)).error, { what: "the error" });
  const { duration_s } = await recording(id);
  const before = (await server.get(`${CHANNEL}/stats`)).json.frames;
  await sleep(3000);
  assert.ok((await server.get(`${CHANNEL}/stats`)).json.frames - before > 60, "the show goes on");
  assert.equal((await recording(id)).duration_s, duration_s);
  rmSync(folder);
  renameSync(aside, folder);
  await longerThan(id, duration_s + 3);
  const { json } = await server.post(`/v1/recordings/${id}/stop`, {});
  assert.equal(json.error, undefined);
  assert.equal(json.lost_s, 0);
  examine((await server.get(`/v1/recordings/${id}/video.mp4`)).bytes);
});

test("a server that is killed loses at most two seconds of its recording", async () => {
  const data = makeDirectory();
  let other = await Server.start({ data });
  const { id } = await record({}, other);
  await longerThan(id, 3, other);
  /* What was on air at the kill: the length then, and what has passed since a chunk made it longer. */
  const { duration_s } = await recording(id, other);
  await until(async () => (await recording(id, other)).duration_s > duration_s, { every: 5, what: "another chunk" });
  const then = performance.now(), length = (await recording(id, other)).duration_s;
  await sleep(900);
  const on_air = length + (performance.now() - then) / 1000;
  await other.kill("SIGKILL");
  other = await Server.start({ data });
  const left = await until(async () => {
    const json = await recording(id, other);
    return json.state === "interrupted" && json;
  }, { what: "the recording to be looked through" });
  /* A chunk is stored up to half a second after its last frame went on air: its sound is waited for. */
  const lost = on_air + 0.5 - left.duration_s;
  figure("recording lost by a kill", lost, "s", "2");
  assert.ok(lost < 2, `${on_air} s were on air, ${left.duration_s} s are left`);
  const file = examine((await other.get(`/v1/recordings/${id}/video.mp4`)).bytes);
  assert.ok(Math.abs(file.length - left.duration_s) < 0.05);
  const next = await record({}, other);
  await longerThan(next.id, 1, other);
  await other.stop();
  other = await Server.start({ data });
  assert.equal((await recording(next.id, other)).state, "done", "a server that ends, ends its recordings");
  await other.stop();
  rmSync(data, { recursive: true });
});
