// The knowledge base of the real server: documents in, found, replaced, gone; and what is refused.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, figure, sleep, until } from "./harness.mjs";

let server;
before(async () => {
  server = await Server.start();
  await server.silence();
});
after(async () => {
  await server.stop();
});

const upload = (text, query, type = "text/plain", key = undefined) =>
  server.call("POST", `/v1/documents?${new URLSearchParams(query)}`, { body: text, type, ...(key ? { key } : {}) });
const search = async (query, more = {}) => {
  const answer = await server.post("/v1/search", { query, ...more });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
};

test("a document is read, found with its reasons, replaced, and leaves no trace", async () => {
  const made = await upload("# Delivery\nWe deliver parcels to Spain within four working days.\n\n# Returns\nGoods may be returned within thirty days.", { title: "Terms" }, "text/markdown");
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.get("location"), `/v1/documents/${made.json.id}`);
  assert.deepEqual([made.json.collection, made.json.language, made.json.passages], ["main", "en", 2]);

  const { hits, confident, took_ms } = await search("How long does it take to deliver to Spain?");
  assert.equal(hits[0].document, made.json.id);
  assert.equal(hits[0].heading, "Delivery");
  assert.ok(confident && took_ms < 1000);
  assert.ok(hits[0].terms.some(({ term, score }) => term === "spain" && score > 0));
  const [[start, end]] = hits[0].marks;
  assert.match(Buffer.from(hits[0].text).subarray(start, end).toString(), /deliver/);
  assert.equal((await search("Which galaxy is the nearest?")).confident, false);

  const { passages } = (await server.get(`/v1/documents/${made.json.id}/passages`)).json;
  assert.deepEqual(passages.map(({ heading }) => heading), ["Delivery", "Returns"]);

  const again = await upload("We deliver by drone.", { title: "Terms" });
  assert.equal(again.json.id, made.json.id);
  assert.equal((await search("Spain")).hits.length, 0);
  assert.equal((await server.call("DELETE", `/v1/documents/${made.json.id}`)).status, 204);
  assert.equal((await search("drone")).hits.length, 0);
  assert.equal((await server.get(`/v1/documents/${made.json.id}`)).status, 404);
});

test("a table of questions and answers answers by itself; collections are apart; lists have pages", async () => {
  await upload("question,answer,link\nWhen do you open?,At nine.,https://example.com/hours\n", { title: "FAQ", collection: "shop" }, "text/csv");
  await upload("The library opens when the sun rises.", { title: "Library", collection: "town" });
  const { hits, confident } = await search("when do you open", { collection: "shop" });
  assert.deepEqual([hits.length, hits[0].text, hits[0].link, hits[0].confidence, confident], [1, "At nine.", "https://example.com/hours", 1, true]);
  assert.equal((await search("open", { collection: "town" })).hits[0].title, "Library");
  const first = (await server.get("/v1/documents?limit=1")).json;
  assert.equal(first.documents[0].title, "Library");
  const second = (await server.get(`/v1/documents?limit=1&cursor=${first.cursor}`)).json;
  assert.deepEqual([second.documents[0].title, second.cursor], ["FAQ", ""]);
});

test("what cannot be read is refused with the reason", async () => {
  assert.equal((await upload("x", { title: "A" }, "image/png")).status, 415);
  assert.equal((await upload(" ", { title: "A" })).status, 400);
  assert.equal((await upload("%PDF-1.7 broken", { title: "A" }, "application/pdf")).status, 422);
  assert.equal((await upload("x", { collection: "No Such" })).status, 400);
  assert.equal((await server.post("/v1/search", { query: "" })).status, 400);
  const { key } = (await server.post("/v1/keys", { role: "viewer", name: "reader" })).json;
  assert.equal((await upload("x", { title: "A" }, "text/plain", key)).status, 403);
  assert.equal((await server.get("/v1/documents", { key })).status, 200);
});

