// How well the knowledge base answers: by the command line beside a running server, and by the API.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BIN, makeDirectory, Server } from "./harness.mjs";

const SET = `question,document,answer
How long does delivery to Spain take?,Delivery,four working days
How much does the stoneware mug hold?,Mugs,350
Who painted the ceiling of the chapel?,,
`;
const data = makeDirectory();
let server;
before(async () => {
  server = await Server.start({ data });
  for (const [title, body] of [["Delivery", "We deliver parcels to Spain within four working days."], ["Mugs", "The stoneware mug holds 350 millilitres."]])
    assert.equal((await server.call("POST", `/v1/documents?title=${title}`, { body, type: "text/plain" })).status, 201);
});
after(async () => {
  await server.stop();
  rmSync(data, { recursive: true });
});

test("compere eval prints a table or JSON", () => {
  const file = join(data, "set.csv");
  writeFileSync(file, SET);
  const table = spawnSync(BIN, ["eval", file, "--data", data], { encoding: "utf8" });
  assert.equal(table.status, 0, table.stderr);
  assert.match(table.stdout, /3 questions, 2 with an answer/);
  assert.match(table.stdout, /right passage first \(recall@1\) +100\.0 %/);
  assert.match(table.stdout, /refused rightly +100\.0 %/);
  assert.match(table.stdout, /threshold +refused rightly +refused wrongly\n +0\.00/);
  const json = spawnSync(BIN, ["eval", "--json", file, "--data", data], { encoding: "utf8" });
  assert.equal(JSON.parse(json.stdout).mrr_10, 1);
  const none = spawnSync(BIN, ["eval", file, "--collection", "other", "--json", "--data", data], { encoding: "utf8" });
  assert.equal(JSON.parse(none.stdout).recall_10, 0);
  for (const wrong of [["eval"], ["eval", "/nonexistent"], ["eval", file, "--nonsense"]]) assert.notEqual(spawnSync(BIN, [...wrong, "--data", data]).status, 0);
});

test("the API evaluates a set, bounded", async () => {
  const report = await server.call("POST", "/v1/evaluations", { body: SET, type: "text/csv" });
  assert.equal(report.status, 200, report.text);
  assert.deepEqual([report.json.recall_1, report.json.refused_right, report.json.curve.length], [1, 1, 21]);
  assert.ok(report.json.p99_ms > 0 && report.json.p99_ms < 100);
  const wrong = await server.call("POST", "/v1/evaluations", { body: "a,b\n1,2", type: "text/csv" });
  assert.ok(wrong.status >= 400 && wrong.status < 500);
  assert.match(wrong.json.detail, /name its columns/);
  const many = `question\n${"What?\n".repeat(2001)}`;
  const refused = await server.call("POST", "/v1/evaluations", { body: many, type: "text/csv" });
  assert.match(refused.json.detail, /2000 questions/);
});
