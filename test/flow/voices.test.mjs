// Voices that fail while the show goes on: who speaks instead, and where it is said.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Server, figure, listen, until } from "./harness.mjs";

let service, server, mode = "good";
const asked = [];

/** A stand-in of OpenAI's shape (POST /v1/audio/speech, response_format pcm): one second of a buzz. */
function answer(request, response) {
  let body = "";
  request.on("data", (bytes) => (body += bytes));
  request.on("end", () => {
    asked.push({ path: request.url, key: request.headers.authorization, ...JSON.parse(body) });
    if (mode === "silent") return; // never answers
    if (mode === "broken") return response.writeHead(500).end("no");
    const pcm = Buffer.alloc(48000);
    for (let i = 0; i < 24000; i++) pcm.writeInt16LE(Math.round(6000 * Math.sin(i / 20) * Math.sin((Math.PI * i) / 24000)), 2 * i);
    response.writeHead(200, { "Content-Type": "audio/pcm" });
    response.write(pcm.subarray(0, 9999));
    if (mode === "cut") setTimeout(() => response.destroy(), 20);
    else response.end(pcm.subarray(9999));
  });
}

before(async () => {
  service = createServer(answer);
  await new Promise((done) => service.listen(0, "127.0.0.1", done));
  server = await Server.start({
    flags: ["--speech-openai-url", `http://127.0.0.1:${service.address().port}/api/v1`, "--speech-openai-key", "env:TEST_KEY",
      "--speech-openai-voices", "nova/en-US/female"],
    env: { TEST_KEY: "sk-very-secret" },
  });
  await server.silence();
});
after(async () => {
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log);
  assert.ok(!server.log.includes("sk-very-secret"), "no secret in the log");
  service.closeAllConnections();
  service.close();
});

const say = async (text) => server.finished((await server.say(text, { voice: "openai:nova" })).id);

test("a remote voice is listed and speaks, with its key and by its path", async () => {
  const { voices, engines } = (await server.get("/v1/voices")).json;
  assert.ok(voices.find((voice) => voice.id === "openai:nova").usable);
  assert.equal(engines.find((engine) => engine.name === "openai").breaker, "closed");
  const cue = await say("Good evening.");
  assert.equal(cue.state, "done");
  assert.deepEqual(cue.spoken_by, ["openai:nova"]);
  assert.deepEqual([asked[0].path, asked[0].key, asked[0].voice], ["/api/v1/audio/speech", "Bearer sk-very-secret", "nova"]);
});

test("when it breaks, is cut off or hangs, another voice says the line, and everyone is told", async () => {
  const events = await listen(server, "/v1/events");
  for (mode of ["cut", "broken", "silent"]) {
    const cue = await say("Good evening. Here we are again.");
    assert.equal(cue.state, "done", mode);
    assert.deepEqual(cue.spoken_by, ["flite:slt"], mode);
    figure(`asked to spoken, remote voice ${mode}`, cue.timings_ms.spoken, "ms", "<= 1500");
    assert.ok(cue.timings_ms.spoken <= 1500, `${mode}: ${cue.timings_ms.spoken} ms`);
  }
  await until(() => events.events.filter((event) => event.type === "voice.failover").length >= 3, { what: "the events" });
  const told = events.events.find((event) => event.type === "voice.failover").data;
  assert.deepEqual([told.from, told.to], ["openai:nova", "flite:slt"]);
  assert.ok(told.why.includes("openai"));
  await events.close();
  const { voices } = (await server.get("/v1/channels/main/stats")).json;
  assert.deepEqual([voices[0].down, voices[0].speaking], ["openai:nova", "flite:slt"]);
  const metrics = (await server.get("/metrics")).text;
  assert.match(metrics, /compere_voice_failovers_total\{from="openai:nova",to="flite:slt"\} 3/);
  assert.match(metrics, /compere_voice_engine_open\{engine="openai"\} 1/);
});

test("when the service is well again, its voice comes back by itself", async () => {
  mode = "good";
  await until(async () => (await say("And back.")).spoken_by[0] === "openai:nova", { ms: 20_000, what: "the voice's return" });
  assert.equal((await server.get("/v1/voices")).json.engines.find((engine) => engine.name === "openai").breaker, "closed");
});
