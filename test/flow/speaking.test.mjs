// Answers that go on air while a language model still writes them, and what happens when it stops half-way.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Server, figure, sleep, until } from "./harness.mjs";

const SHOP = "# Delivery\nWe deliver parcels to Spain within four working days.\n\n# Mugs\nThe stoneware mug holds 350 millilitres.";
const SPAIN = "How long does delivery to Spain take?";
const CHANNEL = "/v1/channels/main";
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
let service, server, script = [], asked = [], ended = 0;

/** A stand-in of POST /v1/chat/completions that plays a script: words, pauses in ms, "die". */
function answer(request, response) {
  let body = "";
  request.on("data", (bytes) => (body += bytes));
  request.on("end", async () => {
    asked.push(JSON.parse(body));
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.flushHeaders();
    for (const part of script) {
      if (typeof part === "number") await sleep(part);
      else if (part === "die") return response.destroy();
      else response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: part } }] })}\n\n`);
    }
    ended = performance.now();
    response.write(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\n`);
    response.end("data: [DONE]\n\n");
  });
}

const set = async (answers) => {
  const made = await server.call("PATCH", CHANNEL, { json: { answers } });
  assert.equal(made.status, 200, made.text);
};
const AUTO = { mode: "auto", confident: 0.3 };

before(async () => {
  service = createServer(answer);
  await new Promise((done) => service.listen(0, "127.0.0.1", done));
  server = await Server.start({
    flags: ["--llm-url", `http://127.0.0.1:${service.address().port}/v1`, "--llm-model", "small", "--llm-first-ms", "5000", "--llm-idle-ms", "3000",
      "--llm-refusal", "I do not know that."],
  });
  await server.silence();
  const made = await server.call("POST", "/v1/documents?title=Shop", { body: SHOP, type: "text/markdown" });
  assert.equal(made.status, 201, made.text);
  await set(AUTO);
});
after(async () => {
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log);
  service.closeAllConnections();
  service.close();
});

async function ask(text, asker = "") {
  const made = await server.post(`${CHANNEL}/questions`, { text, asker });
  assert.equal(made.status, 201, made.text);
  return made.json.id;
}
const question = async (id) => (await server.get(`${CHANNEL}/questions/${id}`)).json;
const cueOf = (id) => until(async () => (await question(id)).cue, { what: "a cue" });
/** The question and its cue when both are over. */
async function performed(id) {
  const cue = await server.finished(await cueOf(id));
  await until(async () => (await question(id)).state !== "approved", { what: "the question's end" });
  await sleep(300); // what the model said is put down after it was aired
  return { cue, question: await question(id) };
}

test("an endpoint's first answer is heard only when it is whole", async () => {
  script = ["I think ", "it is four [1]. Yes, ", "they say so.", 600, "</think>", "Four days [1]."];
  const { cue } = await performed(await ask(SPAIN));
  assert.equal(cue.text, "Four days.");
  const late = await performed(await ask(SPAIN)); // and so is the next one, since that had thoughts without a beginning
  assert.equal(late.cue.text, "Four days.");
});

test("sentences are on air while the model still writes the next ones", async () => {
  script = ["Four days [1]."];
  await performed(await ask(SPAIN)); // it has shown by now how it writes
  const times = [];
  for (let i = 0; i < 3; i++) {
    script = ["Parcels to Spain ", `take ${4 + i} working days`, " [1]. Ask ", 1500, "again ", "if it takes longer [1]. ", "Is there ", "more?", 400];
    const id = await ask(SPAIN);
    const cue = await cueOf(id);
    const begun = (await server.get(`${CHANNEL}/cues/${cue}`)).json;
    assert.equal(begun.text, `Parcels to Spain take ${4 + i} working days.`);
    assert.equal((await question(id)).state, "approved");
    const over = await performed(id);
    assert.ok(performance.now() > ended);
    assert.equal(over.cue.state, "done");
    assert.equal(over.cue.text, `Parcels to Spain take ${4 + i} working days.\nAsk again if it takes longer.\nIs there more?`);
    assert.equal(over.cue.open, undefined);
    assert.deepEqual([over.question.state, over.question.answer], ["aired", `Parcels to Spain take ${4 + i} working days. Ask again if it takes longer. Is there more?`]);
    assert.ok(over.question.suggestion.took_ms > 1900 && over.question.suggestion.first_sentence_ms < 500, JSON.stringify(over.question.suggestion));
    assert.ok(over.cue.timings_ms.sent < over.question.suggestion.took_ms - 1000, "heard long before the model had finished");
    times.push(over.cue.timings_ms.sent);
  }
  figure("question to first speaking frame of a streamed answer, median of 3", median(times), "ms", "<= 300");
  assert.ok(median(times) <= 300, times.join());
  const { text } = await server.get("/metrics");
  assert.ok(Number(/^compere_llm_first_sentence_seconds_count (\d+)/m.exec(text)[1]) >= 3);
});

