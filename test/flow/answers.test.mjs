// The knowledge base of the real server: documents in, found, replaced, gone; and what is refused.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server } from "./harness.mjs";

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

test("documents outlive the process; figures are in the metrics", async () => {
  const { data } = server;
  assert.match((await server.get("/metrics")).text, /compere_documents 2\b/);
  await server.kill();
  server = await Server.start({ data });
  assert.equal((await search("open", { collection: "town" })).hits[0].title, "Library");
});
