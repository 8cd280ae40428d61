// A long run: the show speaks all the time, one viewer watches, and the figures must not move.
//   node test/flow/soak.mjs --minutes 10
// Bars: A/V offset drifts < 10 ms; memory flat after warm-up (< 5% and < 8 MB); every frame drawn or accounted for.
import { figure, Server, sleep } from "./harness.mjs";
import { play } from "./werift-viewer.mjs";

const minutes = Number(process.argv[process.argv.indexOf("--minutes") + 1] ?? 10);
const LINES = [
  "Good evening. This line is said again and again, to see whether anything grows.",
  "Bob's puppy pops up, and my mama may bake a pie.",
  "Seven silver swans swam silently seaward.",
];

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const server = await Server.start({ flags: ["--gateway-rate-per-s", "200", "--gateway-rate-burst", "2000"] });
const cue = async (i) => server.say(LINES[i % LINES.length], i % 5 === 4 ? { language: "de" } : {});
const samples = [];
const started = Date.now();
let spoken = 0;
let failed = 0;
const checks = [];
const check = (name, good, detail) => {
  checks.push(good);
  console.log(`${good ? "ok" : "not ok"} - ${name}: ${detail}`);
};

const viewer = await play(server.url);
try {
  while (Date.now() - started < minutes * 60_000) {
    const made = await cue(spoken++);
    const ended = await server.finished(made.id, "main", 60_000);
    failed += ended.state !== "done";
    const stats = (await server.get("/v1/channels/main/stats")).json;
    const memory = Number((await server.get("/metrics")).text.match(/process_resident_memory_bytes ([0-9.e+]+)/)[1]);
    samples.push({ at: Date.now() - started, av: stats.av_offset_ms, memory, frames: stats.frames, dropped: stats.dropped, encoded: stats.encoded, uptime: stats.uptime_s });
    if (samples.length % 20 === 0)
      console.log(`${Math.round((Date.now() - started) / 1000)} s: ${spoken} cues, A/V ${stats.av_offset_ms.toFixed(1)} ms, ${(memory / 1e6).toFixed(1)} MB, ${stats.frames} frames, ${stats.dropped} dropped`);
    await sleep(200);
  }
} finally {
  await viewer.close();
}

const warm = samples.filter((s) => s.at > Math.min(60_000, minutes * 15_000));
const third = Math.max(1, Math.floor(warm.length / 3));
const early = warm.slice(0, third), late = warm.slice(-third);
const drift = Math.abs(median(late.map((s) => s.av)) - median(early.map((s) => s.av)));
const grown = median(late.map((s) => s.memory)) - median(early.map((s) => s.memory));
const last = samples.at(-1);
const due = Math.floor(last.uptime * 30);
figure("soak_minutes", minutes, "min", ">= 10");
figure("soak_av_drift", drift, "ms", "< 10");
figure("soak_memory_growth", grown / 1e6, "MB", "< 8 and < 5%");
figure("soak_frames_unaccounted", due - last.frames - last.dropped, "frames", "<= 2");
check("A/V offset does not drift", drift < 10, `${drift.toFixed(2)} ms`);
check("memory is flat", grown < 8e6 && grown < 0.05 * median(early.map((s) => s.memory)), `${(grown / 1e6).toFixed(2)} MB`);
check("every frame is drawn or accounted for", Math.abs(due - last.frames - last.dropped) <= 2, `${due} due, ${last.frames} drawn, ${last.dropped} dropped`);
check("every cue was spoken", failed === 0 && spoken > 0, `${spoken} cues, ${failed} failed`);
const how = await server.stop();
check("the server ends cleanly", how.code === 0, JSON.stringify(how));
const bad = checks.filter((good) => !good).length;
console.log(`${checks.length - bad} passed, ${bad} failed`);
process.exit(bad ? 1 : 0);
