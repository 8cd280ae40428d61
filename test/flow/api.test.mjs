// The HTTP interface of the real server: what it accepts, what it refuses and how it says so.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, figure, listen, sleep, until } from "./harness.mjs";

let server;
before(async () => {
  server = await Server.start({ flags: ["--gateway-rate-per-s", "500", "--gateway-rate-burst", "2000"] });
});
after(async () => {
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log);
});

const CUES = "/v1/channels/main/cues";

function assertProblem(answer, status, pattern) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get("content-type"), /application\/problem\+json/);
  assert.equal(answer.json.status, status);
  assert.match(`${answer.json.title} ${answer.json.detail}`, pattern);
}

test("health, readiness and OpenAPI need no key; the rest does", async () => {
  assert.equal((await server.get("/healthz", { key: null })).json.status, "ok");
  assert.equal((await server.get("/readyz", { key: null })).json.status, "ready");
  const openapi = (await server.get("/v1/openapi.json", { key: null })).json;
  assert.equal(openapi.openapi.slice(0, 3), "3.1");
  assert.ok(openapi.paths["/v1/channels/{channel}/cues"].post.requestBody);
  for (const path of ["/v1/channels", "/v1/voices", "/metrics", CUES, "/v1/events", "/v1/keys"]) {
    const answer = await server.get(path, { key: null });
    assertProblem(answer, 401, /key|sign/i);
    assert.match(answer.headers.get("www-authenticate"), /Bearer/);
  }
  assertProblem(await server.get("/v1/channels", { key: "cpk_wrong" }), 401, /key/i);
});

test("roles: a viewer's key reads but does not speak; it can be revoked", async () => {
  const made = (await server.post("/v1/keys", { role: "viewer", name: "test" })).json;
  assert.match(made.key, /^cpk_/);
  assert.equal((await server.get("/v1/channels", { key: made.key })).status, 200);
  assertProblem(await server.post(CUES, { text: "No." }, { key: made.key }), 403, /operator/);
  assertProblem(await server.post("/v1/keys", { role: "admin" }, { key: made.key }), 403, /admin/);
  const listed = await server.get("/v1/keys");
  assert.ok(listed.json.keys.some((k) => k.id === made.id));
  assert.ok(!listed.text.includes(made.key));
  assert.equal((await server.call("DELETE", `/v1/keys/${made.id}`)).status, 204);
  await until(async () => (await server.get("/v1/channels", { key: made.key })).status === 401, { ms: 3000, what: "the revocation" });
});

test("what there is to choose from is listed", async () => {
  const voices = (await server.get("/v1/voices")).json.voices;
  assert.ok(voices.some((v) => v.id === "flite:slt" && v.usable));
  assert.ok(voices.some((v) => v.engine === "espeak-ng" && v.language.startsWith("de")));
  const sets = (await server.get("/v1/sets")).json.sets;
  assert.ok(sets[0].cameras.length >= 3);
  assert.ok((await server.get("/v1/presenters")).json.presenters.length >= 1);
  const { presenters } = (await server.get("/v1/presenters")).json;
  assert.ok(!presenters[0].id.includes("--"), "the first presenter, who stands there when nobody is named, is no variant");
  assert.ok((await server.get("/v1/actions")).json.actions.length >= 1);
});

test("a cue is accepted, spoken, timed at each step and kept", async () => {
  await server.silence();
  const cue = await server.say("Good evening, and welcome.", { emotion: "warm", camera: "close", card: "Good evening" });
  assert.equal(cue.state, "queued");
  const done = await server.finished(cue.id);
  assert.equal(done.state, "done");
  const t = done.timings_ms;
  const order = ["answered", "spoken", "posed", "drawn", "encoded", "sent"];
  for (let i = 1; i < order.length; i++) assert.ok(t[order[i]] >= t[order[i - 1]], JSON.stringify(t));
  assert.ok(!("asked_ns" in done));
  const second = await server.say("And a second one.");
  const page = (await server.get(`${CUES}?limit=1`)).json;
  assert.equal(page.cues[0].id, second.id);
  const next = (await server.get(`${CUES}?limit=1&cursor=${encodeURIComponent(page.cursor)}`)).json;
  assert.equal(next.cues[0].id, cue.id);
  await server.finished(second.id);
});

test("POST of a 12-word cue to its first speaking frame sent: median <= 150 ms", async () => {
  await server.silence();
  const sent = [];
  for (let i = 0; i < 9; i++) {
    const cue = await server.say("The quick brown fox jumps over the lazy dog near the river.");
    const timed = await until(
      async () => {
        const { json } = await server.get(`${CUES}/${cue.id}`);
        return json.timings_ms.sent && json;
      },
      { what: "the first frame" },
    );
    sent.push(timed.timings_ms.sent);
    await server.call("DELETE", `${CUES}/${cue.id}`);
    await server.finished(cue.id);
    await sleep(400); // the pause between two cues is not part of the figure
  }
  sent.sort((a, b) => a - b);
  figure("cue_first_frame_ms_median", sent[4], "ms", "<= 150");
  figure("cue_first_frame_ms_max", sent[8], "ms", "none");
  assert.ok(sent[4] <= 150, `median ${sent[4]} ms of ${sent}`);
});

