// Who stands where, and what is behind them: changed by cues and by the channel while the show goes on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, sleep, until } from "./harness.mjs";
import { png } from "./png.mjs";

const CUES = "/v1/channels/main/cues";
const LINE = "This line lasts for some seconds, so that there is time to look at it.";
let server;

before(async () => {
  server = await Server.start();
  await server.silence();
});
after(() => server?.stop());

/** How many bytes the picture takes as PNG: much the same for a stage, whatever its presenter does just now. */
const snapshot = async () => (await server.get("/v1/channels/main/snapshot.png")).bytes.length;

async function perform(fields) {
  const cue = await server.say(LINE, fields);
  await until(async () => (await server.get(`${CUES}/${cue.id}`)).json.timings_ms.sent, { what: "the first frame" });
  await sleep(500);
  const during = await snapshot();
  await server.call("DELETE", `${CUES}/${cue.id}`);
  await server.finished(cue.id);
  return during;
}

const stages = async () => {
  const { text } = await server.get("/metrics");
  return Number(/^compere_stages_made_total\{[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0);
};

test("a cue on another set, by another presenter, is performed there, and the next line on the channel's own stage", async () => {
  const made = await stages(), own = await perform({});
  const plain = await perform({ set: "plain", presenter: "leo", light: "cool" });
  assert.equal(await stages(), made + 1);
  assert.ok(plain < own * 0.8, `a plain wall makes a smaller file: ${plain} of ${own}`);
  const again = await perform({});
  assert.ok(Math.abs(again - own) < own * 0.1, `${again} as ${own}`);
  await perform({ set: "plain", presenter: "leo", light: "cool" });
  assert.equal(await stages(), made + 1, "a stage that is still there is not made again");
});

test("names that do not exist are refused, each by its field", async () => {
  for (const [fields, status, words] of [
    [{ set: "nowhere" }, 400, /^set: /],
    [{ light: "murky" }, 400, /^light: /],
    [{ background: "med_none" }, 400, /^background: /],
    [{ background: "#123456" }, 400, /plain and key/],
    [{ set: "plain", background: "#12345" }, 400, /six hex digits/],
    [{ set: "plain", screen: "med_none" }, 400, /^screen: /],
    [{ presenter: "nobody" }, 404, /presenter "nobody"/],
    [{ camera: "under-the-desk" }, 400, /^camera: /],
    [{ action: "backflip" }, 400, /^action: /],
  ]) {
    const answer = await server.post(CUES, { text: "No.", ...fields });
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.json.detail, words);
  }
});

test("an uploaded picture stands behind the presenter; while a channel uses it, it cannot be deleted", async () => {
  const up = await server.call("POST", "/v1/media?name=green", { body: png(320, 180, [20, 160, 60]), type: "image/png" });
  assert.equal(up.status, 201, up.text);
  assert.deepEqual([up.json.kind, up.json.width, up.json.height], ["picture", 320, 180]);
  const own = await perform({}), green = await perform({ background: up.json.id });
  assert.ok(green < own * 0.8, `one colour makes a smaller file: ${green} of ${own}`);
  const patched = await server.call("PATCH", "/v1/channels/main", { json: { background: up.json.id } });
  assert.equal(patched.status, 200, patched.text);
  assert.equal((await server.call("DELETE", `/v1/media/${up.json.id}`)).status, 409);
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { background: "" } })).status, 200);
  assert.equal((await server.call("DELETE", `/v1/media/${up.json.id}`)).status, 204);
  assert.equal((await server.post(CUES, { text: "Gone.", background: up.json.id })).status, 400);
});

test("damaged uploads are refused within a second, with a reason, and the show stays on air", async () => {
  for (const [path, body, type] of [
    ["/v1/media?name=cut", png(640, 360, [9, 9, 9]).subarray(0, 300), "image/png"],
    ["/v1/media?name=text", Buffer.from("this is no picture"), "image/png"],
    ["/v1/avatars?name=junk", Buffer.alloc(5000, 7), "model/gltf-binary"],
  ]) {
    const began = Date.now(), answer = await server.call("POST", path, { body, type });
    assert.equal(answer.status, 422, answer.text);
    assert.ok(answer.json.detail.length > 10);
    assert.ok(Date.now() - began < 1000, `${Date.now() - began} ms`);
  }
  await server.onAir();
});

test("two on one stage: either speaks", async () => {
  const patched = await server.call("PATCH", "/v1/channels/main", { json: { presenters: ["ava", "leo"], camera: "two" } });
  assert.equal(patched.status, 200, patched.text);
  const made = await stages();
  for (const presenter of ["leo", "ava"]) {
    const cue = await server.say("One line.", { presenter });
    assert.equal((await server.finished(cue.id)).state, "done");
  }
  assert.equal(await stages(), made, "nobody has to be fetched");
  await server.onAir();
});
