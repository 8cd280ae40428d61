// Outputs to real peers on loopback: nginx with its RTMP module, and SRT's own srt-live-transmit. ffmpeg's programs read back.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { figure, freePort, listen, makeDirectory, Server, sleep, until } from "../harness.mjs";

const KEY = "live-secret-7f3a";
const directory = makeDirectory();
const OUTPUTS = "/v1/channels/small/outputs";
const running = [];
let server, rtmpPort;

/** A program that is ended with the tests. */
function run(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  child.log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (child.log += bytes));
  child.exited = new Promise((done) => child.on("exit", done));
  running.push(child);
  return child;
}

/** nginx that takes streams named KEY and refuses all others, as an ingest with a wrong key does. */
async function startNginx(port, gate) {
  const folder = makeDirectory();
  const conf = join(folder, "nginx.conf");
  writeFileSync(
    conf,
    `load_module /usr/lib/nginx/modules/ngx_rtmp_module.so; daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
     events {}
     rtmp { server { listen 127.0.0.1:${port}; application live { live on; on_publish http://127.0.0.1:${gate}/; } } }`,
  );
  const nginx = run("/usr/sbin/nginx", ["-p", folder, "-c", conf]);
  nginx.folder = folder;
  return nginx;
}

/** What ffprobe counts in `seconds` of a stream: packets of picture and sound, and how far apart they end. */
function probe(url, seconds = 4) {
  const { stdout, stderr } = spawnSync(
    "timeout",
    [String(seconds + 15), "ffprobe", "-v", "error", "-read_intervals", `%+${seconds}`, "-show_entries", "packet=codec_type,pts_time", "-of", "csv=p=0", url],
    { encoding: "utf8" },
  );
  const rows = stdout.trim().split("\n").map((row) => row.split(","));
  const times = (type) => rows.filter(([kind]) => kind === type).map(([, time]) => Number(time));
  const video = times("video"), audio = times("audio");
  return { video: video.length, audio: audio.length, apart_s: Math.abs(Math.max(...video) - Math.max(...audio)), span_s: Math.max(...video) - Math.min(...video), stderr };
}

const create = async (fields, status = 201) => {
  const answer = await server.post(OUTPUTS, fields);
  assert.equal(answer.status, status, answer.text);
  return answer.json;
};
const get = async (id) => (await server.get(`${OUTPUTS}/${id}`)).json;
const reaches = (id, state, ms = 25_000) =>
  until(async () => (await get(id)).health.state === state && get(id), { ms, every: 100, what: `${state}` }).catch(async (error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await get(id))}`);
  });
const remove = async (id) => assert.equal((await server.call("DELETE", `${OUTPUTS}/${id}`)).status, 204);
const frames = async () => (await server.get("/v1/channels/small/stats")).json.encoded;

let gatePort;
before(async () => {
  const gate = (await import("node:http")).createServer((request, answer) => {
    let body = "";
    request.on("data", (bytes) => (body += bytes)).on("end", () => answer.writeHead(body.includes(`name=${KEY}`) ? 200 : 403).end());
  });
  await new Promise((done) => gate.listen(0, "127.0.0.1", done));
  gate.unref();
  gatePort = gate.address().port;
  rtmpPort = await freePort();
  server = await Server.start({ command: "demo", env: { COMPERE_STREAM_TEST: KEY } });
  const made = await server.post("/v1/channels", { id: "small", width: 480, height: 270 });
  assert.equal(made.status, 201, made.text);
});
after(async () => {
  for (const child of running) child.kill("SIGKILL");
  assert.ok(!server.log.includes(KEY), "a stream key is in the log");
  await server.stop();
  rmSync(directory, { recursive: true });
});

test("RTMP: the stream arrives and plays; a peer that dies and comes back is dialled again; the key is told nobody", async () => {
  let nginx = await startNginx(rtmpPort, gatePort);
  const events = await listen(server, "/v1/events?channel=small");
  const made = await create({ name: "Stage", url: `rtmp://127.0.0.1:${rtmpPort}/live`, key: KEY });
  assert.ok(made.has_key && !JSON.stringify(made).includes(KEY));
  await reaches(made.id, "live");
  const seen = probe(`rtmp://127.0.0.1:${rtmpPort}/live/${KEY}`);
  assert.ok(seen.video > 60 && seen.audio > 90, JSON.stringify(seen));
  assert.ok(seen.apart_s < 0.4, `sound and picture end ${seen.apart_s} s apart`);
  figure("RTMP pictures a second", (seen.video - 1) / seen.span_s, "Hz", "> 20");
  assert.ok((seen.video - 1) / seen.span_s > 20);
  nginx.kill("SIGKILL");
  const broken = await reaches(made.id, "retrying");
  assert.match(broken.health.error, /127\.0\.0\.1/);
  nginx = await startNginx(rtmpPort, gatePort);
  const again = await reaches(made.id, "live");
  assert.ok(again.health.connects >= 2 && again.health.failures >= 1);
  const text = (await server.get("/metrics")).text;
  assert.match(text, new RegExp(`compere_output_live\\{channel="small",output="${made.id}"\\} 1`));
  const list = await server.get(OUTPUTS);
  assert.ok(!list.text.includes(KEY) && !text.includes(KEY));
  const stopped = await server.call("PATCH", `${OUTPUTS}/${made.id}`, { json: { enabled: false } });
  assert.equal(stopped.json.health.state, "idle");
  const states = events.events.filter((event) => event.type === "output").map((event) => event.data.state);
  assert.ok(["connecting", "live", "retrying"].every((state) => states.includes(state)), states.join());
  assert.ok(!JSON.stringify(events.events).includes(KEY));
  await events.close();
  await remove(made.id);
  assert.equal((await server.get(`${OUTPUTS}/${made.id}`)).status, 404);
});