test("20 cues at once: all performed, in order, none twice", async () => {
  await server.silence();
  const heard = await listen(server, "/v1/events?channel=main");
  const ids = [];
  for (let i = 0; i < 20; i++) ids.push((await server.say(`Number ${i}.`)).id);
  await until(() => heard.events.filter((e) => e.type === "cue" && ids.includes(e.data.id) && e.data.state === "done").length === 20, {
    ms: 60_000,
    what: "20 cues",
  });
  const speaking = heard.events.filter((e) => e.type === "cue" && e.data.state === "speaking" && !e.data.timings_ms.sent).map((e) => e.data.id);
  const captions = heard.events.filter((e) => e.type === "caption" && e.data.text).map((e) => e.data.cue);
  await heard.close();
  assert.deepEqual(speaking, ids);
  assert.deepEqual(captions, ids);
});

test("interrupt cuts; the cue says so, and the next one is spoken", async () => {
  await server.silence();
  const long = await server.say("This is a long sentence that goes on and on and on, until somebody interrupts it at last.");
  await until(async () => (await server.get("/v1/channels/main/stats")).json.speaking, { what: "speech" });
  const next = await server.say("Thank you.");
  const started = Date.now();
  assert.equal((await server.post("/v1/channels/main/interrupt", { policy: "now" })).status, 202);
  assert.equal((await server.finished(long.id)).state, "cut");
  assert.ok(Date.now() - started < 1500);
  assert.equal((await server.finished(next.id)).state, "done");
});

test("an idempotency key makes one cue of two requests", async () => {
  const headers = { "Idempotency-Key": `k-${Date.now()}` };
  const first = await server.post(CUES, { text: "Once." }, { headers });
  const second = await server.post(CUES, { text: "Once." }, { headers });
  assert.equal(first.status, 202);
  assert.equal(second.json.id, first.json.id);
  assertProblem(await server.post(CUES, { text: "Twice." }, { headers }), 422, /idempotency/i);
});

test("bad input is refused with a clear reason, and the show stays on air", async () => {
  const cases = [
    [{ text: "Hi.", colour: "red" }, 400, /colour/],
    [{ text: 5 }, 400, /text/],
    [{ text: "Hi.", rate: 9 }, 400, /rate/],
    [{ text: "Hi.", emotion: "bored" }, 400, /emotion/],
    [{}, 400, /text/],
    [{ text: "Hi.", ssml: "<speak>Hi.</speak>" }, 400, /either/],
    [{ text: "Hi.", voice: "flite:nobody" }, 404, /voice|nobody/i],
    [{ text: "Hi.", camera: "roof" }, 400, /camera/],
    [{ text: "Hi.", action: "fly" }, 400, /action/],
    [{ ssml: "<speak>Hello <break" }, 400, /SSML|line/i],
    [{ ssml: "<speak><p>Hello</speak>" }, 400, /SSML|line/i],
    [{ text: " ... !!! " }, 400, /nothing to say/i],
  ];
  for (const [body, status, pattern] of cases) assertProblem(await server.post(CUES, body), status, pattern);
  assertProblem(await server.call("POST", CUES, { body: '{"text": "Hi.', type: "application/json" }), 400, /JSON/);
  assertProblem(await server.call("POST", CUES, { body: "Hi", type: "text/plain" }), 415, /application\/json/);
  assertProblem(await server.post(CUES, { text: "x".repeat(600_000) }), 413, /large|bytes/i);
  assert.equal((await server.get("/v1/channels", { headers: { "X-Long": "x".repeat(60_000) } })).status, 431);
  assertProblem(await server.post("/v1/channels/nobody/cues", { text: "Hi." }), 404, /channel/);
  assertProblem(await server.get("/v1/nothing"), 404, /./);
  const wrongMethod = await server.call("PUT", CUES, { json: {} });
  assertProblem(wrongMethod, 405, /./);
  assert.match(wrongMethod.headers.get("allow"), /POST/);
  await server.onAir();
});

test("WHEP refuses what it cannot serve", async () => {
  const offer = (media) =>
    ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0", ...media, ""].join("\r\n");
  const vp8 = offer([
    "m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:0", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv",
    "a=fingerprint:sha-256 " + Array(32).fill("AB").join(":"), "a=setup:actpass", "a=recvonly", "a=rtcp-mux", "a=rtpmap:96 VP8/90000",
  ]);
  const whep = "/v1/channels/main/whep";
  const send = (body, type = "application/sdp") => server.call("POST", whep, { body, type, key: null });
  const refused = await send(vp8);
  assert.ok([406, 415, 422, 501].includes(refused.status) || refused.status === 400, refused.text);
  assert.match(refused.json.detail, /H\.?264/);
  assert.ok([400, 422].includes((await send("this is not SDP")).status));
  assert.equal((await send(vp8, "text/plain")).status, 415);
  assert.equal((await server.call("DELETE", `${whep}/none`, { key: null })).status, 404);
  const preflight = await fetch(server.url + whep, { method: "OPTIONS", headers: { Origin: "https://example.org", "Access-Control-Request-Method": "POST" } });
  assert.ok(preflight.status < 300);
});

