// POST /v1/audio/speech with OpenAI's own client.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { Server } from "./harness.mjs";

let server, client;
before(async () => {
  server = await Server.start();
  client = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1`, maxRetries: 0 });
});
after(() => server?.stop());

const speak = async (options) => {
  const answer = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "Good evening. This is the news.", ...options });
  return { type: answer.headers.get("content-type"), body: Buffer.from(await answer.arrayBuffer()) };
};
const seconds = (body, ...input) => {
  const out = execFileSync("ffmpeg", ["-v", "error", ...input, "-i", "-", "-f", "s16le", "-ac", "1", "-ar", "8000", "-"], { input: body, maxBuffer: 1 << 26 });
  return out.length / 16000;
};

test("each format is what it says, and as long as the others", async () => {
  const wanted = [["mp3", "audio/mpeg", []], ["wav", "audio/wav", []], ["opus", "audio/ogg", []], ["pcm", "audio/pcm", ["-f", "s16le", "-ar", "24000", "-ac", "1"]]];
  const lengths = [];
  for (const [response_format, type, input] of wanted) {
    const found = await speak({ response_format });
    assert.equal(found.type, type);
    lengths.push(seconds(found.body, ...input));
  }
  assert.ok(lengths[1] > 1.5, `${lengths}`);
  for (const length of lengths) assert.ok(Math.abs(length - lengths[1]) < 0.1, `${lengths}`);
  assert.equal((await speak({})).type, "audio/mpeg"); // theirs, when nothing is said
});

test("speed and voices are obeyed", async () => {
  const input = "A line that is neither short nor long.";
  const normal = seconds((await speak({ input, response_format: "wav" })).body);
  const fast = seconds((await speak({ input, response_format: "wav", speed: 1.6 })).body);
  assert.ok(fast < 0.8 * normal, `${fast} of ${normal} s`);
  const hers = (await speak({ input, response_format: "wav" })).body;
  const his = (await speak({ input, response_format: "wav", voice: "onyx" })).body;
  const named = (await speak({ input, response_format: "wav", voice: "flite:slt" })).body;
  assert.ok(!his.equals(hers));
  assert.ok(named.equals(hers));
});

test("the first sentence leaves before the last is spoken", async () => {
  const input = "First comes a short sentence. " + "Then there are many more of them, each as long as this one. ".repeat(60);
  const answer = await client.audio.speech.create({ model: "tts-1", voice: "flite:slt", input, response_format: "wav" });
  const started = Date.now();
  let first = 0, bytes = 0;
  for await (const chunk of answer.body) {
    first ||= Date.now() - started;
    bytes += chunk.length;
  }
  const all = Date.now() - started;
  assert.ok(bytes > 60 * 2 * 96_000);
  assert.ok(first < all / 3, `the first bytes after ${first} ms of ${all} ms`);
});

test("what is wrong is said", async () => {
  const refused = (options, status, text) => assert.rejects(speak(options), (error) => error.status === status && text.test(JSON.stringify(error.error ?? error.message)));
  await refused({ response_format: "flac" }, 400, /wav, opus, pcm/);
  await refused({ voice: "flite:nobody" }, 404, /nobody/);
  await refused({ input: "" }, 400, /input/);
  await refused({ speed: 9 }, 400, /speed/);
  const stranger = new OpenAI({ apiKey: "cpk_wrong", baseURL: `${server.url}/v1`, maxRetries: 0 });
  await assert.rejects(stranger.audio.speech.create({ model: "tts-1", voice: "alloy", input: "x" }), (error) => error.status === 401);
});

test("a client that leaves in the middle does no harm", async () => {
  const input = "This goes on and on, and nobody listens. ".repeat(200);
  for (let i = 0; i < 5; i++) {
    const abort = new AbortController();
    const answer = await client.audio.speech.create({ model: "tts-1", voice: "flite:slt", input, response_format: "opus" }, { signal: abort.signal });
    await answer.body[Symbol.asyncIterator]().next();
    abort.abort();
  }
  assert.equal((await speak({ input: "Still here.", response_format: "wav" })).type, "audio/wav");
});
