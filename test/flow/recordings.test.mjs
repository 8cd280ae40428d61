// Recordings of people: uploaded, aligned to their text or to nothing, said on air, and gone with their time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, figure, until } from "./harness.mjs";

const TEXT = "Good evening, and welcome to the show. Our first guest paints with coffee.";
let server;
before(async () => {
  server = await Server.start();
  await server.silence();
});
after(async () => assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log));

const upload = (bytes, query = {}, type = "audio/mpeg") =>
  server.call("POST", `/v1/speech/recordings?${new URLSearchParams(query)}`, { body: bytes, type });
const marks = async (id, type) =>
  (await server.get(`/v1/speech/${id}/marks`)).text.trim().split("\n").map((line) => JSON.parse(line)).filter((mark) => mark.type === type);

/** What a voice made, as if somebody had recorded it: another format, and no marks. */
async function spoken(format) {
  const { json } = await server.post("/v1/speech", { text: TEXT, voice: "flite:awb" });
  const { bytes } = await server.get(`/v1/speech/${json.id}/audio?format=${format}`);
  return { bytes, words: await marks(json.id, "word"), duration_ms: json.duration_ms };
}

test("a recording with its text gets that text's words, where they are said, from every format", async () => {
  for (const format of ["wav", "mp3", "ogg"]) {
    const truth = await spoken(format);
    const answer = await upload(truth.bytes, { text: TEXT, title: "A guest", ttl_s: "600" });
    assert.equal(answer.status, 201, answer.text);
    const { json } = answer;
    assert.deepEqual([json.voice, json.text, json.title, json.sentences, json.billed_characters], ["recording", TEXT, "A guest", 2, 0]);
    assert.ok(Math.abs(json.duration_ms - truth.duration_ms) < 80, `${json.duration_ms} ms of ${truth.duration_ms}`);
    assert.ok(Date.parse(json.expires_at) - Date.now() < 601_000);
    const heard = await marks(json.id, "word");
    const apart = [];
    for (const word of truth.words) {
      const same = heard.find((mark) => mark.start === word.start);
      if (same) apart.push(Math.abs(same.time_ms - word.time_ms));
    }
    assert.ok(apart.length >= truth.words.length - 3, `${apart.length} of ${truth.words.length} words`);
    apart.sort((a, b) => a - b);
    figure(`words of a recording apart from the truth, ${format}`, apart[apart.length >> 1], "ms", "<= 60");
    assert.ok(apart[apart.length >> 1] <= 60);
    assert.ok((await marks(json.id, "viseme")).length > 30);
  }
});

test("it is said on air, sentence by sentence, with captions, and is not kept twice", async () => {
  const { bytes } = await spoken("mp3");
  const { id } = (await upload(bytes, { text: TEXT })).json;
  const cue = (await server.post("/v1/channels/main/cues", { speech: id, camera: "close" })).json;
  assert.equal(cue.text, TEXT, "the list shows what it says");
  await until(async () => (await server.get(`/v1/channels/main/cues/${cue.id}`)).json.state === "speaking", { what: "speaking" });
  const done = await server.finished(cue.id);
  assert.deepEqual([done.state, done.sentences_done, done.spoken_by], ["done", 2, ["recording"]]);
  figure("recording, asked to first frame sent", done.timings_ms.sent, "ms", "<= 200");
  assert.ok(done.timings_ms.sent <= 200);
  assert.deepEqual((await server.get(`/v1/speech?cue=${cue.id}`)).json.speech, []);
});

test("a rundown says it too, and a voice's file is said again without a voice", async () => {
  const made = (await server.post("/v1/speech", { text: "One. Two. Three.", voice: "flite:slt" })).json;
  const rundown = { loop: false, cues: [{ speech: made.id }] };
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { rundown } })).status, 200);
  const { json } = await server.get("/v1/channels/main");
  assert.equal(json.rundown.cues[0].text, "One. Two. Three.");
  await until(async () => (await server.get("/v1/channels/main/stats")).json.speaking, { what: "the rundown" });
  await until(async () => (await server.get("/v1/channels/main")).json.state.rundown_item === 1, { what: "its end", ms: 20_000 });
});

test("without a text the lips follow the sound, and the title stands for the text", async () => {
  const { bytes } = await spoken("wav");
  const { json } = await upload(bytes, { title: "A whistle" });
  assert.deepEqual([json.text, json.sentences], ["A whistle", 1]);
  assert.equal((await marks(json.id, "word")).length, 0);
  assert.ok((await marks(json.id, "viseme")).filter((mark) => mark.value !== "sil").length > 20);
});

test("what is no recording is refused with a reason, and a cue cannot name what is not there", async () => {
  const noise = await upload(Buffer.from("this is no sound at all, but words"));
  assert.equal(noise.status, 400);
  assert.match(noise.json.detail, /WAV, MP3, Ogg or M4A/);
  const cut = (await spoken("mp3")).bytes.subarray(0, 300);
  assert.equal((await upload(cut)).status, 400);
  const missing = await server.post("/v1/channels/main/cues", { speech: "sp_1a2b" });
  assert.equal(missing.status, 400);
  assert.match(missing.json.detail, /GET \/v1\/speech/);
  const both = await server.post("/v1/channels/main/cues", { speech: "sp_1a2b", ssml: "<speak>x</speak>" });
  assert.equal(both.status, 400);
});

test("a cue whose voice file goes before it is said fails, and the next one is said", async () => {
  const { id } = (await server.post("/v1/speech", { text: "I shall be gone.", voice: "flite:slt" })).json;
  const first = await server.say("A line that takes a while to be said, so that there is time enough to remove the next.");
  const gone = (await server.post("/v1/channels/main/cues", { speech: id })).json;
  assert.equal((await server.call("DELETE", `/v1/speech/${id}`)).status, 204);
  const last = await server.say("And on it goes.");
  assert.equal((await server.finished(first.id)).state, "done");
  const failed = await server.finished(gone.id);
  assert.ok(failed.state === "failed" || failed.state === "done", failed.state); // a line is read ahead of the one before its end
  if (failed.state === "failed") assert.match(failed.error.text, /there is no speech|no object/i);
  assert.equal((await server.finished(last.id)).state, "done");
});
