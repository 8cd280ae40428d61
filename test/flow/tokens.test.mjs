// Playback tokens: who plays a channel whose access is "token", and who does not.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { Server, until } from "./harness.mjs";
import { doNotWaitForTimers, play } from "./werift-viewer.mjs";

const ORIGIN = "https://shop.example";
let server, pair;

const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const inSeconds = (s) => Math.floor(Date.now() / 1000) + s;

/** A token for main that is good for a minute, but for what `claims` and `header` say. */
function token(claims = {}, { header = {}, key = pair.private_key } = {}) {
  const text = `${base64url({ alg: "ES384", typ: "JWT", ...header })}.${base64url({ channel: "main", exp: inSeconds(60), ...claims })}`;
  return `${text}.${sign("sha384", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

const anonymous = { key: "" };
const hls = (query, file = "index.m3u8", headers = {}) => server.get(`/v1/channels/main/hls/${file}${query ? `?token=${query}` : ""}`, { key: "", headers });

/** Nobody waits for werift to close what the server has ended. */
const leave = (...viewers) => void Promise.all(viewers.map((viewer) => viewer.close())).catch(() => undefined);

async function isRefused(answer, status, why) {
  const { status: got, json, headers, text } = await answer;
  assert.equal(got, status, text);
  assert.match(json.detail, why);
  assert.match(headers.get("content-type"), /problem\+json/);
  assert.equal(headers.get("cache-control"), "no-store");
}

before(async () => {
  server = await Server.start();
  assert.equal((await hls("")).status, 200, "a channel is public at first");
  const made = await server.post("/v1/playback-keys", { name: "shop" });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.get("cache-control"), "no-store");
  pair = made.json;
  const changed = await server.call("PATCH", "/v1/channels/main", { json: { access: "token" } });
  assert.equal(changed.status, 200, changed.text);
  assert.equal(changed.json.access, "token");
});
after(async () => {
  await server.stop();
  doNotWaitForTimers();
});

test("playback keys: made, listed without the private half, taken, refused, deleted", async () => {
  assert.match(pair.private_key, /BEGIN PRIVATE KEY/);
  assert.match(pair.public_key, /BEGIN PUBLIC KEY/);
  const listed = await server.get("/v1/playback-keys");
  assert.deepEqual(listed.json.keys.map((key) => key.id), [pair.id]);
  assert.doesNotMatch(listed.text, /PRIVATE/);
  assert.equal((await server.get("/v1/playback-keys", anonymous)).status, 401);
  const viewer = (await server.post("/v1/keys", { role: "operator" })).json.key;
  assert.equal((await server.get("/v1/playback-keys", { key: viewer })).status, 403);

  const own = generateKeyPairSync("ec", { namedCurve: "P-384" }), pem = own.publicKey.export({ type: "spki", format: "pem" });
  const mine = { key: own.privateKey };
  await isRefused(hls(token({}, mine)), 403, /no playback key/);
  const taken = await server.post("/v1/playback-keys", { public_key: pem });
  assert.equal(taken.status, 201, taken.text);
  assert.equal(taken.json.private_key, undefined);
  assert.equal((await server.post("/v1/playback-keys", { public_key: pem })).status, 409);
  assert.equal((await hls(token({}, mine))).status, 200);
  assert.equal((await hls(token({}, { ...mine, header: { kid: taken.json.id } }))).status, 200);
  await isRefused(hls(token({}, { ...mine, header: { kid: pair.id } })), 403, /no playback key/);
  assert.equal((await server.call("DELETE", `/v1/playback-keys/${taken.json.id}`)).status, 204);
  await isRefused(hls(token({}, mine)), 403, /no playback key/);

  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const wrong = [
    p256.publicKey.export({ type: "spki", format: "pem" }),
    own.privateKey.export({ type: "pkcs8", format: "pem" }),
    pem.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"),
    "",
    "no key",
  ];
  for (const public_key of wrong) assert.equal((await server.post("/v1/playback-keys", { public_key })).status, 400, public_key);
  const ids = [];
  for (let i = 0; i < 7; i++) ids.push((await server.post("/v1/playback-keys", {})).json.id);
  assert.equal((await server.post("/v1/playback-keys", {})).status, 409, "eight are the most");
  for (const id of ids) await server.call("DELETE", `/v1/playback-keys/${id}`);
});

test("HLS: a token opens the playlist, and its addresses lead on without it", async () => {
  await isRefused(hls(""), 401, /playback token/);
  await isRefused(hls("", "video.m3u8"), 401, /playback token/);
  const main = await hls(token());
  assert.equal(main.status, 200, main.text);
  assert.equal(main.headers.get("cache-control"), "no-store");
  assert.equal(main.headers.get("content-type"), "application/vnd.apple.mpegurl");
  const media = new URL(main.text.split("\n").find((line) => line && !line.startsWith("#")), `${server.url}/v1/channels/main/hls/index.m3u8`);
  const playlist = await until(async () => {
    const { status, text, headers } = await server.get(media.pathname, anonymous);
    assert.equal(status, 200, text);
    assert.match(headers.get("cache-control"), /^private, max-age=/);
    return /#EXTINF/.test(text) && text;
  });
  const [, part] = /#EXT-X-PART:.*URI="([^"]+)"/.exec(playlist), [, init] = /#EXT-X-MAP:URI="([^"]+)"/.exec(playlist);
  const segment = playlist.split("\n").find((line) => line.startsWith("seg-"));
  for (const name of [part, init, segment]) {
    const file = await server.get(new URL(name, media).pathname, anonymous);
    assert.equal(file.status, 200, name);
    assert.equal(file.headers.get("cache-control"), "private, max-age=86400, immutable");
    assert.equal((await hls("", name)).status, 401);
    assert.equal((await hls(token(), name)).status, 200, "the token itself does for a file too");
  }
  for (const uri of main.text.match(/URI="[^"]+"/g)) {
    const beside = await server.get(new URL(uri.slice(5, -1), `${server.url}/v1/channels/main/hls/index.m3u8`).pathname, anonymous);
    assert.equal(beside.status, 200, `${uri}: captions and key frames carry the pass too`);
  }
  assert.equal((await hls("", "captions.m3u8")).status, 401);
  const next = Number(/#EXT-X-PRELOAD-HINT:.*part-[^-]+-(\d+)\.\d+\.m4s"/.exec(playlist)[1]);
  const blocked = await server.get(`${media.pathname}?_HLS_msn=${next}`, anonymous);
  assert.equal(blocked.status, 200, "blocking reload");
  const direct = await fetch(`${server.url}/v1/channels/main/hls/video.m3u8?token=${token()}`);
  assert.equal(direct.status, 200);
  assert.ok(direct.redirected);

  for (const bad of [media.pathname.replace(/.(?=\/video)/, (c) => (c === "0" ? "1" : "0")), media.pathname.replace(/hls\/(\d)/, (_, d) => `hls/${(Number(d) + 1) % 10}`), media.pathname.replace(/hls\/[^/]+/, "hls/x")])
    await isRefused(server.get(bad, anonymous), 403, /begin again at index\.m3u8/);
  assert.equal((await hls("", "index.m3u8", { Authorization: `Bearer ${server.key}` })).status, 200, "a key may play too");
});

test("what is wrong with a token is said", async () => {
  await isRefused(hls(token({ exp: inSeconds(-1) })), 403, /expired/);
  await isRefused(hls(token({ exp: inSeconds(8 * 86400) })), 403, /7 days/);
  await isRefused(hls(token({ exp: Date.now() })), 403, /claim exp/);
  await isRefused(hls(token({ exp: undefined })), 403, /exp/);
  await isRefused(hls(token({ nbf: inSeconds(100) })), 403, /nbf/);
  await isRefused(hls(token({ channel: "other" })), 403, /another channel/);
  await isRefused(hls(token({ channel: undefined })), 403, /channel/);
  await isRefused(hls(token({ "aws:channel-arn": "main", channel: "other" })), 403, /channel/);
  assert.equal((await hls(token({ channel: undefined, "aws:channel-arn": "arn:aws:ivs:eu-west-1:1234:channel/main" }))).status, 200);

  const good = token(), [header, claims, signature] = good.split(".");
  assert.equal((await hls(good)).status, 200);
  const secret = pair.public_key; // the classic: the public key taken for an HMAC's secret
  const forge = (alg, mac) => [base64url({ alg, typ: "JWT" }), claims, mac].join(".");
  const hs256 = createHmac("sha256", secret).update(`${base64url({ alg: "HS256", typ: "JWT" })}.${claims}`).digest("base64url");
  await isRefused(hls(forge("HS256", hs256)), 403, /ES384/);
  await isRefused(hls(forge("none", "")), 403, /ES384/);
  await isRefused(hls(forge("None", signature)), 403, /ES384/);
  await isRefused(hls(`${header}.${claims}.`), 403, /signature/);
  await isRefused(hls(`${header}.${base64url({ channel: "main", exp: inSeconds(999) })}.${signature}`), 403, /no playback key/);
  await isRefused(hls(`${header}.${claims}.${signature.replace(/^./, (c) => (c === "A" ? "B" : "A"))}`), 403, /no playback key/);
  await isRefused(hls(`${header}.${claims}.${Buffer.alloc(96).toString("base64url")}`), 403, /no playback key/);
  await isRefused(hls(`${header}.${claims}.${Buffer.alloc(96, 255).toString("base64url")}`), 403, /no playback key/);
  await isRefused(hls(token({}, { header: { crit: ["exp"] } })), 403, /crit/);
  await isRefused(hls(`${header}.${claims}`), 403, /three parts/);
  await isRefused(hls(`${good}=`), 403, /signature/);
  await isRefused(hls(token({ viewer: "v".repeat(80) })), 403, /viewer/);
  await isRefused(hls(token({ note: "x".repeat(2000) })), 403, /2048/);
  assert.doesNotMatch(server.log, new RegExp(claims), "tokens are not logged");
});

test("a token that names an origin is for pages of that origin", async () => {
  const claims = { "aws:access-control-allow-origin": `https://a.example,${ORIGIN}` };
  assert.equal((await hls(token(claims), undefined, { Origin: ORIGIN })).status, 200);
  await isRefused(hls(token(claims), undefined, { Origin: "https://evil.example" }), 403, /origin/);
  await isRefused(hls(token(claims)), 403, /origin/);
  assert.equal((await hls(token({ "aws:access-control-allow-origin": "*" }))).status, 200);
});

