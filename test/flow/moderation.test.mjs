// What the audience asks is judged before it comes to the desk: what is flagged, and what happens when the endpoint fails.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { BIN, Server, makeDirectory, sleep, until } from "./harness.mjs";

const CHANNEL = "/v1/channels/main";
const KEY = "sk-moderation-secret";
const SPAIN = "How long does delivery to Spain take?";
const TIMEOUT_MS = 400;
const asked = [];
let service, base, server, mode = "fine";

/** A stand-in of POST /v1/moderations, with faults. */
function judge(request, response) {
  let body = "";
  request.on("data", (bytes) => (body += bytes));
  request.on("end", async () => {
    if (request.url === "/v1/chat/completions") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      return response.end(`data: ${JSON.stringify({ choices: [{ delta: { content: "Four days [1]. No more." }, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`);
    }
    asked.push({ path: request.url, key: request.headers.authorization, ...JSON.parse(body) });
    const reply = (value, status = 200) => response.writeHead(status, { "Content-Type": "application/json" }).end(typeof value === "string" ? value : JSON.stringify(value));
    const flagged = /nasty/.test(asked.at(-1).input);
    if (mode === "hang") return;
    if (mode === "slow") await sleep(250);
    if (mode === "broken") return reply({ error: { message: `no: ${request.headers.authorization}` } }, 500);
    if (mode === "echo") return reply({ error: { message: `bad request with ${request.headers.authorization}` } }, 400);
    if (mode === "denied") return reply({ error: { message: `Incorrect API key provided: ${request.headers.authorization}` } }, 401);
    if (mode === "cut") return response.writeHead(200, { "Content-Length": "1000" }).write("{", () => response.destroy());
    if (mode === "garbage") return reply("<html>hello</html>");
    if (mode === "empty") return reply({ results: [] });
    if (mode === "other") return reply({ results: [{ flagged: "no" }] });
    reply({ id: "modr-1", model: "m", results: [{ flagged, categories: { harassment: flagged }, category_scores: { harassment: flagged ? 0.9 : 0.01 } }] });
  });
}

const start = async (flags = [], data = undefined) => {
  const made = await Server.start({
    data,
    flags: ["--gateway-rate-per-s", "10000", "--log-level", "debug", "--moderation-url", base, "--moderation-model", "judge-1", "--moderation-key", "env:TEST_MODERATION_KEY", "--moderation-timeout-ms", String(TIMEOUT_MS), ...flags],
    env: { TEST_MODERATION_KEY: KEY },
  });
  await made.silence();
  const document = await made.call("POST", "/v1/documents?title=Shop", { body: "# Delivery\nWe deliver parcels to Spain within four working days.", type: "text/markdown" });
  assert.equal(document.status, 201, document.text);
  const open = await made.call("PATCH", CHANNEL, { json: { questions: { open: true, per_minute: 600 } } });
  assert.equal(open.status, 200, open.text);
  return made;
};
const stop = async (one) => {
  assert.deepEqual(await one.stop(), { code: 0, signal: null }, one.log);
  assert.ok(!one.log.includes(KEY), "no key in the log");
};

