// Voice files: kept, listed, signed, fetched in parts and formats, expired, cleaned up.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BIN, Server, sleep, until } from "./harness.mjs";

let server;
before(async () => {
  server = await Server.start({ flags: ["--store-sweep-s", "1"] });
});
after(() => server?.stop());

const files = (id) => {
  const folder = join(server.data, "objects/speech");
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(id)) : [];
};
const bytes = async (path, options = {}) => {
  const answer = await fetch(server.url + path, options);
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
};
const withKey = (headers = {}) => ({ headers: { Authorization: `Bearer ${server.key}`, ...headers } });
const make = async (body) => {
  const made = await server.post("/v1/speech", body);
  assert.equal(made.status, 201, JSON.stringify(made.json));
  return made.json;
};
const probe = (body) => {
  const out = execFileSync("ffprobe", ["-v", "error", "-show_entries", "format=format_name,duration:stream=codec_name,sample_rate", "-of", "json", "-"], { input: body });
  return JSON.parse(out);
};

test("a record says what was spoken, by whom, and what it costs", async () => {
  const text = "Good evening. Grüße!";
  const speech = await make({ text, voice: "flite:slt" });
  assert.equal(speech.text_sha256, createHash("sha256").update(text).digest("hex"));
  assert.equal(speech.engine, "flite");
  assert.equal(speech.voice, "flite:slt");
  assert.equal(speech.format, "ogg");
  assert.ok(speech.characters >= 18 && speech.characters <= text.length, `${speech.characters} characters`);
  assert.equal(speech.billed_characters, 0); // an engine of this machine
  assert.ok(speech.duration_ms > 800 && speech.bytes > 1000);
  assert.equal(speech.cached, false);
  assert.deepEqual(files(speech.id).sort(), [`${speech.id}.jsonl`, `${speech.id}.ogg`]);
});

test("WAV, Ogg, MP3 and PCM are of the same length, by Accept and by name", async () => {
  const { id, duration_ms } = await make({ text: "One two three four five six seven." });
  for (const [accept, format, codec] of [["audio/wav", "wav", "pcm_s16le"], ["audio/ogg", "ogg", "opus"], ["audio/mpeg", "mp3", "mp3"]]) {
    const byAccept = await bytes(`/v1/speech/${id}/audio`, withKey({ Accept: accept }));
    const byName = await bytes(`/v1/speech/${id}/audio?format=${format}`, withKey());
    assert.equal(byAccept.status, 200);
    assert.equal(byAccept.headers.get("content-type"), accept);
    assert.ok(byAccept.body.equals(byName.body));
    const found = probe(byName.body);
    assert.equal(found.streams[0].codec_name, codec);
    if (found.format.duration) assert.ok(Math.abs(found.format.duration * 1000 - duration_ms) < 80, `${format} ${found.format.duration}`);
  }
  const pcm = await bytes(`/v1/speech/${id}/audio?format=pcm`, withKey());
  assert.ok(Math.abs(pcm.body.length / 48 - duration_ms) < 5); // 24 kHz, 2 bytes
  assert.equal((await bytes(`/v1/speech/${id}/audio?format=flac`, withKey())).status, 400);
});

test("parts of the sound are given as asked for", async () => {
  const { id } = await make({ text: "A range of a sound." });
  for (const format of ["ogg", "wav"]) {
    const path = `/v1/speech/${id}/audio?format=${format}`;
    const whole = (await bytes(path, withKey())).body;
    for (const [range, start, end] of [["bytes=0-9", 0, 10], ["bytes=10-", 10, whole.length], ["bytes=-7", whole.length - 7, whole.length], [`bytes=5-${10 * whole.length}`, 5, whole.length]]) {
      const part = await bytes(path, withKey({ Range: range }));
      assert.equal(part.status, 206, range);
      assert.equal(part.headers.get("content-range"), `bytes ${start}-${end - 1}/${whole.length}`);
      assert.ok(part.body.equals(whole.subarray(start, end)), range);
    }
    const behind = await bytes(path, withKey({ Range: `bytes=${whole.length}-` }));
    assert.equal(behind.status, 416);
    assert.equal(behind.headers.get("content-range"), `bytes */${whole.length}`);
    for (const odd of ["bytes=9-2", "lines=1-2", "bytes=0-1,4-5", "bytes=", "bytes=x-"]) assert.equal((await bytes(path, withKey({ Range: odd }))).status, 200, odd);
  }
});