const QUESTIONS = "/v1/channels/main/questions";

test("a question gets a suggestion, is approved, aired, and says who did what", async () => {
  await upload("The stoneware mug holds 350 millilitres. It is made by hand.", { title: "Mug", collection: "goods" });
  const asked = await server.post(QUESTIONS, { text: "How much does the stoneware mug hold?", asker: "Kim", collection: "goods" });
  assert.equal(asked.status, 201, asked.text);
  assert.equal(asked.json.state, "suggested");
  assert.match(asked.json.suggestion.text, /^The stoneware mug holds 350 millilitres\./);
  assert.equal(asked.json.suggestion.citations[0].title, "Mug");

  const approved = await server.post(`${QUESTIONS}/${asked.json.id}/approve`, {});
  assert.equal(approved.status, 202, approved.text);
  assert.equal(approved.json.state, "approved");
  const cue = await server.finished(approved.json.cue);
  assert.deepEqual([cue.state, cue.text, cue.question], ["done", asked.json.suggestion.text, asked.json.id]);
  const aired = await until(async () => {
    const { json } = await server.get(`${QUESTIONS}/${asked.json.id}`);
    return json.state === "aired" && json;
  }, { ms: 3000, what: "the question to be aired" });
  assert.deepEqual(aired.history.map(({ state }) => state), ["new", "suggested", "approved", "aired"]);
  assert.equal((await server.post(`${QUESTIONS}/${asked.json.id}/approve`, {})).status, 409);
  assert.equal((await server.get(`${QUESTIONS}?state=aired`)).json.questions[0].id, asked.json.id);
});

test("what the documents do not know is not made up; an operator may answer, edit or dismiss", async () => {
  const { json } = await server.post(QUESTIONS, { text: "Who painted the ceiling of the chapel?", collection: "goods" });
  assert.deepEqual([json.state, json.suggestion.refused, json.suggestion.text], ["new", true, ""]);
  assert.equal((await server.post(`${QUESTIONS}/${json.id}/approve`, {})).status, 400);
  await upload("Michelangelo painted the ceiling of the chapel.", { title: "Art", collection: "goods" });
  assert.equal((await server.post(`${QUESTIONS}/${json.id}/suggest`, {})).json.state, "suggested");
  const approved = await server.post(`${QUESTIONS}/${json.id}/approve`, { text: "Michelangelo did." });
  assert.equal((await server.finished(approved.json.cue)).text, "Michelangelo did.");

  const other = (await server.post(QUESTIONS, { text: "mug?" })).json;
  assert.equal((await server.post(`${QUESTIONS}/${other.id}/dismiss`, {})).json.state, "dismissed");
  assert.equal((await server.post(`${QUESTIONS}/${other.id}/dismiss`, {})).status, 409);
  assert.equal((await server.get(`${QUESTIONS}/q_nothing`)).status, 404);
});

test("of twenty who approve at once one airs it; a cut answer is suggested again; viewers ask but do not see", async () => {
  const { json } = await server.post(QUESTIONS, { text: "How much does the stoneware mug hold?", collection: "goods" });
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.post(`${QUESTIONS}/${json.id}/approve`, { text: "It holds a lot, and this answer is long enough to be cut in the middle of it, as you will see." })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [202, ...Array(19).fill(409)]);
  const { cue } = answers.find(({ status }) => status === 202).json;
  await until(async () => (await server.get(`/v1/channels/main/cues/${cue}`)).json.state === "speaking", { ms: 10_000, what: "the answer" });
  await server.post("/v1/channels/main/interrupt", { policy: "now" });
  await until(async () => (await server.get(`${QUESTIONS}/${json.id}`)).json.state === "suggested", { ms: 5000, what: "the question back" });

  const { key } = (await server.post("/v1/keys", { role: "viewer", name: "audience" })).json;
  const asked = await server.post(QUESTIONS, { text: "How much does the stoneware mug hold?" }, { key });
  assert.deepEqual([asked.status, Object.keys(asked.json).sort()], [201, ["asked_at", "id", "text"]]);
  assert.equal((await server.get(QUESTIONS, { key })).status, 403);
});

