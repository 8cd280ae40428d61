// What is uploaded, seen: products on cards and screens, videos that play, motions that move; and pictures made to harm.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { deflateSync } from "node:zlib";
import { BIN, makeDirectory, Server, sleep, until } from "./harness.mjs";
import { armUp } from "./motion.mjs";
import { chunk, count, decode, png, wrap } from "./png.mjs";

const CUES = "/v1/channels/main/cues";
const LINE = "This line lasts for some seconds, so that there is time to look at it, and then it lasts a little longer still. " + "A second sentence follows, for those who were late.";
const GREEN = [20, 160, 60], isGreen = ([r, g, b]) => g > 110 && r < 90 && b < 120;
const SMALL = [480, 270]; // of a channel that is quick to draw and to look at
const directory = makeDirectory();
let server;

before(async () => {
  server = await Server.start();
  await server.silence();
  const made = await server.post("/v1/channels", { id: "small", width: SMALL[0], height: SMALL[1] });
  assert.equal(made.status, 201, made.text);
});
after(async () => {
  rmSync(directory, { recursive: true });
  assert.ok(!/\[(png|mjpeg|h264|webp|mov|matroska)[^\]]*@ 0x/.test(server.log), "libav writes to our log only");
  await server.stop();
});

async function snapshot(query = "", channel = "main") {
  const answer = await server.get(`/v1/channels/${channel}/snapshot.png${query}`);
  assert.equal(answer.status, 200, answer.text);
  return decode(answer.bytes);
}

/** Speaks, hands a function the cue when it is on air, and cuts it. */
async function perform(fields, look, channel = "main") {
  const path = `/v1/channels/${channel}/cues`;
  const cue = await server.say(LINE, fields, channel);
  await until(async () => (await server.get(`${path}/${cue.id}`)).json.state === "speaking", { ms: 20_000, what: "the line on air" });
  const seen = await look();
  await server.call("DELETE", `${path}/${cue.id}`);
  await server.finished(cue.id, channel);
  return seen;
}

async function upload(path, body, type) {
  const answer = await server.call("POST", path, { body, type });
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

const seen = (rectangle, least, channel = "main") =>
  until(async () => count(await snapshot("", channel), rectangle, isGreen) >= least, { ms: 9000, every: 100, what: "green in the picture" });

test("a product stands on its card in wide, upright and square pictures, and on the set's screen", async () => {
  const { id } = await upload("/v1/media?name=mug", png(300, 300, GREEN), "image/png");
  const card = { title: "A mug of stoneware", text: "Thrown by hand", price: "€ 24.90", picture: id };
  await perform({ card }, () => seen([900, 100, 1240, 420], 40_000));
  await perform({ card: { ...card, side: "left" } }, () => seen([40, 100, 380, 420], 40_000));
  await perform({ card, screen: "card" }, () => seen([780, 100, 1280, 420], 8_000));
  for (const [name, width, height, rectangle] of [["tall", 360, 640, [180, 420, 360, 600]], ["square", 480, 480, [240, 300, 480, 480]]]) {
    const made = await server.post("/v1/channels", { id: name, width, height });
    assert.equal(made.status, 201, made.text);
    await perform({ card }, () => seen(rectangle, 3_000, name), name);
    assert.equal((await server.call("DELETE", `/v1/channels/${name}`)).status, 204);
  }
  await sleep(1700); // a card leaves a second after its words
  assert.equal(count(await snapshot(), [0, 0, 1280, 720], isGreen), 0);
  assert.match((await server.get("/metrics")).text, /compere_cards_total\{channel="main",result="made"\} [1-9]/);
});

test("a snapshot with alpha shows the presenter alone, whole", async () => {
  const picture = await snapshot("?alpha=1", "small"), all = [0, 0, ...SMALL];
  assert.deepEqual([picture.channels, picture.width, picture.height], [4, ...SMALL]);
  const drawn = count(picture, all, (p) => p[3] === 255), edge = count(picture, all, (p) => p[3] > 0 && p[3] < 255);
  assert.ok(drawn > 12_000 && drawn < 90_000, `${drawn} pixels`);
  assert.ok(edge > 200 && edge < 9_000, `${edge} pixels at edges`);
  assert.deepEqual([...picture.at(0, 0)], [0, 0, 0, 0]);
  assert.equal((await snapshot("?alpha=0", "small")).channels, 3);
  assert.equal((await server.get("/v1/channels/small/snapshot.png?alpha=yes")).status, 400);
  assert.match((await server.get("/metrics")).text, /compere_snapshots_total\{channel="small",kind="alpha"\} [1-9]/);
});

test("a video behind the presenter moves, begins again, and goes with its line", async () => {
  const file = join(directory, "two.mp4");
  const made = spawnSync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", "color=red:s=320x180:r=25:d=0.6", "-f", "lavfi", "-i", "color=blue:s=320x180:r=25:d=0.6",
    "-filter_complex", "[0][1]concat", "-pix_fmt", "yuv420p", file]);
  assert.equal(made.status, 0, String(made.stderr));
  const corner = async () => [...(await snapshot("", "small")).at(8, 8)], own = await corner();
  const { id, kind } = await upload("/v1/media?name=two", readFileSync(file), "video/mp4");
  assert.equal(kind, "video");
  const hues = await perform({ background: id }, async () => {
    const hues = [];
    for (const end = Date.now() + 9000; Date.now() < end && hues.length < 3; await sleep(60)) {
      const [r, , b] = await corner(), hue = r > b + 100 ? "red" : b > r + 100 ? "blue" : "";
      if (hue && hues.at(-1) !== hue) hues.push(hue);
    }
    return hues;
  }, "small");
  assert.equal(hues.length, 3, `seen: ${hues}`); // one, the other, and the first again
  await perform({}, () => until(async () => {
    const now = await corner();
    return own.every((v, k) => Math.abs(v - now[k]) < 12);
  }, { ms: 20_000, what: "the set again" }), "small");
  assert.equal((await server.post(CUES, { text: "No.", card: { title: "A film", picture: id } })).json.detail, `card.picture: ${id} is a video; a card takes pictures`);
});