test("nothing is public unless a signed address says so", async () => {
  const { id } = await make({ text: "For those who have the address." });
  assert.equal((await bytes(`/v1/speech/${id}/audio`)).status, 401);
  const signed = (await server.post(`/v1/speech/${id}/url`, { expires_s: 60, format: "ogg" })).json;
  assert.ok(Date.parse(signed.expires_at) > Date.now() + 50_000);
  const open = await bytes(signed.url);
  assert.equal(open.status, 200);
  assert.equal(open.headers.get("content-type"), "audio/ogg");
  assert.equal((await bytes(signed.url, { headers: { Range: "bytes=0-3" } })).body.toString(), "OggS");
  const other = await make({ text: "Another." });
  const last = signed.url.at(-1) === "0" ? "1" : "0";
  for (const forged of [signed.url.slice(0, -1) + last, signed.url.replace("format=ogg", "format=wav"), signed.url.replace(/expires=\d+/, "expires=99999999999"), signed.url.replace(id, other.id), signed.url.slice(0, -3), signed.url.replace(/&expires=\d+/, "")])
    assert.equal((await bytes(forged)).status, 403, forged);
  assert.equal((await bytes(signed.url, { method: "DELETE" })).status, 405);
  assert.equal((await bytes(signed.url.replace("/audio", "/marks"))).status, 401);
  const brief = (await server.post(`/v1/speech/${id}/url`, { expires_s: 1 })).json;
  assert.equal((await bytes(brief.url)).status, 200);
  await sleep(2100);
  assert.equal((await bytes(brief.url)).status, 403);
  assert.equal((await server.post(`/v1/speech/${id}/url`, { direct: true })).status, 400); // files have no address of their own
  assert.equal((await server.post(`/v1/speech/${id}/url`, { expires_s: 10_000_000 })).status, 400);
  assert.equal((await server.post(`/v1/speech/sp_none/url`, {})).status, 404);
});

test("lists are newest first, in pages, and filtered", async () => {
  const made = [];
  for (let i = 0; i < 5; i++) made.push((await make({ text: `Number ${i}.`, voice: i % 2 ? "flite:rms" : "flite:slt" })).id);
  const seen = [];
  let cursor = "";
  do {
    const page = (await server.get(`/v1/speech?limit=2${cursor && `&cursor=${cursor}`}`)).json;
    assert.ok(page.speech.length <= 2);
    seen.push(...page.speech.map((speech) => speech.id));
    cursor = page.cursor;
  } while (cursor);
  assert.deepEqual(seen.filter((id) => made.includes(id)), made.toReversed?.() ?? [...made].reverse());
  const men = (await server.get("/v1/speech?voice=flite:rms&limit=200")).json.speech;
  assert.deepEqual(men.map((speech) => speech.id).filter((id) => made.includes(id)), [made[3], made[1]]);
  const hash = createHash("sha256").update("Number 4.").digest("hex");
  assert.deepEqual((await server.get(`/v1/speech?text_sha256=${hash}`)).json.speech.map((speech) => speech.id), [made[4]]);
  const cue = (await server.post("/v1/channels/main/cues", { text: "On air." })).json;
  await server.post(`/v1/channels/main/cues/${cue.id}/play`, {});
  const cues = await until(async () => {
    const list = (await server.get("/v1/speech?channel=main")).json.speech;
    return list.length && list;
  }, { ms: 30_000, what: "a cue's voice file" });
  assert.ok(cues.every((speech) => speech.channel === "main"));
  assert.ok(cues.some((speech) => speech.cue === cue.id));
});