test("the presenter thinks while it is made, and the picture goes on; a model that hangs ends its answer, not the show", async () => {
  script = ["It takes four days [1]. And ", 8000];
  const frames = async () => (await server.get(`${CHANNEL}/stats`)).json.frames;
  const before = await frames(), start = performance.now();
  const { cue, question: over } = await performed(await ask(SPAIN));
  assert.deepEqual([cue.state, cue.text, over.state, over.answer], ["done", "It takes four days.", "aired", "It takes four days."]);
  assert.match(over.suggestion.problem, /./);
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds > 2.8 && seconds < 7, `${seconds} s`);
  const fps = ((await frames()) - before) / seconds;
  figure("frames a second while a model hangs", fps.toFixed(2), "Hz", ">= 29");
  assert.ok(fps >= 29, `${fps} frames a second`);
  const next = await server.finished((await server.say("The show goes on.")).id);
  assert.equal(next.state, "done");
});

test("a model that dies within a sentence: what was whole is said", async () => {
  script = ["It takes four days [1]. That is ", 300, "die"];
  const { cue, question: over } = await performed(await ask(SPAIN));
  assert.deepEqual([cue.text, over.answer, over.state], ["It takes four days.", "It takes four days.", "aired"]);
  assert.match(over.suggestion.problem, /broke off|model/);
});

test("what names no document, and refusals, are not begun", async () => {
  script = ["I just know. It is so. ", 300, "Believe me. Now."];
  let id = await ask(SPAIN);
  const own = await performed(id); // the documents' own words instead
  assert.equal(own.cue.text, "We deliver parcels to Spain within four working days.");
  script = ["NOT_IN", 200, "_DOCUMENTS"];
  id = await ask(SPAIN);
  await until(async () => (await question(id)).suggestion.refused, { what: "the refusal" });
  assert.equal((await question(id)).cue, undefined);
});

test("a line bridges a long wait, and the answer follows it", async () => {
  await set({ ...AUTO, filler: "Good question. | Let me look. ", filler_ms: 250 });
  script = [900, "Four days [1]. Not ", 200, "more."];
  const { cue, question: over } = await performed(await ask(SPAIN));
  assert.match(cue.text, /^(Good question|Let me look)\.\nFour days\.\nNot more\.$/);
  assert.equal(over.answer, "Four days. Not more.");
  script = [700, "die"];
  const failed = await performed(await ask(SPAIN));
  assert.match(failed.cue.text, /^(Good question|Let me look)\.\nWe deliver parcels to Spain within four working days\.$/);
  assert.equal(failed.question.answer, "We deliver parcels to Spain within four working days.");
  script = [700, "NOT_IN_DOCUMENTS"];
  const refused = await performed(await ask(SPAIN));
  assert.match(refused.cue.text, /^(Good question|Let me look)\.\nI do not know that\.$/);
});

test("an answer that is cut goes silent, whatever the model still writes", async () => {
  await set(AUTO);
  script = ["It takes four working days to Spain [1]. Then ", 800, "there is more. And more. ", 300, "The end."];
  const id = await ask(SPAIN);
  const cue = await cueOf(id);
  await until(async () => (await server.get(`${CHANNEL}/cues/${cue}`)).json.state === "speaking", { what: "speech" });
  assert.equal((await server.post(`${CHANNEL}/interrupt`, { policy: "now" })).status, 202);
  const over = await server.finished(cue);
  assert.equal(over.state, "cut");
  await sleep(1500);
  assert.equal((await server.get(`${CHANNEL}/cues/${cue}`)).json.text, "It takes four working days to Spain.");
});

test("a channel has a persona of its own, and an asker's earlier questions are known", async () => {
  await set({ mode: "manual", persona: { name: "Professor Quill", role: "who teaches physics", words: 20 } });
  script = ["Four days [1]."];
  const model = (id) => until(async () => (await question(id)).suggestion.by === "model", { what: "the model" });
  const first = await ask(SPAIN, "Kim");
  await model(first);
  assert.match(asked.at(-1).messages[0].content, /You are Professor Quill, who teaches physics.*at most 20 words/s);
  await model(await ask("How large is the stoneware mug?", "Kim"));
  assert.ok(!asked.at(-1).messages[1].content.includes("<before>"), "what nobody heard is not told");
  await server.post(`${CHANNEL}/questions/${first}/approve`, {});
  await model(await ask("And how heavy may they be?", "Kim"));
  const { content } = asked.at(-1).messages[1];
  assert.match(content, /<before>\nviewer: How long does delivery to Spain take\?\npresenter: Four days\.\n<\/before>/);
  assert.match(content, /We deliver parcels to Spain/, "found by the question before");
  await model(await ask("And how heavy may parcels to Spain be?", "Lou"));
  assert.ok(!asked.at(-1).messages[1].content.includes("<before>"), "that was somebody else");
});
