// Our stand-in for Azure's speech is judged by Microsoft's own client; then our server speaks by it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import sdk from "microsoft-cognitiveservices-speech-sdk";
import { Server } from "./harness.mjs";

let standIn, port, secret, ended;
before(async () => {
  standIn = spawn("build/test/unit/speech/speech_services", { stdio: ["pipe", "pipe", "inherit"] });
  ended = once(standIn, "exit");
  [port, secret] = (await once(createInterface(standIn.stdout), "line"))[0].split(" ");
});
after(async () => {
  standIn?.stdin.end();
  assert.deepEqual(await ended, [0, null], "a request was not as documented");
});

test("Microsoft's client hears sound, words and visemes from the stand-in", async () => {
  const config = sdk.SpeechConfig.fromHost(new URL(`ws://127.0.0.1:${port}`), secret);
  config.speechSynthesisVoiceName = "en-US-JennyNeural";
  config.speechSynthesisOutputFormat = sdk.SpeechSynthesisOutputFormat.Raw24Khz16BitMonoPcm;
  const synthesizer = new sdk.SpeechSynthesizer(config, null);
  const words = [], visemes = [];
  synthesizer.wordBoundary = (_, event) => words.push(event.text);
  synthesizer.visemeReceived = (_, event) => visemes.push(event.visemeId);
  for (const text of ["Good evening, dear friends.", "And a second turn."]) {
    const result = await new Promise((resolve, reject) => synthesizer.speakTextAsync(text, resolve, reject));
    assert.equal(result.reason, sdk.ResultReason.SynthesizingAudioCompleted, result.errorDetails);
    assert.ok(result.audioData.byteLength > 48_000, `${result.audioData.byteLength} bytes`);
  }
  await new Promise((resolve) => synthesizer.close(resolve));
  assert.deepEqual(words, ["Good", "evening", "dear", "friends", "And", "a", "second", "turn"]);
  assert.ok(visemes.filter((id) => id === 19).length >= 8 && visemes.includes(0), `${visemes}`);
});

test("our server speaks by it, lips and words as the service says", async () => {
  const server = await Server.start({
    flags: ["--speech-azure-url", `http://127.0.0.1:${port}`, "--speech-azure-key", "env:TEST_KEY", "--speech-azure-voices", "Jenny=en-US-JennyNeural/en-US/female"],
    env: { TEST_KEY: secret },
  });
  try {
    const made = await server.post("/v1/speech", { text: "Good evening, dear friends.", voice: "azure:Jenny" });
    assert.equal(made.status, 201, made.text);
    const marks = (await server.get(`/v1/speech/${made.json.id}/marks`)).text.trim().split("\n").map((line) => JSON.parse(line));
    const words = marks.filter((mark) => mark.type === "word").map((mark) => mark.value);
    assert.deepEqual(words, ["Good", "evening", "dear", "friends"]);
    // "Good" hums from 20 to 300 ms: a tongue and an open mouth by turns
    const good = marks.filter((mark) => mark.type === "phone").slice(0, 4).map((mark) => mark.value);
    assert.deepEqual(good, ["t", "ɑ", "t", "ɑ"], JSON.stringify(marks.slice(0, 12)));
  } finally {
    await server.stop();
  }
});