test("passages are edited, words mean the same, a pin comes first, and viewers may do none of it", async () => {
  const { json: care } = await upload("# Kettles\n\nDescale the kettle each month with vinegar.\n\n# Lamps\n\nDust lamps.", { title: "Upkeep", collection: "care" }, "text/markdown");
  const { passages } = (await server.get(`/v1/documents/${care.id}/passages`)).json;
  const edited = await server.call("PATCH", `/v1/documents/${care.id}/passages/${passages[0].id}`, { json: { text: "Descale the kettle each month with citric acid." } });
  assert.equal(edited.status, 200, edited.text);
  assert.match((await search("citric", { collection: "care" })).hits[0].text, /citric acid/);
  assert.equal((await search("vinegar", { collection: "care" })).hits.length, 0);
  const set = await server.call("PATCH", "/v1/collections/care", { json: { confident: 0.2, synonyms: "kettle, boiler", pins: [{ question: "Is anybody there?", document: care.id }] } });
  assert.equal(set.status, 200, set.text);
  assert.match((await search("boilers", { collection: "care" })).hits[0].text, /kettle/);
  assert.equal((await search("is anybody there", { collection: "care" })).hits[0].pinned, true);
  const listed = (await server.get("/v1/collections")).json.collections.find(({ name }) => name === "care");
  assert.deepEqual([listed.documents, listed.confident, listed.pins.length], [1, 0.2, 1]);
  for (const [method, path, json, status] of [
    ["PATCH", "/v1/collections/care", { synonyms: "two words, one" }, 400],
    ["PATCH", "/v1/collections/care", { pins: [{ question: "a", document: "doc_none" }] }, 400],
    ["PATCH", "/v1/collections/NO", {}, 400],
    ["PATCH", `/v1/documents/${care.id}`, { boost: 100 }, 400],
    ["PATCH", `/v1/documents/${care.id}/passages/999999`, { text: "a" }, 404],
    ["DELETE", `/v1/documents/${care.id}/passages/x`, undefined, 404],
  ])
    assert.equal((await server.call(method, path, { json })).status, status, `${method} ${path}`);
  const { json: viewer } = await server.post("/v1/keys", { role: "viewer", name: "watch" });
  for (const path of ["/v1/collections/care", `/v1/documents/${care.id}`, `/v1/documents/${care.id}/passages/${passages[0].id}`])
    assert.equal((await server.call("PATCH", path, { json: {}, key: viewer.key ?? viewer.secret })).status, 403, path);
  assert.equal((await server.call("DELETE", `/v1/documents/${care.id}`)).status, 204);
  assert.equal((await search("is anybody there", { collection: "care" })).hits.length, 0);
});

test("questions are ranked by operators, and put aside when their time is over", async () => {
  const ask = async (text) => (await server.post("/v1/channels/main/questions", { text })).json;
  const first = await ask("Which comet comes back?");
  const path = `/v1/channels/main/questions/${first.id}`;
  const ranked = await server.call("PATCH", path, { json: { priority: 2 } });
  assert.deepEqual([ranked.status, ranked.json.priority], [200, 2]);
  assert.equal((await server.call("PATCH", path, { json: { priority: 9 } })).status, 400);
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { answers: { mode: "manual", answer_by_s: 5 } } })).status, 200);
  await until(async () => (await server.get(path)).json.state === "dismissed", { ms: 15_000, what: "its time to be over" });
  assert.equal((await server.get(path)).json.history.at(-1).by, "deadline");
  const later = await ask("And which one does not?");
  await server.call("PATCH", "/v1/channels/main", { json: { answers: { mode: "manual" } } });
  await sleep(7500); // longer than its time would have been
  assert.equal((await server.get(`/v1/channels/main/questions/${later.id}`)).json.state, "new");
  assert.equal((await server.call("PATCH", path, { json: { priority: 1 } })).status, 409);
  assert.match((await server.get("/metrics")).text, /compere_questions_late_total \d+/);
});

