// `compere render`: text, SSML and a rundown to MP4, checked by ffprobe.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { BIN, figure, makeDirectory } from "./harness.mjs";

const directory = makeDirectory();
after(() => rmSync(directory, { recursive: true }));

function probe(file) {
  const json = JSON.parse(execFileSync("ffprobe", ["-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", file], { encoding: "utf8" }));
  const video = json.streams.find((s) => s.codec_type === "video"), audio = json.streams.find((s) => s.codec_type === "audio");
  return { video, audio, duration: Number(json.format.duration) };
}

function render(args) {
  const started = Date.now();
  const result = spawnSync(BIN, ["render", ...args], { encoding: "utf8", timeout: 120_000 });
  return { ...result, seconds: (Date.now() - started) / 1000 };
}

test("text becomes a video, faster than real time, with progress", () => {
  const file = join(directory, "text.mp4");
  const result = render(["--text", "Good evening. Tonight we look at a very small program that hosts a show.", "-o", file]);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stderr, /100%/);
  const { video, audio, duration } = probe(file);
  assert.equal(video.codec_name, "h264");
  assert.equal(video.profile, "Constrained Baseline");
  assert.equal(video.has_b_frames, 0);
  assert.equal(`${video.width}x${video.height}`, "1280x720");
  assert.equal(audio.codec_name, "aac");
  assert.equal(audio.sample_rate, "48000");
  assert.equal(Number(video.nb_read_frames), Math.round(duration * 30));
  assert.ok(Math.abs(Number(video.duration) - Number(audio.duration)) < 0.1);
  const speed = Number(result.stderr.match(/100%.*?([0-9.]+)x real time/)?.[1] ?? 0);
  figure("render_speed", speed, "x real time", "> 1");
  assert.ok(speed > 1, result.stderr);
});

test("SSML and a rundown with cameras and a card", () => {
  const ssml = join(directory, "line.ssml"), rundown = join(directory, "show.json"), file = join(directory, "show.mp4");
  writeFileSync(ssml, "<speak>One. <break time='300ms'/> <prosody rate='slow'>Two.</prosody></speak>");
  assert.equal(render(["--ssml", ssml, "-o", file]).status, 0);
  writeFileSync(rundown, JSON.stringify({ cues: [{ text: "One.", camera: "close" }, { text: "Two.", camera: "wide", card: "Two" }] }));
  assert.equal(render(["--rundown", rundown, "-o", file]).status, 0);
  assert.ok(probe(file).duration > 2);
});

test("what is wrong is said", () => {
  assert.equal(render(["-o", "x.mp4"]).status, 2);
  assert.match(render(["--text", "Hi.", "-o", "/nowhere/x.mp4"]).stderr, /nowhere/);
  assert.match(render(["--text", "Hi.", "--voice", "flite:nobody", "-o", join(directory, "x.mp4")]).stderr, /nobody/);
  assert.match(render(["--ssml", "/nowhere.ssml", "-o", join(directory, "x.mp4")]).stderr, /nowhere/);
});