test("a wrong key is refused with its reason, and a key may come from the environment", async () => {
  const wrong = await create({ url: `rtmp://127.0.0.1:${rtmpPort}/live`, key: "wrong-key-91" });
  const refused = await reaches(wrong.id, "retrying");
  assert.ok(!refused.health.error.includes("wrong-key-91"), refused.health.error);
  assert.match(refused.health.error, /refused|closed/);
  await remove(wrong.id);
  const named = await create({ url: `rtmp://127.0.0.1:${rtmpPort}/live`, key: "env:COMPERE_STREAM_TEST" });
  await reaches(named.id, "live");
  await remove(named.id);
});

test("the backup takes over when nobody listens at the first address", async () => {
  const nobody = await freePort();
  const made = await create({ url: `rtmp://127.0.0.1:${nobody}/live`, backup_url: `rtmp://127.0.0.1:${rtmpPort}/live`, key: KEY });
  const live = await reaches(made.id, "live");
  assert.equal(live.health.on_backup, true);
  assert.match(live.health.error, /nobody listens/);
  await remove(made.id);
});

test("SRT: the stream arrives through srt-live-transmit as MPEG-TS", async () => {
  const [srt, udp] = [await freePort(), await freePort()];
  const file = join(directory, "srt.ts");
  const reader = run("ffmpeg", ["-v", "error", "-t", "4", "-i", `udp://127.0.0.1:${udp}?timeout=20000000`, "-c", "copy", "-y", file]);
  run("srt-live-transmit", [`srt://127.0.0.1:${srt}?mode=listener`, `udp://127.0.0.1:${udp}`]);
  await sleep(500);
  const made = await create({ url: `srt://127.0.0.1:${srt}` });
  await reaches(made.id, "live");
  await reader.exited;
  const seen = probe(file, 60);
  assert.ok(seen.video > 60 && seen.audio > 60, `${JSON.stringify(seen)} ${reader.log}`);
  await remove(made.id);
});

test("a peer that takes the connection and never answers costs the show no picture", async () => {
  const sockets = [];
  const sink = createServer((socket) => sockets.push(socket.pause().on("error", () => {})));
  await new Promise((done) => sink.listen(0, "127.0.0.1", done));
  const made = await create({ url: `rtmp://127.0.0.1:${sink.address().port}/live`, key: KEY });
  await until(() => sockets.length, { what: "the connection" });
  const [from, start] = [await frames(), performance.now()];
  await sleep(4000);
  const rate = ((await frames()) - from) / ((performance.now() - start) / 1000);
  figure("pictures a second beside a peer that never reads", rate, "Hz", "> 20");
  assert.ok(rate > 20, `${rate}`);
  assert.notEqual((await get(made.id)).health.state, "live");
  await remove(made.id);
  for (const socket of sockets) socket.destroy();
  sink.close();
});

