// LL-HLS through caches of others, with the configuration that we ship: nginx and Varnish. However many watch, the server is asked the same.
import { generateKeyPairSync, sign } from "node:crypto";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Player, readPlaylist } from "./cdn-players.mjs";
import { figure, freePort, listen, makeDirectory, Server, sleep, until } from "./harness.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const deploy = resolve(here, "../../deploy");
const PART_MS = 200;
const HLS = "/v1/channels/main/hls";
const directory = makeDirectory();
const running = [];
let server;

/** A program that is ended with the tests. */
function run(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  child.log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (child.log += bytes));
  child.exited = new Promise((done) => child.on("exit", () => done((child.over = true))));
  running.push(child);
  return child;
}

async function answers(child, port) {
  await until(
    async () => {
      if (child.over) throw new Error(`it ended: ${child.log}`);
      return (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status === 200;
    },
    { ms: 20_000, what: "an answer through the cache" },
  );
  return port;
}

const replaced = (text, pairs) =>
  pairs.reduce((now, [from, to]) => (assert.ok(now.includes(from), `the configuration has no ${from}`), now.replaceAll(from, to)), text);

async function startNginx() {
  const folder = join(directory, "nginx"), port = await freePort();
  mkdirSync(folder);
  const shipped = replaced(readFileSync(join(deploy, "nginx/compere-cdn.conf"), "utf8"), [
    ["listen 80;", `listen 127.0.0.1:${port};`],
    ["127.0.0.1:8080", `127.0.0.1:${server.port}`],
    ...(await Promise.all(["8082", "8083", "8084", "8085", "8086"].map(async (stage) => [stage, String(await freePort())]))),
    ["/var/cache/nginx-compere", `${folder}/cache`],
  ]);
  writeFileSync(join(folder, "compere-cdn.conf"), shipped);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; ${process.getuid() ? "" : "user root; "}worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 4096; }
     http { access_log off; ${temporary} include ${folder}/compere-cdn.conf; }`,
  );
  return answers(run("/usr/sbin/nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")]), port);
}

async function startVarnish() {
  const port = await freePort(), file = join(directory, "compere.vcl");
  writeFileSync(file, replaced(readFileSync(join(deploy, "varnish/compere.vcl"), "utf8"), [['"8080"', `"${server.port}"`]]));
  const args = ["-F", "-j", "none", "-n", join(directory, "varnish"), "-a", `127.0.0.1:${port}`, "-f", file, "-s", "malloc,128m", "-l", "8m"];
  return answers(run("/usr/sbin/varnishd", args), port);
}

const caches = {};
before(async () => {
  // A small picture leaves the machine to the caches and the players.
  server = await Server.start({ flags: ["--channel-width", "320", "--channel-height", "180"] });
  [caches.nginx, caches.varnish] = await Promise.all([startNginx(), startVarnish()]);
  await server.onAir();
});
after(async () => {
  for (const child of running) if (!child.over) child.kill("SIGTERM");
  await Promise.all(running.map((child) => child.exited));
  await server?.stop();
  rmSync(directory, { recursive: true });
});

/** How often the server was asked for a route so far. */
async function asked(route = "GET /v1/channels/{channel}/hls/{file}") {
  const { text } = await server.get("/metrics");
  return text.split("\n").filter((line) => line.startsWith("compere_http_requests_total") && line.includes(`route="${route}"`))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

/** n players for some seconds beside one who asks the server itself. */
async function crowd(port, n, seconds) {
  const reference = new Player(server.port, HLS, "reference");
  const players = [];
  let rate, start_ms, end_ms;
  try {
    for (let i = 0; i < n; i++) {
      players.push(new Player(port, HLS, `p${i}`));
      if (i % 20 === 19) await sleep(50); // they do not come in one instant
    }
    await until(() => [...players, reference].every((p) => p.got.size > 0 || p.errors.length), { ms: 20_000, what: "a part for everybody" });
    await sleep(1000); // the start's crowd has passed
    const own = reference.requests, before = await asked();
    start_ms = performance.now();
    await sleep(seconds * 1000);
    end_ms = performance.now();
    rate = ((await asked()) - before - (reference.requests - own)) / ((performance.now() - start_ms) / 1000);
    await sleep(700); // the last parts arrive
  } finally {
    for (const player of [...players, reference]) player.stop();
  }
  const order = [...reference.got.keys()], place = new Map(order.map((uri, i) => [uri, i]));
  const wanted = order.filter((uri) => reference.got.get(uri) >= start_ms && reference.got.get(uri) < end_ms);
  const late = [], missing = [], stale = [];
  for (const player of players) {
    for (const uri of wanted)
      if (player.got.has(uri)) late.push(player.got.get(uri) - reference.got.get(uri));
      else missing.push(`${uri} at ${player.name}`);
    for (const { at_ms, sent_ms, last } of player.playlists) {
      if (sent_ms < start_ms || at_ms > end_ms || !place.has(last)) continue;
      // How many parts the server had a part's length before this playlist was asked for, beyond what it lists.
      let behind = 0;
      for (let i = place.get(last) + 1; i < order.length && reference.got.get(order[i]) <= sent_ms - PART_MS; i++) behind++;
      stale.push(behind);
    }
  }
  late.sort((a, b) => a - b);
  return { rate, late, missing, stale, wanted: wanted.length, errors: [...players, reference].flatMap((p) => p.errors) };
}

for (const name of ["nginx", "varnish"])
  test(`${name}: 200 players get every part in time, and the server is asked as by 5`, async () => {
    const few = await crowd(caches[name], 5, 3), many = await crowd(caches[name], 200, 4);
    const median = quantile(many.late, 0.5), p95 = quantile(many.late, 0.95);
    figure(`${name}: requests a second at the server for 5 and 200 players`, `${few.rate.toFixed(1)}, ${many.rate.toFixed(1)}`, "1/s", "<= 1.5 times");
    figure(`${name}: a part later than at the server, median`, median, "ms", "<= 150");
    figure(`${name}: a part later than at the server, p95`, p95, "ms", "<= 400");
    const stale = (100 * many.stale.filter((behind) => behind > 0).length) / many.stale.length;
    figure(`${name}: blocked playlists older than a part when they were asked for, because the player was late`, stale, "%", "<= 5");
    assert.deepEqual([...few.errors, ...many.errors].slice(0, 5), []);
    assert.ok(many.wanted >= 16, `${many.wanted} parts in 4 s`);
    assert.deepEqual([...few.missing, ...many.missing].slice(0, 5), []);
    assert.ok(median <= 150 && p95 <= 400, `${median} ms, ${p95} ms`);
    assert.ok(many.rate <= 1.5 * few.rate, `${few.rate} and ${many.rate} requests a second`);
    assert.ok(stale <= 5, `${stale}% of the playlists are old`); // each holds what its player asked for: the players look
  });

for (const name of ["nginx", "varnish"])
  test(`${name}: the rules of LL-HLS hold, plain playlists are fresh, and what was not there yet is there when it is made`, async () => {
    const port = caches[name], url = `http://127.0.0.1:${port}`;
    const checker = run(process.execPath, [join(here, "check-hls.mjs"), `${url}${HLS}/index.m3u8`, "4", "--cors"]);
    const get = async (path, headers = {}) => {
      const answer = await fetch(url + path, { headers });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    };
    const position = (list) => list.msn * 1000 + list.part;
    // A playlist that is asked for without directives lists what the server listed a part's length before.
    const listed = [];
    for (let i = 0; i < 20; i++) {
      const own = readPlaylist((await server.get(`${HLS}/video.m3u8`, { key: null })).text);
      listed.push({ at_ms: performance.now(), position: position(own) });
      const sent_ms = performance.now(), seen = readPlaylist((await get(`${HLS}/video.m3u8?token=${i}`)).text);
      const due = Math.max(0, ...listed.filter(({ at_ms }) => at_ms <= sent_ms - PART_MS).map((list) => list.position));
      assert.ok(position(seen) >= due, `${position(seen)}, and ${due} was listed a part before`);
      await sleep(50);
    }
    // A part that nobody hints at yet is 404, and 200 as soon as it is made.
    const list = readPlaylist((await get(`${HLS}/video.m3u8?_HLS_skip=NO`)).text);
    const segment = list.part < 4 ? list.msn : list.msn + 1, part = list.part < 4 ? list.part + 5 : 4;
    const early = list.hint.replace(/\d+\.\d+\.m4s$/, `${segment}.${part}.m4s`);
    assert.equal((await get(`${HLS}/${early}`)).status, 404);
    const waited = await get(`${HLS}/video.m3u8?_HLS_msn=${segment}&_HLS_part=${part}`);
    assert.equal(waited.status, 200, waited.text);
    assert.ok(waited.text.includes(early));
    assert.equal((await get(`${HLS}/${early}`)).status, 200);
    // Directives in another order and beside others are the same request; a segment is kept.
    const again = await get(`${HLS}/video.m3u8?session=9&_HLS_part=${part}&a=b&_HLS_msn=${segment}&`);
    assert.equal(again.headers.get("x-cache"), "HIT");
    assert.equal(again.text, waited.text);
    assert.notEqual((await get(`${HLS}/video.m3u8?_hls_msn=${segment}&_hls_part=${part}`)).status, 500);
    const old = /seg-[^\n]+/.exec(waited.text)[0];
    await get(`${HLS}/${old}`);
    assert.equal((await get(`${HLS}/${old}?viewer=7`, { Origin: "https://viewer.example" })).headers.get("x-cache"), "HIT");
    // Kept for somebody without an Origin, it may still be read by a page elsewhere.
    assert.equal((await get(`${HLS}/${old}`, { Origin: "https://viewer.example" })).headers.get("access-control-allow-origin"), "*");
    await checker.exited;
    assert.match(checker.log, /[1-9]\d* passed, 0 failed/, checker.log);
  });

