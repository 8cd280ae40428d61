// Whole channels on one pinned core: pose, draw, voice, encode and one viewer of each (which run on another core).
//
//     node test/bench/channel.mjs [SECONDS] [--channels 1] [--size 1280x720] [flags of the server]
//
// Prints the server's CPU as cores, its share by thread, and what each channel lost.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { Server, figure, sleep, until } from "../flow/harness.mjs";
import { play } from "../flow/werift-viewer.mjs";

const flags = process.argv.slice(2);
const seconds = /^\d+$/.test(flags[0] ?? "") ? Number(flags.shift()) : 20;
const take = (name, otherwise) => (flags.includes(name) ? flags.splice(flags.indexOf(name), 2)[1] : otherwise);
const nChannels = Number(take("--channels", "1"));
const [width, height] = take("--size", "1280x720").split("x").map(Number);
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"]));
const LINE = "The whole channel is measured while I speak, since a silent presenter costs less than one who talks. ";

const server = await Server.start({ flags });
execFileSync("taskset", ["-a", "-p", "-c", "0", String(server.process.pid)], { stdio: "ignore" });
execFileSync("taskset", ["-a", "-p", "-c", "1", String(process.pid)], { stdio: "ignore" });
const channels = Array.from({ length: nChannels }, (_, i) => (i ? `c${i + 1}` : "main"));
for (const [i, id] of channels.entries()) {
  const rundown = { loop: true, cues: [{ text: `${i ? "I speak beside another. " : ""}${LINE.repeat(8)}` }] };
  const made = i
    ? await server.post("/v1/channels", { id, title: id, presenter: "leo", width, height, rundown })
    : await server.call("PATCH", "/v1/channels/main", { json: { width, height, rundown } });
  if (made.status >= 400) throw new Error(JSON.stringify(made.json));
}

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

const viewers = await Promise.all(channels.map((id) => play(server.url, id)));
await until(() => viewers.every((viewer) => viewer.count.frames > 60), { what: "frames" });
const statsOf = (id) => server.get(`/v1/channels/${id}/stats`).then((answer) => answer.json);
const before = cpu(), at = Date.now(), framesBefore = viewers.map((viewer) => viewer.count.frames);
const statsBefore = await Promise.all(channels.map(statsOf));
await sleep(seconds * 1000);
const after = cpu(), elapsed = (Date.now() - at) / 1000, stats = await Promise.all(channels.map(statsOf));
const frames = viewers.map((viewer, i) => (viewer.count.frames - framesBefore[i]) / elapsed);
let total = 0;
for (const name of Object.keys(after)) {
  const cores = (after[name] - (before[name] ?? 0)) / elapsed;
  total += cores;
  if (cores > 0.001) console.log(`  ${name.padEnd(10)} ${cores.toFixed(3)} core`);
}
for (const [i, id] of channels.entries()) {
  const steps = stats[i].steps.map((step) => `${step.step} ${step.p50_ms.toFixed(2)} (${step.p95_ms.toFixed(2)})`);
  console.log(`  ${id}, ${width}x${height}, ms p50 (p95): ${steps.join(", ")}`);
}
console.log(`  instruction set: ${stats[0].simd}`);
figure("channel_cores", total, "core", nChannels > 1 || width > 1280 ? "<= 1" : "<= 0.42");
for (const [i, id] of channels.entries()) {
  figure(`${id}_fps`, frames[i], "frames/s", ">= 29");
  figure(`${id}_dropped`, stats[i].dropped - statsBefore[i].dropped, "frames", "0");
}
await Promise.all(viewers.map((viewer) => viewer.close()));
await server.stop();
process.exit(0);
