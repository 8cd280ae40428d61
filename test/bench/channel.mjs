// The whole channel on one pinned core: pose, draw, voice, encode and one viewer (which runs on another core).
// Prints server CPU as cores, and its share by thread.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { Server, figure, sleep, until } from "../flow/harness.mjs";
import { play } from "../flow/werift-viewer.mjs";

const seconds = Number(process.argv[2] ?? 20);
const flags = process.argv.slice(3);
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"]));
const LINE = "The whole channel is measured while I speak, since a silent presenter costs less than one who talks. ";

const server = await Server.start({ flags });
execFileSync("taskset", ["-a", "-p", "-c", "0", String(server.process.pid)], { stdio: "ignore" });
execFileSync("taskset", ["-a", "-p", "-c", "1", String(process.pid)], { stdio: "ignore" });
await server.call("PATCH", "/v1/channels/main", { json: { rundown: { loop: true, cues: [{ text: LINE.repeat(8) }] } } });

/** CPU seconds by thread name (threads of one role added up), and of the workers. */
function cpu() {
  const by = {};
  const add = (path) => {
    const text = readFileSync(path, "utf8"), name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")).replace(/[0-9.]+$/, "");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    by[name] = (by[name] ?? 0) + (Number(fields[11]) + Number(fields[12])) / TICKS;
  };
  for (const task of readdirSync(`/proc/${server.process.pid}/task`)) add(`/proc/${server.process.pid}/task/${task}/stat`);
  return by;
}

const viewer = await play(server.url);
await until(() => viewer.count.frames > 60, { what: "frames" });
const before = cpu(), frames = viewer.count.frames, at = Date.now(), stats0 = (await server.get("/v1/channels/main/stats")).json;
await sleep(seconds * 1000);
const after = cpu(), elapsed = (Date.now() - at) / 1000, stats = (await server.get("/v1/channels/main/stats")).json;
let total = 0;
for (const name of Object.keys(after)) {
  const cores = (after[name] - (before[name] ?? 0)) / elapsed;
  total += cores;
  if (cores > 0.001) console.log(`  ${name.padEnd(10)} ${cores.toFixed(3)} core`);
}
for (const step of stats.steps) console.log(`  step ${step.step.padEnd(8)} p50 ${step.p50_ms.toFixed(2)} ms, p95 ${step.p95_ms.toFixed(2)} ms`);
console.log(`  instruction set: ${stats.simd}`);
figure("channel_cores", total, "core", "<= 0.6");
figure("channel_fps", (viewer.count.frames - frames) / elapsed, "frames/s", ">= 29");
figure("channel_dropped", stats.dropped - stats0.dropped, "frames", "0");
await viewer.close();
await server.stop();
process.exit(0);
