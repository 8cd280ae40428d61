// The audience asks without a key: where it may, how often, what is masked and refused, what counts as a vote; and what is taught.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { Server, until } from "./harness.mjs";

const CHANNEL = "/v1/channels/main";
let server;
before(async () => {
  server = await Server.start({ flags: ["--gateway-rate-per-s", "1000"], env: { COMPERE_WEBHOOK_CHAT: "a-shared-secret" } });
  await server.silence();
  const made = await server.call("POST", "/v1/documents?title=Shop", { body: "# Delivery\nWe deliver parcels to Spain within four working days.", type: "text/markdown" });
  assert.equal(made.status, 201, made.text);
});
after(async () => assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log));

const set = async (questions) => assert.equal((await server.call("PATCH", CHANNEL, { json: { questions } })).status, 200);
const ask = async (text, name = "") => {
  const answer = await fetch(`${server.url}${CHANNEL}/ask`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text, name }) });
  return { status: answer.status, retry: answer.headers.get("Retry-After"), json: await answer.json() };
};
const all = async (state = "") => (await server.get(`${CHANNEL}/questions?limit=200${state && `&state=${state}`}`)).json.questions;

test("nobody asks where the channel takes no questions", async () => {
  assert.deepEqual(await (await fetch(`${server.url}${CHANNEL}/ask`)).json(), { open: false });
  const refused = await ask("How long does delivery to Spain take?");
  assert.equal(refused.status, 403);
  assert.match(refused.json.detail, /no questions/);
  assert.equal((await ask("x", "y".repeat(60))).status, 400);
  assert.equal((await fetch(`${server.url}/v1/channels/none/ask`)).status, 200);
});

test("a question gets to the desk with its suggestion; who asks the same votes for it", async () => {
  await set({ open: true, per_minute: 600, blocked: "rotten, swear*" });
  assert.deepEqual(await (await fetch(`${server.url}${CHANNEL}/ask`)).json(), { open: true });
  const first = await ask("How long does delivery to Spain take?", "Kim");
  assert.equal(first.status, 201, JSON.stringify(first.json));
  assert.deepEqual([first.json.vote, first.json.votes], [false, 1]);
  assert.equal(first.json.suggestion, undefined, "the audience does not see what is suggested");
  const again = await ask("how long does the delivery take to spain", "Lou");
  assert.deepEqual([again.status, again.json.vote, again.json.votes], [201, true, 2]);
  const questions = await all();
  assert.equal(questions.length, 1);
  assert.deepEqual([questions[0].asker, questions[0].votes, questions[0].state, questions[0].history[0].by], ["Kim", 2, "suggested", "audience"]);
  await server.post(`${CHANNEL}/questions/${questions[0].id}/dismiss`, {});
  assert.equal((await ask("How long does delivery to Spain take?")).json.vote, false, "that one does not wait any more");
});

test("who somebody is is masked before it is kept; spam and blocked words are refused with a reason", async () => {
  const masked = await ask("Mail kim@example.com or call +49 30 1234567, when do you open?");
  assert.equal(masked.status, 201);
  const kept = (await all()).find((one) => one.masked);
  assert.equal(kept.text, "Mail [e-mail] or call [number], when do you open?");
  assert.ok(!JSON.stringify(await all()).includes("kim@example.com"));
  await ask("Is the shop shut on Mondays?", "rotten Kim");
  await ask("Is the shop shut on Tuesdays?", "kim@example.com");
  assert.deepEqual((await all()).slice(0, 2).map(({ asker }) => asker), ["[e-mail]", ""], "names pass the filter too");
  for (const [text, why] of [["see https://example.com", /Links/], ["hey!!!!!!!!", /over and over/], ["so ROTTEN", /words/], ["swearing", /words/], ["??", /no question/]]) {
    const refused = await ask(text);
    assert.equal(refused.status, 422, text);
    assert.match(refused.json.detail, why);
  }
});