test("a single use is one", async () => {
  const id = randomUUID(), once = token({ "aws:single-use-uuid": id });
  assert.equal((await server.get(`/v1/channels/main/ask?token=${once}`, anonymous)).status, 200, "what stands beside the picture does not use it up");
  const first = await hls(once);
  assert.equal(first.status, 200);
  await isRefused(hls(once), 403, /used already/);
  await isRefused(hls(token({ jti: id })), 403, /used already/);
  await isRefused(hls(token({ jti: randomUUID() }), "init-x-0.mp4"), 403, /index\.m3u8/);
});

test("captions and questions need a token too", async () => {
  assert.equal((await server.get("/v1/channels/main/ask", anonymous)).status, 401);
  assert.equal((await server.post("/v1/channels/main/ask", { text: "Is it red?" }, anonymous)).status, 401);
  assert.equal((await server.get("/v1/channels/main/captions", anonymous)).status, 401);
  const stop = new AbortController();
  const captions = await fetch(`${server.url}/v1/channels/main/captions?token=${token()}`, { signal: stop.signal });
  assert.equal(captions.status, 200);
  stop.abort();
  assert.equal((await server.get("/watch/main", anonymous)).status === 401, false, "the page itself is public");
});

test("WHEP: a token starts a session, which is listed and ended", async (t) => {
  const offer = (query, headers) => server.call("POST", `/v1/channels/main/whep${query}`, { key: "", body: "v=1", type: "application/sdp", headers });
  await isRefused(offer(""), 401, /playback token/);
  await isRefused(offer(`?token=${token({ exp: inSeconds(-5) })}`), 403, /expired/);
  await isRefused(offer("", { Authorization: `Bearer ${token({ channel: "other" })}` }), 403, /another channel/);
  assert.equal((await offer(`?token=${token()}`)).status, 400, "only the offer is wrong");
  const once = `?token=${token({ jti: randomUUID() })}`;
  assert.equal((await offer(once)).status, 400);
  await isRefused(offer(once), 403, /used already/);
  const [one, two] = await Promise.all([
    play(server.url, "main", { query: `?token=${token({ "aws:viewer-id": "ann", "aws:viewer-session-version": 2 })}` }),
    play(server.url, "main", { headers: { Authorization: `Bearer ${token({ viewer: "bob" })}` } }),
  ]);
  t.after(() => leave(one, two));
  await until(() => one.count.frames > 0 && two.count.frames > 0, { what: "pictures" });
  const list = async () => (await server.get("/v1/channels/main/viewers")).json;
  const { viewers, watching } = await list();
  assert.equal(watching, 2);
  const ann = viewers.find((viewer) => viewer.viewer === "ann"), bob = viewers.find((viewer) => viewer.viewer === "bob");
  assert.equal(ann.version, 2);
  assert.equal(ann.address, "127.0.0.x");
  assert.equal(ann.state, "watching");
  assert.ok(one.location.endsWith(ann.id) && ann.bytes > 1000 && Date.now() - Date.parse(ann.since) < 60_000, JSON.stringify(ann));
  assert.equal((await server.get("/v1/channels/main/viewers", anonymous)).status, 401);
  assert.equal((await server.call("DELETE", "/v1/channels/main/viewers/nobody")).status, 404);
  assert.equal((await server.call("DELETE", `/v1/channels/main/viewers/${bob.id}`)).status, 204);
  assert.deepEqual((await list()).viewers.map((viewer) => viewer.viewer), ["ann"]);
});