for (const name of ["nginx", "varnish"])
  test(`${name}: the API is passed on and never kept: calls, uploads, events`, async () => {
    const through = Object.assign(Object.create(Server.prototype), { url: `http://127.0.0.1:${caches[name]}`, key: server.key });
    const route = "GET /v1/channels/{channel}/stats", before = await asked(route);
    for (let i = 0; i < 5; i++) {
      const answer = await through.get("/v1/channels/main/stats");
      assert.equal(answer.status, 200);
      assert.notEqual(answer.headers.get("x-cache"), "HIT");
    }
    assert.equal((await asked(route)) - before, 5, "every call came through");
    assert.equal((await through.get("/v1/channels/main/stats", { key: null })).status, 401);
    const events = await listen(through, "/v1/events?channel=main");
    assert.equal(events.status, 200);
    const start_ms = performance.now();
    const { id } = await through.say(`Through ${name}.`);
    const event = await until(() => events.events.find((e) => e.type === "cue" && JSON.stringify(e.data).includes(id)), { what: "the cue's event", every: 5 });
    figure(`${name}: an event after its call`, event.at_ms - start_ms, "ms", "<= 1000");
    assert.ok(event.at_ms - start_ms <= 1000);
    await events.close();
    const rate = 48_000, seconds = 40, wav = Buffer.alloc(44 + 2 * rate * seconds);
    wav.write("RIFF", 0), wav.writeUInt32LE(wav.length - 8, 4), wav.write("WAVEfmt ", 8), wav.writeUInt32LE(16, 16);
    wav.writeUInt16LE(1, 20), wav.writeUInt16LE(1, 22), wav.writeUInt32LE(rate, 24), wav.writeUInt32LE(2 * rate, 28);
    wav.writeUInt16LE(2, 32), wav.writeUInt16LE(16, 34), wav.write("data", 36), wav.writeUInt32LE(wav.length - 44, 40);
    for (let i = 0; i < rate * seconds; i++) wav.writeInt16LE(Math.round(3000 * Math.sin(i / 20)), 44 + 2 * i);
    const made = await through.call("POST", `/v1/media?name=${name}`, { body: wav, type: "audio/wav" });
    assert.equal(made.status, 201, made.text);
    assert.equal((await through.call("DELETE", `/v1/media/${made.json.id}`)).status, 204);
  });

