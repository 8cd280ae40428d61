// Web pages for the knowledge base: lists of addresses, fetched and read in the background.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Server, until } from "./harness.mjs";

let web, origin, open, shut;
const PAGES = {
  "/mugs": ["text/html; charset=utf-8", "<html><head><title>Mugs</title></head><body><h1>Mugs</h1><p>The stoneware mug holds a pint.</p></body></html>"],
  "/terms.md": ["text/markdown", "# Returns\n\nGoods may be returned within thirty days."],
  "/picture": ["image/png", "no text"],
};
let version = "";
before(async () => {
  web = createServer((request, response) => {
    if (request.url === "/old") return response.writeHead(302, { Location: "/mugs" }).end();
    if (request.url === "/round") return response.writeHead(302, { Location: "/round" }).end();
    if (request.url === "/file") return response.writeHead(302, { Location: "file:///etc/passwd" }).end();
    if (request.url === "/slow") return;
    const page = PAGES[request.url];
    if (!page) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": page[0] }).end(page[1] + version);
  }).listen(0, "127.0.0.1");
  await once(web, "listening");
  origin = `http://127.0.0.1:${web.address().port}`;
  open = await Server.start({ flags: ["--answers-fetch-private", "true"] });
  shut = await Server.start({});
});
after(async () => {
  web?.closeAllConnections();
  web?.close();
  await open?.stop();
  await shut?.stop();
});

const send = (server, list, collection = "web") => server.call("POST", `/v1/documents?collection=${collection}`, { body: list, type: "text/uri-list" });
const done = (server, job) =>
  until(
    async () => {
      const { json } = await server.get(`/v1/document-jobs/${job}`);
      return json.state === "done" && json;
    },
    { ms: 40_000, what: "the pages" },
  );
const search = async (query) => (await open.post("/v1/search", { query, collection: "web" })).json;

test("pages of a list become documents; what cannot be read says why", async () => {
  const list = ["# a list", `${origin}/mugs`, `${origin}/terms.md`, `${origin}/none`, `${origin}/picture`, `${origin}/round`, `${origin}/file`, ""].join("\r\n");
  const { status, json } = await send(open, list);
  assert.deepEqual([status, json.total, json.done], [202, 6, 0]);
  const job = await done(open, json.id);
  assert.deepEqual([job.done, job.documents.length, job.problems.length], [6, 2, 4]);
  const reasons = Object.fromEntries(job.problems.map(({ url, reason }) => [url.slice(origin.length), reason]));
  assert.match(reasons["/none"], /404/);
  assert.match(reasons["/picture"], /image\/png/);
  assert.match(reasons["/round"], /from one address to the next/);
  assert.match(reasons["/file"], /elsewhere/); // not followed
  assert.match((await search("how much does the mug hold")).hits[0].text, /pint/);
  assert.equal((await search("thirty days")).hits[0].title, `${origin.slice(7)}/terms.md`);
  assert.equal((await open.get("/v1/document-jobs")).json.jobs[0].id, json.id);
});

test("a page fetched again replaces itself, through a redirect too", async () => {
  version = " And now a quart.";
  const first = await done(open, (await send(open, `${origin}/mugs`)).json.id);
  const again = await done(open, (await send(open, `${origin}/mugs\n${origin}/old`)).json.id);
  assert.equal(again.documents[0], first.documents[0]);
  assert.equal(again.documents.length, 2);
  assert.match((await search("quart")).hits[0].text, /quart/);
});

test("lists that are none are refused; private addresses are not fetched unless told to", async () => {
  for (const [list, reason] of [["", /no address/], ["ftp://x/y", /no http/], [`${origin}/a b`, /no http/], [`${origin}/mugs\n`.repeat(201), /200 addresses/]])
    assert.match((await send(open, list)).text, reason, list.slice(0, 40));
  assert.equal((await open.get("/v1/document-jobs/job_none")).status, 404);
  const { json } = await send(shut, `${origin}/mugs\nhttp://localhost:${web.address().port}/mugs\nhttp://[::1]:1/`);
  const job = await done(shut, json.id);
  assert.deepEqual([job.documents.length, job.problems.length], [0, 3]);
  for (const { reason } of job.problems) assert.match(reason, /private network/);
});

test("a server that is stopped does not wait for a slow page", async () => {
  const { json } = await send(open, `${origin}/slow`);
  await until(async () => (await open.get(`/v1/document-jobs/${json.id}`)).json.state === "running", { what: "the slow page" });
  const started = Date.now();
  await open.stop();
  assert.ok(Date.now() - started < 6000, `${Date.now() - started} ms`);
  open = null;
});