test("a viewer is revoked, with the sessions and the playlists that go on", async (t) => {
  const claims = (version) => ({ viewer: "eve", "aws:viewer-session-version": version });
  const viewer = await play(server.url, "main", { query: `?token=${token(claims(1))}` });
  t.after(() => leave(viewer));
  const main = await hls(token(claims(1)));
  const media = `/v1/channels/main/hls/${main.text.split("\n").find((line) => line && !line.startsWith("#"))}`;
  assert.equal((await server.get(media, anonymous)).status, 200);
  const revoked = await server.post("/v1/channels/main/viewers/revoke", { viewer: "eve", versions_up_to: 1 });
  assert.equal(revoked.status, 200, revoked.text);
  assert.equal(revoked.json.ended, 1);
  await isRefused(hls(token(claims(1))), 403, /revoked/);
  await isRefused(hls(token({ viewer: "eve" })), 403, /revoked/);
  await isRefused(server.get(media, anonymous), 403, /revoked/);
  assert.equal((await hls(token(claims(2)))).status, 200, "a later version plays");
  assert.equal((await hls(token({ viewer: "adam" }))).status, 200, "others play");
  assert.equal((await server.post("/v1/channels/main/viewers/revoke", { viewer: "eve" })).status, 200);
  await isRefused(hls(token(claims(1))), 403, /revoked/, "revoking less does not allow what was revoked");
  assert.equal((await server.post("/v1/channels/none/viewers/revoke", { viewer: "eve" })).status, 404);
});

test("used tokens, revoked viewers and passes outlive a restart", async () => {
  const once = token({ jti: randomUUID(), viewer: "zoe" }), eve = token({ viewer: "eve" });
  const main = await hls(once);
  assert.equal(main.status, 200, main.text);
  const { data, key } = server;
  server.ownsData = false;
  await server.stop();
  server = await Server.start({ data });
  server.ownsData = true;
  server.key ??= key;
  await isRefused(hls(once), 403, /used already/);
  await isRefused(hls(eve), 403, /revoked/);
  assert.equal((await server.get(`/v1/channels/main/hls/${main.text.split("\n").find((line) => line && !line.startsWith("#"))}`, anonymous)).status, 200);
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { access: "public" } })).status, 200);
  assert.equal((await hls("")).status, 200, "public again");
});
