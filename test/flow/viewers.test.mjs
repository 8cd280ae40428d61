// Viewers that we did not write: werift by WebRTC, and the rules of LL-HLS on the wire.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Server, figure, sleep, until } from "./harness.mjs";
import { doNotWaitForTimers, play } from "./werift-viewer.mjs";

let server;
before(async () => {
  server = await Server.start();
});
after(async () => {
  await server.stop();
  doNotWaitForTimers();
});

test("werift plays the channel: 30 frames a second, nothing lost, first picture soon", async (t) => {
  const started = Date.now();
  const viewer = await play(server.url);
  t.after(() => viewer.close());
  await until(() => viewer.count.frames > 0 && viewer.count.keyFrames > 0, { what: "a key frame" });
  figure("werift_first_picture", Date.now() - started, "ms", "none");
  const before = { ...viewer.count };
  await sleep(5000);
  const fps = (viewer.count.frames - before.frames) / 5;
  figure("werift_fps", fps, "frames/s", ">= 29");
  assert.ok(fps >= 29 && fps <= 31, `${fps}`);
  assert.ok(viewer.count.audio - before.audio >= 240, "50 Opus packets a second");
  assert.equal(viewer.count.lost, 0);
  assert.equal((await server.get("/v1/channels/main/stats")).json.viewers.webrtc, 1);
  await fetch(server.url + viewer.location, { method: "DELETE" });
  await until(async () => (await server.get("/v1/channels/main/stats")).json.viewers.webrtc === 0, { what: "the leaving" });
});

test("a second and a tenth viewer change neither the frame rate nor the encode count", async (t) => {
  const first = await play(server.url);
  const others = [];
  t.after(() => Promise.all([first, ...others].map((viewer) => viewer.close())));
  await until(() => first.count.frames > 30, { what: "the first viewer" });
  const measure = async () => {
    const frames = first.count.frames, a = (await server.get("/v1/channels/main/stats")).json, at = Date.now();
    await sleep(4000);
    const b = (await server.get("/v1/channels/main/stats")).json, seconds = (Date.now() - at) / 1000;
    return { fps: (first.count.frames - frames) / seconds, encodes: (b.encoded - a.encoded) / seconds, viewers: b.viewers.webrtc };
  };
  for (const wanted of [1, 2, 10]) {
    while (others.length + 1 < wanted) others.push(await play(server.url));
    await until(() => others.every((v) => v.count.frames > 0), { what: "all viewers", ms: 20_000 });
    const seen = await measure();
    figure(`viewers_${wanted}_fps`, seen.fps, "frames/s", ">= 29");
    figure(`viewers_${wanted}_encodes`, seen.encodes, "1/s", "30");
    assert.equal(seen.viewers, wanted);
    assert.ok(seen.fps >= 29, `${wanted} viewers: ${seen.fps} frames/s`);
    assert.ok(seen.encodes > 29 && seen.encodes < 31, `${wanted} viewers: ${seen.encodes} encodes/s`);
  }
});

test("LL-HLS keeps the rules on the wire", async () => {
  const checker = join(dirname(fileURLToPath(import.meta.url)), "check-hls.mjs");
  const child = spawn(process.execPath, [checker, `${server.url}/v1/channels/main/hls/index.m3u8`, "10"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (said += bytes));
  const status = await new Promise((done) => child.on("exit", done));
  assert.equal(status, 0, said);
  assert.match(said, /[1-9]\d* passed, 0 failed/);
});