test("an uploaded motion is an action, for cues and for marks in SSML", async () => {
  const refused = await server.call("POST", "/v1/actions?name=junk", { body: Buffer.alloc(900, 7), type: "model/gltf-binary" });
  assert.equal(refused.status, 422, refused.text);
  assert.equal((await server.call("POST", "/v1/actions?name=greet", { body: armUp(), type: "model/gltf-binary" })).status, 409);
  assert.equal((await server.call("POST", "/v1/actions?name=Arm%20up", { body: armUp(), type: "model/gltf-binary" })).status, 400);
  const motion = await upload("/v1/actions?name=arm-up", armUp(), "model/gltf-binary");
  assert.deepEqual([motion.id, motion.seconds, motion.bones], ["arm-up", 3, 1]);
  assert.equal((await server.call("POST", "/v1/actions?name=arm-up", { body: armUp(), type: "model/gltf-binary" })).status, 409);
  const listed = (await server.get("/v1/actions")).json.actions;
  assert.deepEqual(listed.find((a) => a.name === "arm-up"), { name: "arm-up", uploaded: true, seconds: 3, bones: 1 });
  assert.ok(listed.some((a) => a.name === "greet" && !a.uploaded));

  /** The most that is seen of an arm beside and above the head, on the picture's right. */
  const highest = async () => {
    let most = 0;
    for (const end = Date.now() + 2200; Date.now() < end; await sleep(150))
      most = Math.max(most, count(await snapshot("?alpha=1", "small"), [270, 0, 375, 112], (p) => p[3] === 255));
    return most;
  };
  const rest = await perform({ camera: "wide" }, highest, "small"), up = await perform({ camera: "wide", action: "arm-up" }, highest, "small");
  assert.ok(up > rest + 200, `${up} after ${rest} pixels`);
  const cues = "/v1/channels/small/cues", said = await server.post(cues, { ssml: `<speak>One. <mark name="action:arm-up"/> Two, and this goes on for a while, as long as the arm is up.</speak>`, camera: "wide" });
  assert.equal(said.status, 202, said.text);
  await until(async () => (await server.get(`${cues}/${said.json.id}`)).json.state === "speaking");
  const heard = await highest();
  assert.ok(heard > rest + 200, `${heard} after ${rest} pixels`);
  await server.finished(said.json.id, "small");

  assert.equal((await server.call("DELETE", "/v1/actions/arm-up")).status, 204);
  assert.equal((await server.post(CUES, { text: "No.", action: "arm-up" })).status, 400);
  assert.equal((await server.call("DELETE", "/v1/actions/greet")).status, 404);
});