test("a peer that stops reading loses pictures to the next key frame and then goes on; the show loses none", async () => {
  const pairs = [];
  const proxy = createServer((from) => {
    const to = connect(rtmpPort, "127.0.0.1");
    pairs.push([from, to]);
    for (const socket of [from, to]) socket.on("error", () => {});
    from.pipe(to), to.pipe(from);
  });
  await new Promise((done) => proxy.listen(0, "127.0.0.1", done));
  const path = "/v1/channels/main/outputs";
  const { json: made } = await server.post(path, { url: `rtmp://127.0.0.1:${proxy.address().port}/live`, key: KEY });
  const health = async () => (await server.get(`${path}/${made.id}`)).json.health;
  await until(async () => (await health()).state === "live", { ms: 20_000, what: "live" });
  const stats = async () => ({ ...(await server.get("/v1/channels/main/stats")).json, at_s: performance.now() / 1000 });
  const rate = (a, b) => (b.encoded - a.encoded) / (b.at_s - a.at_s);
  const first = await stats();
  await sleep(4000);
  const stop = await stats();
  const before = (await health()).dropped;
  for (const [socket] of pairs) socket.unpipe(), socket.pause();
  await until(async () => (await health()).dropped > before, { ms: 40_000, every: 100, what: "a dropped picture" });
  const still = await stats();
  for (const [socket, to] of pairs) socket.pipe(to);
  // Against the same machine a moment before, and every picture drawn was encoded: the outputs took no packets away.
  figure("pictures a second before, and beside a peer that stopped reading", `${rate(first, stop).toFixed(1)}, ${rate(stop, still).toFixed(1)}`, "Hz", "> 0.75 of before");
  assert.ok(rate(stop, still) > 0.75 * rate(first, stop));
  assert.ok(still.encoded - stop.encoded > 0.97 * (still.frames - stop.frames) - 3, `${still.encoded - stop.encoded} of ${still.frames - stop.frames} encoded`);
  const { frames: sent } = await health();
  await until(async () => (await health()).frames > sent + 60, { ms: 20_000, what: "pictures again" });
  const end = await health();
  assert.equal(end.state, "live");
  assert.equal(end.connects, 1, "the connection held");
  assert.equal((await server.call("DELETE", `${path}/${made.id}`)).status, 204);
  for (const pair of pairs) for (const socket of pair) socket.destroy();
  proxy.close();
});

test("a channel keeps its size where an output could not go on with another", async () => {
  const { id } = await create({ name: "Stage", preset: "ivs-real-time", url: `rtmp://127.0.0.1:${await freePort()}/app`, key: KEY });
  const refused = await server.call("PATCH", "/v1/channels/small", { json: { width: 1920, height: 1080 } });
  assert.equal(refused.status, 400, refused.text);
  assert.match(refused.text, /output \\"Stage\\".*1280x720/);
  assert.equal((await server.call("PATCH", `${OUTPUTS}/${id}`, { json: { enabled: false } })).status, 200);
  const { width, height } = (await server.get("/v1/channels/small")).json;
  assert.equal((await server.call("PATCH", "/v1/channels/small", { json: { width: width + 2, height } })).status, 200, "one that is off forbids nothing");
  assert.equal((await server.call("PATCH", "/v1/channels/small", { json: { width, height } })).status, 200);
  assert.equal((await server.call("DELETE", `${OUTPUTS}/${id}`)).status, 204);
});

test("what a preset or an address forbids is said before it is stored", async () => {
  for (const [fields, what] of [
    [{ url: "http://127.0.0.1/live", key: KEY }, /rtmp:\/\//],
    [{ url: "rtmp://127.0.0.1", key: KEY }, /application/],
    [{ url: "rtmp://127.0.0.1/live", key: "a b" }, /printable/],
    [{ url: "rtmp://127.0.0.1/live", key: "file:/etc/passwd" }, /COMPERE_STREAM_/],
    [{ url: "rtmp://127.0.0.1/live", key: "env:HOME" }, /COMPERE_STREAM_/],
    [{ url: "srt://127.0.0.1:9000?mode=listener" }, /mode/],
    [{ preset: "ivs-low-latency", url: "rtmp://127.0.0.1/app", key: KEY }, /rtmps/],
  ]) {
    const answer = await server.post(OUTPUTS, fields);
    assert.ok([400, 415, 422, 501].includes(answer.status), `${answer.status} ${answer.text}`);
    assert.match(answer.json.detail, what);
    assert.ok(!answer.text.includes(KEY));
  }
  assert.deepEqual((await server.get(OUTPUTS)).json.outputs, []);
  assert.equal((await server.get("/v1/channels/none/outputs")).status, 404);
});

test("outputs outlive the server's death and are dialled by the next", async () => {
  const made = await create({ url: `rtmp://127.0.0.1:${rtmpPort}/live`, key: KEY });
  await reaches(made.id, "live");
  await server.kill();
  const before = server;
  server = await Server.start({ data: before.data });
  server.ownsData = true;
  await reaches(made.id, "live", 40_000);
  await remove(made.id);
});
