// `compere render`: text, SSML and a rundown to MP4, checked by ffprobe.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { BIN, Server, figure, makeDirectory } from "./harness.mjs";
import { armUp } from "./motion.mjs";
import { decode, png } from "./png.mjs";

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

const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

test("lines have stages, motions and pictures of their own; the film is the same however many draw it", () => {
  const rundown = join(directory, "staged.json"), motion = join(directory, "arm.glb"), picture = join(directory, "green.png");
  writeFileSync(motion, armUp());
  writeFileSync(picture, png(64, 36, [0, 200, 0]));
  writeFileSync(rundown, JSON.stringify({ cues: [
    { text: "One line.", camera: "close", emotion: "happy", emotion_intensity: 0.5, screen: picture },
    { text: "Two, elsewhere.", set: "newsroom", presenter: "leo", camera: "medium", camera_move_s: 0.4, screen: "card", card: { title: "A mug", picture } },
    { text: "Three.", set: "plain", background: "#204080", light: "evening", action: "arm-up", look: "notes" },
    { text: "Four.", background: picture },
    { text: "And the first stage again.", camera: "wide", screen: picture },
  ] }));
  const digests = [1, 2].map((threads) => {
    const file = join(directory, `staged${threads}.mp4`);
    const result = render(["--rundown", rundown, "--motion", `arm-up=${motion}`, "--size", "320x180", "--threads", String(threads), "-o", file]);
    assert.equal(result.status, 0, result.stderr);
    return digest(file);
  });
  assert.equal(digests[0], digests[1]);
  const frames = join(directory, "staged.rgb");
  execFileSync("ffmpeg", ["-v", "error", "-i", join(directory, "staged1.mp4"), "-f", "rawvideo", "-pix_fmt", "rgb24", frames]);
  const bytes = readFileSync(frames), size = 320 * 180 * 3, corner = (i) => [...bytes.subarray(i * size, i * size + 3)];
  const seen = Array.from({ length: bytes.length / size }, (_, i) => corner(i));
  const is = (wanted) => ([r, g, b]) => Math.abs(r - wanted[0]) + Math.abs(g - wanted[1]) + Math.abs(b - wanted[2]) < 60;
  assert.ok(seen.some(is([0x20, 0x40, 0x80])) && seen.some(is([0, 200, 0])), "the third and fourth stage");
  assert.ok(!is([0, 200, 0])(seen[0]) && !is([0, 200, 0])(seen.at(-1)), "the first stage, at the beginning and the end");
});

test("a motion moves who is drawn; what was uploaded to a server is there too", async () => {
  const data = makeDirectory(), server = await Server.start({ data });
  for (const [path, body, type] of [["/v1/actions?name=arm-up", armUp(), "model/gltf-binary"], ["/v1/media?name=blue", png(64, 36, [0, 0, 220]), "image/png"]]) {
    const made = await server.call("POST", path, { body, type });
    assert.equal(made.status, 201, made.text);
    if (made.json.id.startsWith("med_")) writeFileSync(join(directory, "uploaded.json"), JSON.stringify({ cues: [{ text: "Up goes the arm, and stays there.", camera: "wide", action: "arm-up", background: made.json.id }] }));
  }
  await server.stop();
  const highest = (name, args) => {
    const out = join(directory, `${name}.png`);
    mkdirSync(directory, { recursive: true });
    const result = render([...args, "--size", "320x180", "-o", out]);
    assert.equal(result.status, 0, result.stderr);
    const files = readdirSync(directory).filter((file) => file.startsWith(`${name}-`)).sort();
    const picture = decode(readFileSync(join(directory, files[55])));
    let n = 0;
    for (let y = 0; y < 75; y++) for (let x = 180; x < 250; x++) n += picture.at(x, y)[3] === 255;
    return n;
  };
  const rest = highest("rest", ["--text", "Up goes the arm, and stays there.", "--camera", "wide"]);
  const up = highest("up", ["--rundown", join(directory, "uploaded.json"), "--data", data]);
  assert.ok(up > rest + 60, `${up} after ${rest} pixels`);
  rmSync(data, { recursive: true });
});

test("what is wrong is said", () => {
  const lines = join(directory, "wrong.json");
  for (const [cue, words] of [[{ set: "attic" }, /line 2: there is no set "attic"/], [{ light: "neon" }, /line 2: there is no light/], [{ action: "fly" }, /line 2: there is no action "fly"/], [{ screen: "nothing.png" }, /line 2: .*nothing.png/]]) {
    writeFileSync(lines, JSON.stringify({ cues: [{ text: "Hi." }, { text: "Hi.", ...cue }] }));
    const result = render(["--rundown", lines, "--size", "320x180", "-o", join(directory, "wrong.mp4")]);
    assert.equal(result.status, 1);
    assert.match(result.stderr, words);
  }
  assert.match(render(["--text", "Hi.", "--motion", "arm", "-o", "x.mp4"]).stderr, /NAME=FILE/);
  assert.match(render(["--text", "Hi.", "--data", "/nowhere", "-o", "x.mp4"]).stderr, /\/nowhere/);
  assert.match(render(["--text", "Hi.", "--threads", "99", "-o", "x.mp4"]).stderr, /1 to 16/);
  assert.equal(render(["-o", "x.mp4"]).status, 2);
  assert.match(render(["--text", "Hi.", "-o", "/nowhere/x.mp4"]).stderr, /nowhere/);
  assert.match(render(["--text", "Hi.", "--voice", "flite:nobody", "-o", join(directory, "x.mp4")]).stderr, /nobody/);
  assert.match(render(["--ssml", "/nowhere.ssml", "-o", join(directory, "x.mp4")]).stderr, /nowhere/);
});