test("who looks at the card turns to its side, and whose card says so presents it with the nearer hand", () => {
  /** The middle of the skin of the head, and how much skin is low on either side: hands. */
  const look = (name, fields) => {
    const rundown = join(directory, `${name}.json`), out = join(directory, `${name}.png`);
    writeFileSync(rundown, JSON.stringify({ cues: [{ text: "One line, and then another.", ...fields }] }));
    const run = spawnSync(BIN, ["render", "--rundown", rundown, "--set", "key", "--size", "480x270", "-o", out], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    const picture = decode(readFileSync(join(directory, `${name}-000050.png`)));
    const skin = ([r, g, b, a]) => a > 200 && r > 120 && r > g + 25 && g > b;
    let n = 0, sum = 0;
    for (let y = 30; y < 150; y++) for (let x = 170; x < 310; x++) if (skin(picture.at(x, y))) (n++, (sum += x));
    return { x: sum / n, left: count(picture, [0, 220, 150, 270], skin), right: count(picture, [330, 220, 480, 270], skin) };
  };
  const card = (side) => ({ title: "A mug", side }), ahead = look("ahead", { look: "camera", card: card("right") });
  const right = look("right", { look: "card", action: "present-card", card: { ...card("right"), price: "12.50" } });
  const left = look("left", { look: "card", action: "present-card", card: { ...card("left"), price: "12.50" } });
  assert.ok(right.x > ahead.x + 2 && left.x < ahead.x - 2, JSON.stringify({ left, ahead, right }));
  assert.ok(right.right > right.left + 100 && left.left > left.right + 100, JSON.stringify({ left, ahead, right }));
});

test("an uploaded motion is there after a restart", async () => {
  const data = makeDirectory();
  for (const status of [404, 204]) {
    const other = await Server.start({ data });
    assert.equal((await other.call("DELETE", "/v1/actions/arm-up")).status, status);
    const kept = await other.call("POST", "/v1/actions?name=arm-up", { body: armUp(), type: "model/gltf-binary" });
    assert.equal(kept.status, 201, kept.text);
    await other.stop();
  }
  rmSync(data, { recursive: true });
});

test("a picture and a video have a thumbnail, which goes with them", async () => {
  const film = join(directory, "thumb.mp4");
  spawnSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=c=0x00c000:s=320x180:d=1:r=30", "-pix_fmt", "yuv420p", film]);
  for (const [path, body, type] of [["/v1/media?name=a", png(64, 36, [0, 200, 0]), "image/png"], ["/v1/media?name=b", readFileSync(film), "video/mp4"]]) {
    const { id } = await upload(path, body, type);
    for (let time = 0; time < 2; time++) { // made, then kept
      const { status, bytes, type: got } = await fetch(`${server.url}/v1/media/${id}/thumbnail.png`, { headers: { Authorization: `Bearer ${server.key}` } })
        .then(async (answer) => ({ status: answer.status, type: answer.headers.get("content-type"), bytes: Buffer.from(await answer.arrayBuffer()) }));
      assert.deepEqual([status, got], [200, "image/png"]);
      const picture = decode(bytes), [r, g, b] = picture.at(96, 54);
      assert.deepEqual([picture.width, picture.height], [192, 108]);
      assert.ok(r < 30 && g > 160 && b < 30, `${[r, g, b]}`);
    }
    assert.equal((await server.call("DELETE", `/v1/media/${id}`)).status, 204);
    assert.equal((await server.get(`/v1/media/${id}/thumbnail.png`)).status, 404);
  }
});

test("pictures made to harm are refused within a second, with a reason, and the show goes on", async () => {
  const huge = wrap(30_000, 30_000, Buffer.alloc(1000)), deep = wrap(8000, 8000, Buffer.alloc(1000));
  const bomb = chunk("iCCP", Buffer.concat([Buffer.from("bomb\0\0"), deflateSync(Buffer.alloc(200 << 20), { level: 9 })]));
  const header = Buffer.from(png(64, 64, GREEN));
  header.writeUInt32BE(0, 16);
  const jpeg = Buffer.concat([Buffer.from("ffd8ffe000104a46494600010100000100010000", "hex"), Buffer.alloc(4000, Buffer.from("ffda0008010100003f00", "hex"))]);
  for (const [name, body, status, words] of [
    ["huge", huge, 413, /30000 x 30000/],
    ["deep", deep, 422, /million pixels/],
    ["header", header, 422, /size/],
    ["cut", png(640, 360, GREEN).subarray(0, 300), 422, /damaged/],
    ["scans", jpeg, [413, 422], /scans|no size/],
    ["webp", Buffer.concat([Buffer.from("RIFF\xff\xff\xff\x7fWEBPVP8L", "latin1"), Buffer.alloc(60, 255)]), [413, 422], /./],
    ["mp4", Buffer.concat([Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "latin1"), Buffer.alloc(5000, 1)]), 422, /./],
    ["webm", Buffer.concat([Buffer.from("1a45dfa3", "hex"), Buffer.alloc(5000, 255)]), 422, /./],
  ]) {
    const began = Date.now(), answer = await server.call("POST", `/v1/media?name=${name}`, { body, type: "application/octet-stream" });
    assert.ok([status].flat().includes(answer.status), `${name}: ${answer.status} ${answer.text}`);
    assert.match(answer.json.detail, words, name);
    assert.ok(Date.now() - began < 1000, `${name}: ${Date.now() - began} ms`);
  }
  /* A profile that grows a thousandfold is not read at all: the picture is fine without it. */
  const began = Date.now(), row = Buffer.alloc(1 + 3 * 64);
  const fine = await upload("/v1/media?name=bomb", wrap(64, 64, Buffer.concat(Array(64).fill(row)), [bomb]), "image/png");
  assert.equal(fine.width, 64);
  assert.ok(Date.now() - began < 1000, `${Date.now() - began} ms`);
  await server.onAir("small");
});
