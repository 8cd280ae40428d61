// Languages on air: how words are said by a channel's lexicon, and lines that are spoken in the language they show.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { makeDirectory, Server } from "./harness.mjs";

const LEXICON = "/v1/channels/main/lexicon";
const data = makeDirectory();
let server;

before(async () => {
  server = await Server.start({ data });
  await server.silence();
});
after(async () => {
  await server.stop();
  rmSync(data, { recursive: true });
});

const pls = (rows, lang = "en") =>
  `<?xml version="1.0"?><lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa" xml:lang="${lang}">` +
  rows.map(([grapheme, alias]) => `<lexeme><grapheme>${grapheme}</grapheme><alias>${alias}</alias></lexeme>`).join("") +
  "</lexicon>";
const put = (body, type, path = LEXICON) => server.call("PUT", path, { body, type });

/** How long a line takes to be said on air, in ms. */
async function perform(text) {
  const start = Date.now();
  const cue = await server.say(text);
  const ended = await server.finished(cue.id);
  assert.equal(ended.state, "done", JSON.stringify(ended));
  assert.equal(ended.text, text);
  return Date.now() - start;
}

test("a lexicon comes as PLS or JSON, is shown as JSON, and goes", async () => {
  assert.equal((await server.get(LEXICON)).status, 404);
  const made = await put(pls([["W3C", "World Wide Web Consortium"]]), "application/pls+xml");
  assert.equal(made.status, 200, made.text);
  assert.deepEqual(made.json, { language: "en", rows: [{ grapheme: "W3C", alias: "World Wide Web Consortium" }], phonemes_only: 0, channel: "main" });
  const rows = { rows: [{ grapheme: "pecan", phoneme: "pɪˈkɑːn" }, { grapheme: "GIF", alias: "jif" }] };
  const json = await put(JSON.stringify(rows), "application/json");
  assert.equal(json.json.phonemes_only, 1);
  assert.equal((await server.get(LEXICON)).json.rows.length, 2);
  assert.equal((await server.call("DELETE", LEXICON)).status, 204);
  assert.equal((await server.call("DELETE", LEXICON)).status, 404);
  assert.equal((await server.get("/v1/channels/none/lexicon")).status, 404);
});

test("what is no lexicon is refused with the place, and the old one stays", async () => {
  await put(pls([["W3C", "World Wide Web Consortium"]]), "application/pls+xml");
  const laughs = '<!DOCTYPE lexicon [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><lexicon><lexeme><grapheme>&b;</grapheme></lexeme></lexicon>';
  const refused = [
    [laughs, "application/xml", 400, /document type/],
    ["<lexicon>\n<lexeme>", "application/xml", 400, /Line 2/],
    ["{", "application/json", 400, /line 1/],
    ['{"rows":[{"grapheme":"x"}]}', "application/json", 400, /rows\[0\]/],
    [pls([]), "application/xml", 400, /no rows/],
    ["x".repeat(300_000), "application/xml", 413, /large|bytes/i],
    ["W3C", "text/plain", 415, /Content-Type/],
  ];
  for (const [body, type, status, words] of refused) {
    const answer = await put(body, type);
    assert.ok(answer.status === status || (status === 400 && answer.status === 422), `${answer.status} ${answer.text}`);
    assert.match(answer.text, words);
  }
  assert.equal((await server.get(LEXICON)).json.rows.length, 1);
});

test("a lexicon changes what is said, but not the cue's text, and outlives a restart", async () => {
  await server.call("DELETE", LEXICON);
  const text = "The W3C and the W3C met.";
  const plain = await perform(text);
  await put(pls([["W3C", "World Wide Web Consortium of many people and companies"]]), "application/pls+xml");
  const long = await perform(text);
  assert.ok(long > plain + 2000, `${plain} ms, then ${long} ms`);
  await server.stop();
  server = await Server.start({ data });
  assert.equal((await server.get(LEXICON)).json.rows[0].grapheme, "W3C");
  const again = await perform(text);
  assert.ok(again > plain + 2000, `${plain} ms, then ${again} ms`);
});

test("a voice file takes a channel's lexicon, by respelling or by IPA", async () => {
  const phones = async (body) => {
    const made = await server.post("/v1/speech", { text: "Tomato.", voice: "flite:slt", ...body });
    assert.equal(made.status, 201, made.text);
    const marks = await server.get(made.json.marks);
    return marks.text.trim().split("\n").map((line) => JSON.parse(line)).filter((mark) => mark.type === "phone" && mark.value).map((mark) => mark.value).join(" ");
  };
  await put(JSON.stringify({ rows: [{ grapheme: "tomato", phoneme: "təˈmɑːtəʊ" }] }), "application/json");
  assert.equal(await phones({}), "t ax m ey t ow");
  assert.equal(await phones({ channel: "main" }), "t ax m aa t ow");
  await put(JSON.stringify({ rows: [{ grapheme: "tomato", alias: "potato" }] }), "application/json");
  assert.equal(await phones({ channel: "main" }), "p ax t ey t ow");
  assert.equal((await server.post("/v1/speech", { text: "Tomato.", channel: "none" })).status, 404);
  await server.call("DELETE", LEXICON);
});

test("a line is spoken in the language that it shows", async () => {
  for (const [text, voice] of [
    ["Guten Abend und willkommen, hier sind die Nachrichten.", /espeak:de/],
    ["今天的新闻到此结束。", /espeak:zh/],
    ["Good evening.", /flite/],
  ]) {
    const made = await server.post("/v1/speech", { text });
    assert.equal(made.status, 201, made.text);
    assert.match(made.json.voice, voice);
  }
});
