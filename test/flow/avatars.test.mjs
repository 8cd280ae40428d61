// Characters of other tools: every file of shared/avatars, and what glTF-Transform makes of one.
// The tool is not among our packages (it brings 170 of its own): GLTF_TRANSFORM names it, else the test is skipped.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { BIN, makeDirectory } from "./harness.mjs";

const directory = makeDirectory();
after(() => rmSync(directory, { recursive: true }));

// shared/ lies beside the repository, or beside the folder that holds it
function findShared() {
  for (let at = process.cwd(); dirname(at) !== at; at = dirname(at))
    if (existsSync(join(at, "shared/avatars"))) return join(at, "shared/avatars");
  return null;
}
const shared = findShared();
const skip = shared ? false : "shared/avatars is not beside the repository";
const tool = process.env.GLTF_TRANSFORM;

function check(file) {
  const started = Date.now();
  const result = spawnSync(BIN, ["avatar", "check", file, "--json"], { encoding: "utf8", timeout: 20_000 });
  return { ...result, report: JSON.parse(result.stdout), ms: Date.now() - started };
}

test("a foreign character speaks", { skip }, () => {
  for (const name of ["rpm-brunette.glb", "chr_knight.glb", "VRMC_vrm_expressions_isBinary_Overrides.vrm"]) {
    const { report } = check(join(shared, name));
    assert.equal(report.usable, true, name);
    const file = join(directory, "spoken.mp4");
    const result = spawnSync(BIN, ["render", "--text", "Hello.", "--presenter", join(shared, name), "-o", file], { encoding: "utf8", timeout: 60_000 });
    assert.equal(result.status, 0, result.stderr);
    assert.ok(existsSync(file));
  }
});

test("a motion and a model in parts are told apart from characters", { skip }, () => {
  const motion = check(join(shared, "test.vrma"));
  assert.equal(motion.status, 1);
  assert.equal(motion.report.motion, true);
  assert.match(motion.report.reason, /use it as an action/);
  const parts = check(join(shared, "mtoon-cube.gltf"));
  assert.equal(parts.status, 1);
  assert.match(parts.report.reason, /cube_mesh\.bin/);
});

test("a truncated character is refused at once, with a reason", { skip }, () => {
  const file = join(directory, "cut.glb"), whole = readFileSync(join(shared, "rpm-brunette.glb")).length;
  for (const part of [0.9, 0.5, 0.1, 0.001]) {
    copyFileSync(join(shared, "rpm-brunette.glb"), file);
    spawnSync("chmod", ["u+w", file]);
    truncateSync(file, Math.floor(whole * part));
    const { status, report, ms } = check(file);
    assert.equal(status, 1);
    assert.match(report.reason, /truncated/);
    assert.ok(ms < 1000, `${ms} ms`);
  }
});

test("packed variants are the same character", { skip: skip || (tool ? false : "GLTF_TRANSFORM names no glTF-Transform") }, () => {
  const plain = check(join(shared, "rpm-brunette.glb")).report;
  for (const way of ["meshopt", "quantize", "webp", "sparse"]) {
    const file = join(directory, `${way}.glb`);
    const made = spawnSync(tool, [way, join(shared, "rpm-brunette.glb"), file], { encoding: "utf8", timeout: 120_000 });
    assert.equal(made.status, 0, made.stderr);
    const { report } = check(file);
    for (const key of ["usable", "triangles", "joints", "shapes", "visemes", "bones", "textures"])
      assert.equal(report[key], plain[key], `${way}: ${key}`);
  }
});

test("the benchmark's avatar is made of any other", { skip }, () => {
  const file = join(directory, "heavy.glb"), source = join(shared, "rpm-brunette.glb");
  const made = spawnSync("node", ["tools/make-bench-avatar.mjs", source, file], { encoding: "utf8", timeout: 60_000 });
  assert.equal(made.status, 0, made.stderr);
  const { report } = check(file), plain = check(source).report;
  assert.ok(Math.abs(report.triangles - 40000) < 3, `${report.triangles}`);
  for (const key of ["usable", "joints", "shapes", "visemes", "bones", "textures"]) assert.equal(report[key], plain[key], key);
});