test("the same words by the same voice are not spoken twice", async () => {
  const body = { text: "This line is spoken once, however often it is asked for.", voice: "flite:slt" };
  const first = await make(body);
  const second = await make(body);
  assert.notEqual(first.id, second.id);
  assert.equal(second.cached, true);
  const [a, b] = [await bytes(first.audio, withKey()), await bytes(second.audio, withKey())];
  assert.ok(a.body.equals(b.body));
  assert.equal((await server.call("DELETE", `/v1/speech/${first.id}`)).status, 204);
  assert.equal((await bytes(second.audio, withKey())).status, 200); // each has its own
  const faster = await make({ ...body, rate: 1.2 });
  assert.equal(faster.cached, false);
  const metrics = (await server.get("/metrics")).text;
  assert.match(metrics, /compere_speech_objects_total\{result="reused"\} [1-9]/);
  assert.match(metrics, /compere_speech_cache_misses [1-9]/);
  assert.match(metrics, /compere_speech_characters_total\{engine="flite"\} [1-9]/);
  assert.match(metrics, /compere_speech_billed_characters_total\{engine="flite"\} 0/);
});

test("after its time nothing is left: no record, no object, no file, no memory", async () => {
  const text = "I shall be gone in two seconds.";
  const { id } = await make({ text, ttl_s: 2 });
  assert.equal(files(id).length, 2);
  assert.equal((await server.get(`/v1/speech/${id}`)).status, 200);
  await until(async () => (await server.get(`/v1/speech/${id}`)).status === 404, { ms: 5000, what: "the expiry" });
  for (const path of ["audio", "marks"]) assert.equal((await server.get(`/v1/speech/${id}/${path}`)).status, 404);
  await until(() => files(id).length === 0, { ms: 6000, what: "the files' removal" });
  const hash = createHash("sha256").update(text).digest("hex");
  assert.deepEqual((await server.get(`/v1/speech?text_sha256=${hash}`)).json.speech, []);
  const again = await make({ text, ttl_s: 60 });
  assert.equal(again.cached, false, "it was still remembered");
});

test("a delete takes record, objects and memory", async () => {
  const text = "Forget that I ever said this.";
  const first = await make({ text });
  assert.equal((await make({ text })).cached, true);
  assert.equal((await server.call("DELETE", `/v1/speech/${first.id}`)).status, 204);
  assert.equal(files(first.id).length, 0);
  assert.equal((await server.get(first.audio)).status, 404);
  assert.equal((await make({ text })).cached, false);
  assert.equal((await server.call("DELETE", `/v1/speech/${first.id}`)).status, 404);
});

test("halves of voice files are found and removed", async () => {
  const { id } = await make({ text: "Half of me will be lost." });
  const whole = await make({ text: "I stay whole." });
  rmSync(join(server.data, "objects/speech", `${id}.ogg`));
  const store = (...args) => execFileSync(BIN, ["store", ...args, "--data", server.data], { encoding: "utf8" });
  assert.match(store("orphans"), /0 objects without a record, 0 records without their object/); // within the grace time
  await sleep(1100);
  const found = store("orphans", "--grace", "1");
  assert.match(found, new RegExp(`record without its object: ${id}`));
  assert.match(found, /--remove removes them/);
  const removed = store("orphans", "--grace", "1", "--remove"); // the record goes, so its marks have none any more
  assert.match(removed, new RegExp(`object without a record: speech/${id}.jsonl`));
  assert.match(removed, /1 records without their object; 2 removed/);
  assert.equal(files(id).length, 0);
  assert.match(store("orphans", "--grace", "1"), /0 objects without a record, 0 records/);
  assert.equal((await server.get(whole.audio)).status, 200);
  assert.match(store("check"), /Objects are kept as they should be/);
});