for (const name of ["nginx", "varnish"])
  test(`${name}: a playback token comes through, and nothing behind it is kept for others`, async () => {
    const through = Object.assign(Object.create(Server.prototype), { url: `http://127.0.0.1:${caches[name]}`, key: null });
    assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { access: "token" } })).status, 200);
    try {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
      const key = await server.post("/v1/playback-keys", { public_key: publicKey.export({ type: "spki", format: "pem" }) });
      assert.equal(key.status, 201, key.text);
      const coded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const signed = `${coded({ alg: "ES384", typ: "JWT" })}.${coded({ channel: "main", exp: Math.floor(Date.now() / 1000) + 60 })}`;
      const token = `${signed}.${sign("sha384", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
      assert.equal((await through.get(`${HLS}/index.m3u8?token=${token.slice(0, -8)}AAAAAAAA`)).status, 403);
      const index = await through.get(`${HLS}/index.m3u8?token=${token}`);
      assert.equal(index.status, 200, index.text);
      const next = index.text.split("\n").find((line) => line && !line.startsWith("#"));
      const playlist = await through.get(new URL(next, `http://a${HLS}/index.m3u8`).pathname);
      assert.equal(playlist.status, 200, playlist.text);
      assert.notEqual(playlist.headers.get("x-cache"), "HIT");
      await until(async () => (await through.get(`${HLS}/index.m3u8`)).status === 401, { ms: 10_000, what: "those without a token to be kept out" });
    } finally {
      await server.call("PATCH", "/v1/channels/main", { json: { access: "public" } });
    }
  });