test("an address has its share of questions, and is told when to come back", async () => {
  await set({ open: true, per_minute: 2 });
  await until(async () => (await server.get(CHANNEL)).json.questions.per_minute === 2);
  const statuses = [];
  for (let i = 0; i < 40; i++) statuses.push(await ask(`Is number ${i} a prime?`));
  const limited = statuses.filter(({ status }) => status === 429);
  assert.ok(limited.length >= 37, `${limited.length} of 40 were limited`);
  assert.ok(Number(limited[0].retry) >= 1 && Number(limited[0].retry) <= 31, limited[0].retry);
  const { text } = await server.get("/metrics");
  assert.ok(Number(/^compere_audience_questions_total\{result="limited"\} (\d+)/m.exec(text)[1]) >= 37);
  assert.ok(Number(/^compere_audience_questions_total\{result="refused"\} (\d+)/m.exec(text)[1]) >= 5);
});

test("lists by state fill their page; a taught answer is found before the documents", async () => {
  for (let i = 0; i < 30; i++) await server.post(`${CHANNEL}/questions`, { text: `Filler question number ${i} about nothing known?` });
  const asked = await server.post(`${CHANNEL}/questions`, { text: 'What is the "house wine" called?' });
  for (let i = 0; i < 30; i++) await server.post(`${CHANNEL}/questions`, { text: `Another filler number ${i} about nothing known?` });
  await server.post(`${CHANNEL}/questions/${asked.json.id}/dismiss`, {});
  const page = (await server.get(`${CHANNEL}/questions?limit=2&state=dismissed`)).json;
  assert.equal(page.questions.length, 2, "found though sixty others lie between");
  assert.equal(page.questions[0].id, asked.json.id);

  assert.equal((await server.post(`${CHANNEL}/questions/${asked.json.id}/teach`, {})).status, 400);
  const taught = await server.post(`${CHANNEL}/questions/${asked.json.id}/teach`, { text: 'It is called "Grandma\'s, 2019".' });
  assert.equal(taught.status, 200, taught.text);
  assert.ok(taught.json.taught);
  const next = await server.post(`${CHANNEL}/questions`, { text: "What is the house wine called?" });
  assert.equal(next.json.suggestion.text, 'It is called "Grandma\'s, 2019".');
  await server.post(`${CHANNEL}/questions/${asked.json.id}/teach`, { text: "It is called Rosé." });
  const third = await server.post(`${CHANNEL}/questions`, { text: "What is the house wine called?" });
  assert.equal(third.json.suggestion.text, "It is called Rosé.", "teaching it again replaces it");
});

test("a bridge to a chat asks for its people, when it signs what it sends", async () => {
  await set({ open: true, per_minute: 600, webhook_secret: "env:COMPERE_WEBHOOK_CHAT" });
  const call = async (body, { at = Math.floor(Date.now() / 1000), secret = "a-shared-secret", headers = {} } = {}) => {
    const text = JSON.stringify(body);
    const signature = `sha256=${createHmac("sha256", secret).update(`${at}.${text}`).digest("hex")}`;
    const answer = await fetch(`${server.url}${CHANNEL}/ask/webhook`, { method: "POST", headers: { "Content-Type": "application/json", "X-Compere-Timestamp": String(at), "X-Compere-Signature": signature, ...headers }, body: text });
    return { status: answer.status, json: await answer.json() };
  };
  const at = Math.floor(Date.now() / 1000);
  assert.equal((await call({ text: "Do you ship to the moon?", name: "Robin" }, { at })).status, 201);
  assert.equal((await all()).find((one) => one.text.includes("moon")).asker, "Robin");
  for (const [options, why] of [[{ at }, /already/], [{ at: at - 400 }, /five minutes/], [{ at: at + 400 }, /five minutes/], [{ secret: "guess" }, /signature/], [{ headers: { "X-Compere-Signature": "" } }, /signature|needed/i], [{ headers: { "X-Compere-Signature": "sha256=00" } }, /signature/]]) {
    const refused = await call({ text: "Do you ship to the moon?", name: "Robin" }, options);
    assert.equal(refused.status, 403);
    assert.match(refused.json.detail, why);
  }
  for (const webhook_secret of ["env:HOME", "file:/etc/passwd", "plain", ""]) {
    await set({ open: true, webhook_secret });
    const refused = await call({ text: "And now?", name: "Robin" }, { secret: webhook_secret || "x" });
    assert.match(refused.json.detail, /no questions of webhooks/);
  }
  assert.ok(!server.log.includes("a-shared-secret"));
});
