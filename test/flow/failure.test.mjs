// Failure is normal: each says what to do, and the show stays on air.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { BIN, Server, freePort, makeDirectory, sleep, until } from "./harness.mjs";

const run = (args, options = {}) => spawnSync(BIN, args, { encoding: "utf8", timeout: 60_000, ...options });

test("a port in use is said, with the way out", async () => {
  const port = await freePort();
  const taken = createServer();
  await new Promise((done) => taken.listen(port, "127.0.0.1", done));
  const data = makeDirectory();
  const result = run(["demo", "--data", data, "--listen", `127.0.0.1:${port}`, "--webrtc", "127.0.0.1:0"]);
  taken.close();
  rmSync(data, { recursive: true });
  assert.equal(result.status, 1);
  assert.match(result.stderr, new RegExp(`${port}.*(in use|--listen)`, "s"));
});

test("options that are wrong are named", () => {
  assert.match(run(["demo", "--webrtc-colour", "red"]).stderr, /colour/);
  assert.match(run(["demo", "--channel-width", "wide"]).stderr, /width.*number/);
  assert.match(run(["serve", "--config", "/nowhere.yaml"]).stderr, /nowhere/);
  assert.equal(run(["dance"]).status, 2);
});

test("a truncated presenter is refused with a reason", () => {
  const cast = makeDirectory();
  const glb = join(BIN, "../../../cast/ava.glb");
  writeFileSync(join(cast, "ava.glb"), readFileSync(glb).subarray(0, 100_000));
  const check = run(["avatar", "check", join(cast, "ava.glb")]);
  assert.equal(check.status, 1);
  assert.match(check.stderr, /trunc|short|end|bytes/i);
  assert.equal(run(["avatar", "check", glb]).status, 0);
  rmSync(cast, { recursive: true });
});

const isRoot = process.getuid() === 0;
test("a full disk refuses cues with a clear error, and the show stays on air", { skip: !isRoot && "needs root to mount a small disk" }, async () => {
  const data = makeDirectory();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", data]);
  let server;
  try {
    server = await Server.start({ data });
    await server.silence();
    writeFileSync(join(data, "filler"), Buffer.alloc(1));
    try {
      for (let i = 0; i < 4096; i++) writeFileSync(join(data, `filler${i}`), Buffer.alloc(16384));
    } catch (e) {
      assert.equal(e.code, "ENOSPC");
    }
    const refused = await until(
      async () => {
        const answer = await server.post("/v1/channels/main/cues", { text: "word ".repeat(3000) });
        return answer.status !== 202 && answer;
      },
      { what: "the full disk" },
    );
    assert.ok([500, 503, 507].includes(refused.status), refused.text);
    assert.match(refused.json.detail, /space|full|disk/i);
    await server.onAir();
    for (const name of readdirSync(data)) if (name.startsWith("filler")) rmSync(join(data, name));
    const cue = await server.say("There is room again.");
    assert.equal((await server.finished(cue.id, "main", 60_000)).state, "done");
  } finally {
    await server?.stop();
    execFileSync("umount", [data]);
    rmSync(data, { recursive: true });
  }
});

test("a voice worker that dies is replaced; the cue is still spoken", async () => {
  const server = await Server.start();
  await server.silence();
  await server.finished((await server.say("Eins.", { language: "de" })).id);
  const children = readFileSync(`/proc/${server.process.pid}/task/${server.process.pid}/children`, "utf8").trim();
  const workers = execFileSync("pgrep", ["-P", String(server.process.pid)], { encoding: "utf8" }).trim().split("\n").map(Number);
  assert.ok(workers.length >= 1, children);
  for (const pid of workers) process.kill(pid, "SIGKILL");
  const cue = await server.say("Zwei, drei, vier.", { language: "de" });
  assert.equal((await server.finished(cue.id)).state, "done");
  await server.onAir();
  await server.stop();
});

test("keys: made on the command line beside the running server, and nothing works without one", async () => {
  const server = await Server.start();
  const made = run(["key", "create", "--role", "operator", "--data", server.data]);
  assert.equal(made.status, 0, made.stderr);
  const key = made.stdout.trim();
  assert.match(key, /^cpk_/);
  await until(async () => (await server.get("/v1/channels", { key })).status === 200, { ms: 3000, what: "the new key" });
  assert.ok(!server.log.includes(key) && !server.log.includes(server.key), "no key in the log");
  assert.equal(run(["key", "create", "--role", "king", "--data", server.data]).status, 2);
  const said = run(["say", "Hello from the command line.", "--url", server.url], { env: { ...process.env, COMPERE_KEY: key } });
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stderr, /done/);
  await server.stop();
});

test("doctor says what is usable here", () => {
  const data = makeDirectory();
  const result = run(["doctor", "--data", join(data, "d"), "--webrtc", "127.0.0.1:0"]);
  assert.equal(result.status, 0, result.stdout);
  for (const word of ["drawing", "presenter", "voices", "x264", "records", "pages"]) assert.match(result.stdout, new RegExp(word));
  rmSync(data, { recursive: true });
});

test("an unusable data directory is said", async () => {
  const data = makeDirectory();
  mkdirSync(join(data, "sub"));
  writeFileSync(join(data, "file"), "");
  const result = run(["demo", "--data", join(data, "file"), "--listen", "127.0.0.1:0", "--webrtc", "127.0.0.1:0"]);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /file/);
  rmSync(data, { recursive: true });
  await sleep(0);
});
