// What was acknowledged is kept: kill -9, restart, and the rundown's place.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { Server, makeDirectory, sleep, until } from "./harness.mjs";

test("a cue answered with 202 survives kill -9 the next instant and is performed once", async () => {
  const data = makeDirectory();
  let server = await Server.start({ data });
  await server.silence();
  const cue = await server.say("I was promised, so I am said.");
  await server.kill("SIGKILL");
  server = await Server.start({ data });
  assert.equal((await server.finished(cue.id)).state, "done");
  await until(async () => (await server.get("/metrics")).text.match(/compere_speech_objects_total\{result="kept"\} 1/), { what: "the voice file" });
  await server.stop();
  server = await Server.start({ data });
  await sleep(1500);
  assert.ok(!(await server.get("/v1/channels/main/stats")).json.speaking);
  assert.equal((await server.get("/v1/channels/main/cues")).json.cues.length, 1);
  await server.stop();
  rmSync(data, { recursive: true });
});

test("ten cues waiting when the program is killed are all performed after it, in order", async () => {
  const data = makeDirectory();
  let server = await Server.start({ data });
  await server.silence();
  const ids = [];
  for (let i = 0; i < 10; i++) ids.push((await server.say(`Line ${i}.`)).id);
  await server.kill("SIGKILL");
  server = await Server.start({ data });
  for (const id of ids) assert.equal((await server.finished(id)).state, "done");
  const cues = (await server.get("/v1/channels/main/cues")).json.cues.map((c) => c.id);
  assert.deepEqual(cues.reverse(), ids);
  await server.stop();
  rmSync(data, { recursive: true });
});

test("the demo's rundown resumes where a typed line cut in, and keeps its place over a restart", async () => {
  const data = makeDirectory();
  let server = await Server.start({ data });
  const channel = async () => (await server.get("/v1/channels/main")).json;
  const rundown = { loop: true, cues: [{ text: "One. Two. Three. Four." }, { text: "Five. Six. Seven. Eight." }] };
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { rundown } })).status, 200);
  await until(async () => (await channel()).state.rundown_item === 1 && (await server.get("/v1/channels/main/stats")).json.speaking, {
    ms: 20_000,
    what: "the second line",
  });
  const cue = await server.say("A word from me.");
  assert.equal((await server.finished(cue.id)).state, "done");
  assert.equal((await channel()).state.rundown_item, 1);
  await server.kill("SIGKILL");
  server = await Server.start({ data });
  assert.equal((await channel()).state.rundown_item, 1);
  await server.stop();
  rmSync(data, { recursive: true });
});
