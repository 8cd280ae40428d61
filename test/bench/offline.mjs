// Offline rendering: how many times faster than real time `compere render` makes a film.
//
//     node test/bench/offline.mjs [--threads 1,2] [--size 1280x720] [--seconds 20] [flags of compere render]
//
// One line a number of threads: its speed from the first frame to the last (without the voice and the making of
// the stage), and of the whole command. Films are compared: they must be the same while the coder has one thread.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BIN, figure, makeDirectory } from "../flow/harness.mjs";

const flags = process.argv.slice(2);
const take = (name, otherwise) => (flags.includes(name) ? flags.splice(flags.indexOf(name), 2)[1] : otherwise);
const threads = take("--threads", "1,2").split(",").map(Number), size = take("--size", "1280x720"), seconds = Number(take("--seconds", "20"));
const SENTENCE = "The film is measured while I speak, since a silent presenter costs less than one who talks. "; // five seconds
const directory = makeDirectory(), digests = new Set();
for (const n of threads) {
  const file = join(directory, `${n}.mp4`), started = Date.now();
  const run = spawnSync(BIN, ["render", "--text", SENTENCE.repeat(Math.ceil(seconds / 5)), "--threads", String(n), "--size", size, ...flags, "-o", file], { encoding: "utf8" });
  if (run.status) throw new Error(run.stderr);
  const elapsed = (Date.now() - started) / 1000, length = Number(run.stderr.match(/: ([0-9.]+) s\n/)[1]);
  const speed = Number(run.stderr.match(/100%.*?([0-9.]+)x real time/)[1]);
  console.log(`  ${n} thread${n > 1 ? "s" : ""}, ${size}: ${speed.toFixed(2)} times real time, the whole command ${(length / elapsed).toFixed(2)}`);
  figure(`render_speed_${n}`, speed, "x real time", ">= 4");
  if (n <= 2) digests.add(createHash("sha256").update(readFileSync(file)).digest("hex"));
}
if (digests.size > 1) throw new Error("the films differ");
rmSync(directory, { recursive: true });