test("a channel that answers by itself airs what is sure, soon, and leaves the rest to people", async () => {
  const answer = (i) => `By hand, and no hotter than ${30 + 5 * i} degrees.`; // each is spoken for the first time
  const rows = [0, 1, 2, 3, 4].map((i) => `How do I wash mug ${i}?,"${answer(i)}"`);
  await upload(`question,answer\n${rows.join("\n")}\n`, { title: "Care" }, "text/csv");
  const rule = await server.call("PATCH", "/v1/channels/main", { json: { answers: { mode: "auto", confident: 0.6 } } });
  assert.equal(rule.status, 200, rule.text);
  const times = [];
  for (let i = 0; i < 5; i++) {
    const { json, status } = await server.post("/v1/channels/main/questions", { text: `How do I wash mug ${i}?`, asker: `viewer ${i}` });
    assert.deepEqual([status, json.state, json.history.at(-1).by], [201, "approved", "auto"]);
    const cue = await server.finished(json.cue);
    assert.deepEqual([cue.state, cue.text], ["done", answer(i)]);
    times.push(cue.timings_ms.sent);
    await sleep(400); // the show's pause between two cues is not what is measured
    await until(async () => (await server.get(`/v1/channels/main/questions/${json.id}`)).json.state === "aired", { what: "aired" });
  }
  times.sort((a, b) => a - b);
  figure("asked to first speaking frame sent, answered by itself, median of 5", times[2], "ms", "<= 300");
  assert.ok(times[2] <= 300);
  const unsure = await server.post("/v1/channels/main/questions", { text: "Which galaxy is the nearest to ours?" });
  assert.deepEqual([unsure.json.state, unsure.json.cue], ["new", undefined]);
  assert.equal((await server.call("PATCH", "/v1/channels/main", { json: { answers: { mode: "loud" } } })).status, 400);
  await server.call("PATCH", "/v1/channels/main", { json: { answers: { mode: "manual" } } });
  const manual = await server.post("/v1/channels/main/questions", { text: "How do I wash mug 1?" });
  assert.equal(manual.json.state, "suggested");
});

test("a thousand questions in ten seconds are all kept, and the picture does not stutter", async () => {
  await server.onAir();
  const frames = async () => (await server.get("/v1/channels/main/stats")).json.frames;
  const before = { at: performance.now(), frames: await frames() };
  const answers = [];
  for (let i = 0; i < 1000; i++) {
    answers.push(server.post("/v1/channels/main/questions", { text: `Does number ${i} hold ${i % 7} litres?`, asker: `viewer ${i % 200}` }));
    const ahead = i * 10 - (performance.now() - before.at);
    if (ahead > 0) await sleep(ahead);
  }
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  const fps = ((await frames()) - before.frames) / ((performance.now() - before.at) / 1000);
  figure("frames a second while a hundred questions come each second", fps.toFixed(2), "Hz", ">= 29");
  assert.equal(statuses.filter((status) => status === 201).length, 1000);
  assert.ok(fps >= 29);
  let n = 0;
  for (let cursor = "", page; ; cursor = page.cursor) {
    page = (await server.get(`/v1/channels/main/questions?limit=200&cursor=${encodeURIComponent(cursor)}`)).json;
    n += page.questions.filter(({ text }) => text.startsWith("Does number")).length;
    if (!page.cursor) break;
  }
  assert.equal(n, 1000);
});

test("documents outlive the process; figures are in the metrics", async () => {
  const { data } = server;
  assert.match((await server.get("/metrics")).text, /compere_documents 5\b/);
  await server.kill();
  server = await Server.start({ data });
  assert.equal((await search("open", { collection: "town" })).hits[0].title, "Library");
});