before(async () => {
  service = createServer(judge);
  await new Promise((done) => service.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${service.address().port}/v1/`;
  server = await start();
});
after(async () => {
  await stop(server);
  service.closeAllConnections();
  service.close();
});

async function ask(text, name = "", on = server) {
  const answer = await fetch(`${on.url}${CHANNEL}/ask`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text, name }) });
  return { status: answer.status, retry: answer.headers.get("Retry-After"), json: await answer.json() };
}
const all = async (on = server) => (await on.get(`${CHANNEL}/questions?limit=200`)).json.questions;
const find = async (text, on = server) => (await all(on)).find((one) => one.text === text);
const onDesk = (text, on = server) => until(() => find(text, on), { what: `"${text}" on the desk` });
const metric = async (name, on = server) => Number(new RegExp(`^${name.replace(/[{}]/g, "\\$&")} (\\S+)`, "m").exec((await on.get("/metrics")).text)?.[1]);
const fate = (result, on = server) => metric(`compere_audience_questions_total{result="${result}"}`, on);
/** The endpoint is asked again, after its rest. */
let tries = 0;
const rested = (on = server) => {
  mode = "fine";
  return until(async () => {
    const text = `Is the endpoint awake, try ${tries++}?`;
    await ask(text, "", on);
    return (await onDesk(text, on)).unmoderated === undefined;
  }, { ms: 30_000, every: 500, what: "the end of the rest" });
};

test("a question comes to the desk when it was judged; its author does not wait for that", async () => {
  mode = "slow";
  const begun = performance.now();
  const receipt = await ask(SPAIN, "Kim");
  assert.ok(performance.now() - begun < 200, "the receipt waits for nobody");
  assert.deepEqual([receipt.status, receipt.json], [201, { text: SPAIN, vote: false, votes: 1 }]);
  assert.equal(await find(SPAIN), undefined, "not on the desk before the verdict");
  const question = await onDesk(SPAIN);
  assert.deepEqual([question.asker, question.votes, question.state, question.unmoderated, question.history[0].by], ["Kim", 1, "suggested", undefined, "audience"]);
  assert.deepEqual(asked.at(-1), { path: "/v1/moderations", key: `Bearer ${KEY}`, model: "judge-1", input: `Kim\n${SPAIN}` });
  const before = asked.length;
  const vote = await ask(SPAIN);
  assert.deepEqual([vote.json.vote, vote.json.votes, asked.length], [true, 2, before], "nothing of a vote is kept, so it is not judged");
});

test("what is flagged is not kept, and its author sees what everybody sees; a bad name counts as well", async () => {
  mode = "fine";
  const before = (await all()).length;
  for (const [text, name] of [["Why are you so nasty today?", "Kim"], ["When do you open on Fridays?", "nasty Kim"]]) {
    const receipt = await ask(text, name);
    assert.deepEqual([receipt.status, receipt.json], [201, { text, vote: false, votes: 1 }]);
  }
  await until(async () => (await fate("flagged")) === 2, { what: "two flagged" });
  await ask("Call +49 30 1234567 when my parcel is there?");
  await onDesk("Call [number] when my parcel is there?");
  assert.equal(asked.at(-1).input, "Call [number] when my parcel is there?", "who somebody is is masked before anybody is told");
  assert.equal((await all()).length, before + 1);
  assert.ok(!JSON.stringify(await all()).includes("nasty"));
});

test("two who ask the same while it is judged are one question with two votes", async () => {
  mode = "slow";
  await Promise.all([ask("Do you sell blue teapots?"), ask("do you sell blue teapots")]);
  await until(async () => (await all()).filter(({ text }) => /teapots/.test(text)).some(({ votes }) => votes === 2), { what: "the vote" });
  assert.equal((await all()).filter(({ text }) => /teapots/.test(text)).length, 1);
});

test("a question that could not be judged is held: marked, on the desk, and not aired by itself", async () => {
  const auto = await server.call("PATCH", CHANNEL, { json: { answers: { mode: "auto", confident: 0.1 } } });
  assert.equal(auto.status, 200, auto.text);
  let id = (await find(SPAIN))?.id;
  for (const now of ["broken", "hang", "garbage", "empty", "other", "cut", "echo", "denied"]) {
    if (id) await server.post(`${CHANNEL}/questions/${id}/dismiss`, {}); // what does not wait takes no votes
    await rested();
    mode = now;
    const before = asked.length;
    assert.equal((await ask(SPAIN)).json.vote, false);
    const question = await until(async () => (await all()).find((one) => one.text === SPAIN && one.id > (id ?? "") && one.unmoderated), { what: `the question of "${now}"` });
    assert.equal(asked.length, before + 1, `${now}: it was asked`);
    id = question.id;
    await sleep(200);
    assert.equal((await server.get(`${CHANNEL}/questions/${id}`)).json.state, "suggested", `${now}: it does not air by itself`);
  }
  const approved = await server.post(`${CHANNEL}/questions/${id}/approve`, {});
  assert.equal(approved.status, 202, "an operator may air it");
  assert.equal((await server.finished(approved.json.cue)).state, "done");
  await rested();
  assert.equal((await ask(SPAIN)).json.vote, false);
  await until(async () => (await find(SPAIN)).unmoderated === undefined && (await find(SPAIN)).state === "aired", { what: "one that is fine on air", ms: 20_000 });
  await server.call("PATCH", CHANNEL, { json: { answers: { mode: "manual" } } });
  assert.ok((await metric("compere_moderation_failed_total")) >= 8);
  assert.match(server.log, /not moderated.*channel=main.*moderation at 127\.0\.0\.1:\d+/);
});

test("nor does a language model's answer to it air by itself", async () => {
  const writing = await start(["--llm-url", base, "--llm-model", "small"]);
  try {
    await writing.call("PATCH", CHANNEL, { json: { answers: { mode: "auto", confident: 0.1 } } });
    mode = "broken";
    await ask(SPAIN, "", writing);
    const answered = await until(async () => {
      const question = await find(SPAIN, writing);
      return question?.suggestion.by === "model" && question;
    }, { what: "the model's answer" });
    await sleep(300);
    const { state, unmoderated } = await find(SPAIN, writing);
    assert.deepEqual([state, unmoderated], ["suggested", true]);
    await writing.post(`${CHANNEL}/questions/${answered.id}/dismiss`, {});
    mode = "fine";
    await ask(SPAIN, "", writing);
    await until(async () => (await find(SPAIN, writing)).state === "aired", { what: "one that is fine on air", ms: 20_000 });
  } finally {
    await stop(writing);
  }
});

test("after three failures in a row the endpoint rests, and is asked again later", async () => {
  await rested();
  mode = "broken";
  const before = asked.length;
  for (let i = 0; i < 6; i++) {
    await ask(`Is this failure number ${i}?`);
    assert.equal((await onDesk(`Is this failure number ${i}?`)).unmoderated, true);
  }
  assert.equal(asked.length, before + 3);
  assert.match(server.log, /failed too often and rests/);
  await rested();
});

test("more than can be judged is refused with a time to come back, and all that was taken comes to the desk", async () => {
  await rested();
  mode = "hang";
  const before = await fate("asked");
  const answers = await Promise.all(Array.from({ length: 320 }, (_, i) => ask(`Is the number ${1000 + i} lucky?`)));
  const busy = answers.filter(({ status }) => status === 503);
  const taken = answers.filter(({ status }) => status === 201);
  assert.equal(busy.length + taken.length, 320);
  assert.ok(busy.length > 0 && taken.length >= 256, `${taken.length} taken, ${busy.length} refused`);
  assert.equal(busy[0].retry, "5", "said once");
  assert.equal(await fate("busy"), busy.length);
  await until(async () => (await fate("asked")) === before + taken.length, { ms: 20_000, what: "all on the desk" });
  assert.equal(await metric("compere_moderation_waiting"), 0);
  await rested();
});

test("where the operator says so, what could not be judged is not kept", async () => {
  const strict = await start(["--moderation-on-failure", "refuse"]);
  try {
    mode = "broken";
    const receipt = await ask(SPAIN, "", strict);
    assert.equal(receipt.status, 201);
    await until(async () => (await fate("unjudged", strict)) === 1, { what: "a refusal" });
    mode = "fine";
    await ask("Do you ship to Italy?", "", strict);
    await onDesk("Do you ship to Italy?", strict);
    assert.equal(await find(SPAIN, strict), undefined);
  } finally {
    await stop(strict);
  }
});

test("what waits for its verdict when the server stops is on the desk, marked, when it is back", async () => {
  const data = makeDirectory();
  mode = "hang";
  const first = await start(["--moderation-timeout-ms", "60000"], data);
  for (let i = 0; i < 3; i++) assert.equal((await ask(`Is question ${i} kept?`, "", first)).status, 201);
  const begun = performance.now();
  await stop(first);
  assert.ok(performance.now() - begun < 5000, "stopping does not wait for the endpoint");
  const second = await start([], data);
  try {
    for (let i = 0; i < 3; i++) assert.equal((await find(`Is question ${i} kept?`, second))?.unmoderated, true);
  } finally {
    await stop(second);
    rmSync(data, { recursive: true, force: true });
  }
});

test("doctor asks the moderation, and says when it does not answer or its options are wrong", async () => {
  const doctor = (...flags) =>
    new Promise((done) => {
      const data = makeDirectory();
      execFile(BIN, ["doctor", "--data", data, "--webrtc", "127.0.0.1:0", ...flags], { env: { ...process.env, TEST_MODERATION_KEY: KEY } }, (_, stdout, stderr) => {
        rmSync(data, { recursive: true });
        assert.ok(!(stdout + stderr).includes(KEY));
        done(stdout);
      });
    });
  mode = "fine";
  assert.match(await doctor("--moderation-url", base, "--moderation-key", "env:TEST_MODERATION_KEY"), /ok +moderation +127\.0\.0\.1:\d+ judges in/);
  assert.equal(asked.at(-1).model, undefined, "the endpoint's own model");
  mode = "denied";
  assert.match(await doctor("--moderation-url", base, "--moderation-key", "env:TEST_MODERATION_KEY"), /PROBLEM +moderation .*refuses the key/);
  assert.match(await doctor("--moderation-url", "http://127.0.0.1:9/v1"), /PROBLEM +moderation .*nobody answers/);
  assert.match(await doctor("--moderation-url", "127.0.0.1:9/v1"), /PROBLEM +moderation .*moderation\.url.*http/);
  assert.match(await doctor("--moderation-url", base, "--moderation-key", "sk-plain"), /PROBLEM +moderation .*env:/);
});
