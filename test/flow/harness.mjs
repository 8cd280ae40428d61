// Starts the real server on free ports with a data directory of its own, and talks to it.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const BIN = process.env.COMPERE_BIN ?? join(ROOT, "build/src/app/compere");

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks `ready` every `every` ms until it gives something true; that, or an error after `ms`. */
export async function until(ready, { ms = 10_000, every = 50, what = "a condition" } = {}) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await ready();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what} did not come within ${ms} ms`);
    await sleep(every);
  }
}

/** A TCP port that is free now. */
export function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export function makeDirectory() {
  return mkdtempSync(join(tmpdir(), "compere-test-"));
}

/** A server under test. `data` is removed by stop() unless it was given. */
/** What a test that failed has left behind would keep its file from ending: it gets a while for the file's own hooks. */
const running = new Set();
if (process.env.NODE_TEST_CONTEXT) after(() => void setTimeout(() => running.forEach((server) => server.kill("SIGKILL")), 15_000).unref());

export class Server {
  static async start({ command = "demo", data, flags = [], wait = true, quiet = true, port, env = {} } = {}) {
    const server = new this();
    server.ownsData = !data;
    server.data = data ?? makeDirectory();
    server.port = port ?? (await freePort());
    server.webrtcPort = await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    server.log = "";
    server.process = spawn(
      BIN,
      [command, "--data", server.data, "--listen", `127.0.0.1:${server.port}`, "--webrtc", `127.0.0.1:${server.webrtcPort}`, ...flags],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } },
    );
    running.add(server.process);
    server.process.on("exit", () => running.delete(server.process));
    server.over = null; // how it ended
    server.exited = new Promise((done) => server.process.on("exit", (code, signal) => done((server.over = { code, signal }))));
    for (const stream of [server.process.stdout, server.process.stderr])
      stream.on("data", (bytes) => {
        server.log = (server.log + bytes).slice(-200_000);
        if (!quiet) process.stderr.write(bytes);
      });
    try {
      if (wait) await server.ready();
    } catch (error) {
      await server.kill();
      throw error;
    }
    return server;
  }

  async ready() {
    await until(
      async () => {
        if (this.over) throw new Error(`the server ended: ${JSON.stringify(this.over)}\n${this.log}`);
        return (await fetch(`${this.url}/readyz`).catch(() => null))?.status === 200;
      },
      { ms: 60_000, what: "readiness" },
    );
    const key = join(this.data, "admin.key");
    if (existsSync(key)) this.key = readFileSync(key, "utf8").trim();
  }

  /** A request; `json` is sent as the body, and an answer that is JSON comes back parsed. */
  async call(method, path, { json, body, type, key = this.key, headers = {} } = {}) {
    const sent = { ...headers };
    if (key) sent.Authorization = `Bearer ${key}`;
    if (json !== undefined) sent["Content-Type"] = "application/json";
    if (type) sent["Content-Type"] = type;
    const answer = await fetch(this.url + path, { method, headers: sent, body: json === undefined ? body : JSON.stringify(json) });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isJson = /json/.test(answer.headers.get("content-type") ?? "") && !/jsonl/.test(answer.headers.get("content-type"));
    return { status: answer.status, headers: answer.headers, bytes, text: bytes.toString(), json: isJson ? JSON.parse(bytes) : undefined };
  }

  get(path, options) {
    return this.call("GET", path, options);
  }

  post(path, json, options) {
    return this.call("POST", path, { json, ...options });
  }

  /** Stops the demo's rundown, so that only cues speak. */
  async silence(channel = "main") {
    const answer = await this.call("PATCH", `/v1/channels/${channel}`, { json: { rundown: { loop: false, cues: [] } } });
    if (answer.status !== 200) throw new Error(answer.text);
    await until(async () => !(await this.get(`/v1/channels/${channel}/stats`)).json.speaking, { what: "silence" });
  }

  async say(text, fields = {}, channel = "main") {
    const answer = await this.post(`/v1/channels/${channel}/cues`, { text, ...fields });
    if (answer.status !== 202) throw new Error(answer.text);
    return answer.json;
  }

  /** The cue when it has ended. */
  finished(id, channel = "main", ms = 30_000) {
    return until(
      async () => {
        const { json } = await this.get(`/v1/channels/${channel}/cues/${id}`);
        return ["done", "cut", "failed"].includes(json.state) && json;
      },
      { ms, what: `the end of ${id}` },
    );
  }

  /** The show is on air: pictures come at more than 20 a second (the figure is of the last whole second). */
  onAir(channel = "main") {
    return until(async () => (await this.get(`/v1/channels/${channel}/stats`)).json.fps > 20, { ms: 5000, every: 200, what: "20 frames a second" });
  }

  kill(signal = "SIGKILL") {
    this.process.kill(signal);
    return this.exited;
  }

  async stop() {
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 15_000);
    const how = await this.exited;
    clearTimeout(timer);
    if (this.ownsData) rmSync(this.data, { recursive: true, force: true });
    return how;
  }
}

/** Listens to server-sent events; `events` grows. Call close() at the end. */
export async function listen(server, path, { key = server.key, headers = {} } = {}) {
  const abort = new AbortController();
  const answer = await fetch(server.url + path, {
    headers: { ...(key ? { Authorization: `Bearer ${key}` } : {}), ...headers },
    signal: abort.signal,
  });
  const events = [];
  const reading = (async () => {
    let text = "";
    for await (const bytes of answer.body) {
      text += Buffer.from(bytes).toString();
      for (let at; (at = text.indexOf("\n\n")) >= 0; text = text.slice(at + 2)) {
        const event = { type: "message", data: "" };
        for (const line of text.slice(0, at).split("\n")) {
          if (line.startsWith("event:")) event.type = line.slice(6).trim();
          else if (line.startsWith("id:")) event.id = line.slice(3).trim();
          else if (line.startsWith("data:")) event.data += line.slice(5).trim();
        }
        if (event.data) events.push({ ...event, data: JSON.parse(event.data), at_ms: performance.now() });
      }
    }
  })().catch(() => {});
  return { status: answer.status, events, close: async () => (abort.abort(), await reading) };
}

/** A measured figure, printed so that the log keeps it: name, value, unit and the bar it is held to. */
export function figure(name, value, unit, bar) {
  console.log(`figure: ${name} = ${typeof value === "number" ? Math.round(value * 100) / 100 : value} ${unit} (bar: ${bar})`);
}