test("voice files: made, fetched as WAV and Ogg with marks, removed, and gone when they expire", async () => {
  const made = await server.post("/v1/speech", { text: "Good morning. How are you?" });
  assert.equal(made.status, 201, made.text);
  const { id, duration_ms: ms } = made.json;
  assert.ok(ms > 800 && ms < 6000, `${ms} ms`);
  const wav = await server.get(`/v1/speech/${id}/audio`);
  assert.equal(wav.bytes.subarray(0, 4).toString(), "RIFF");
  assert.ok(Math.abs((wav.bytes.length - 44) / 96 - ms) < 5);
  const ogg = await server.get(`/v1/speech/${id}/audio`, { headers: { Accept: "audio/ogg" } });
  assert.equal(ogg.bytes.subarray(0, 4).toString(), "OggS");
  assert.ok(ogg.bytes.length < wav.bytes.length / 4);
  const marks = (await server.get(`/v1/speech/${id}/marks`)).text.trim().split("\n").map((line) => JSON.parse(line));
  const words = marks.filter((m) => m.type === "word").map((m) => "Good morning. How are you?".slice(m.start, m.end));
  assert.deepEqual(words, ["Good", "morning", "How", "are", "you"]);
  assert.ok(marks.some((m) => m.type === "viseme" && m.value === "PP"));
  assert.equal((await server.call("DELETE", `/v1/speech/${id}`)).status, 204);
  assert.equal((await server.get(`/v1/speech/${id}`)).status, 404);
  const short = (await server.post("/v1/speech", { text: "Short.", ttl_s: 1 })).json;
  assert.equal((await server.get(`/v1/speech/${short.id}`)).status, 200);
  await until(async () => (await server.get(`/v1/speech/${short.id}`)).status === 404, { ms: 4000, what: "the expiry" });
  assert.equal((await server.get(`/v1/speech/${short.id}/audio`)).status, 404);
});

test("another language is spoken by the worker's voice, and a killed worker is replaced", async () => {
  const german = await server.say("Guten Abend, meine Damen und Herren.", { language: "de" });
  assert.equal((await server.finished(german.id)).state, "done");
});

test("monitors: snapshot, stats, metrics by step, captions", async () => {
  const png = await server.get("/v1/channels/main/snapshot.png");
  assert.equal(png.bytes.subarray(1, 4).toString(), "PNG");
  assert.ok(png.bytes.length > 50_000);
  const stats = (await server.get("/v1/channels/main/stats")).json;
  assert.deepEqual(stats.steps.map((s) => s.step), ["posed", "drawn", "encoded", "sent"]);
  const metrics = (await server.get("/metrics")).text;
  for (const step of ["asked", "spoken", "posed", "drawn", "encoded", "sent"])
    assert.match(metrics, new RegExp(`compere_step_seconds_count\\{channel="main",step="${step}"\\} [1-9]`));
  for (const name of ["compere_queue_depth", "compere_viewers", "compere_fps", "compere_av_offset_seconds", "process_resident_memory_bytes"])
    assert.ok(metrics.includes(name), name);
  const captions = await listen(server, "/v1/channels/main/captions", { key: null });
  assert.equal(captions.status, 200);
  await server.say("A caption, please.");
  await until(() => captions.events.some((e) => e.data.text?.startsWith("A caption")), { what: "the caption" });
  assert.ok(captions.events.every((e) => e.type === "caption"));
  await captions.close();
});

test("a second channel comes and goes without touching the first", async () => {
  const made = await server.post("/v1/channels", { id: "second", title: "Second", camera: "close" });
  assert.equal(made.status, 201, made.text);
  await until(async () => (await server.get("/v1/channels/second/stats")).json?.frames > 5, { what: "the second channel" });
  const cue = (await server.post("/v1/channels/second/cues", { text: "Here too." })).json;
  assert.equal((await server.finished(cue.id, "second")).state, "done");
  assert.equal((await server.post("/v1/channels", { id: "second" })).status, 409);
  assert.equal((await server.call("DELETE", "/v1/channels/second")).status, 204);
  assert.equal((await server.get("/v1/channels/second")).status, 404);
  await server.onAir();
});

test("the camera of a channel can be changed on air", async () => {
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { camera: "wide" } })).json.camera, "wide");
  assertProblem(await server.call("PATCH", "/v1/channels/main", { json: { camera: "roof" } }), 400, /camera/);
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { camera: "medium" } })).status, 200);
});

test("pages are served with a strict content policy", async () => {
  for (const path of ["/", "/watch/main", "/studio/"]) {
    const page = await server.get(path, { key: null });
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type"), /text\/html/);
    const policy = page.headers.get("content-security-policy");
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*unsafe-inline/);
  }
  for (const path of ["/../../etc/passwd", "/assets/..%2f..%2fpackage.json", "/%2e%2e/%2e%2e/etc/passwd"])
    assert.notEqual((await server.get(path, { key: null })).status, 200);
});
