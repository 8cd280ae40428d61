#!/usr/bin/env node
// A foreign avatar of a given weight for the benchmark, from any small one: edges are halved until it has so many
// triangles (40,000 by default). Textures, skin and morph targets come along.
//
//     tools/make-bench-avatar.mjs ../shared/avatars/rpm-brunette.glb build/foreign.glb [TRIANGLES]
//     build/test/bench/render/bench_render build/foreign.glb
//
// The same input gives the same bytes. Sparse and compressed files are not read: take the plain one.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const [input, output, wanted = "40000"] = process.argv.slice(2);
if (!output) {
  console.error("usage: make-bench-avatar.mjs IN.glb OUT.glb [TRIANGLES]");
  process.exit(2);
}
if (!existsSync(input)) {
  console.log(`${input} is not here: nothing is made`);
  process.exit(0);
}

const file = readFileSync(input);
const jsonLength = file.readUInt32LE(12);
const gltf = JSON.parse(file.subarray(20, 20 + jsonLength).toString());
const bin = file.subarray(28 + jsonLength);
const TYPES = { 5120: Int8Array, 5121: Uint8Array, 5122: Int16Array, 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array };
const WIDTH = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT4: 16 };

// all numbers of an accessor, one array for each element
function read(index) {
  const accessor = gltf.accessors[index];
  if (accessor.sparse) throw new Error("sparse accessors are not read");
  const width = WIDTH[accessor.type], Type = TYPES[accessor.componentType], size = Type.BYTES_PER_ELEMENT;
  if (accessor.bufferView === undefined) return Array.from({ length: accessor.count }, () => Array(width).fill(0));
  const view = gltf.bufferViews[accessor.bufferView];
  const start = (view.byteOffset ?? 0) + (accessor.byteOffset ?? 0), stride = view.byteStride ?? width * size;
  const most = accessor.normalized ? 2 ** (8 * size - (Type.name[0] === "I" ? 1 : 0)) - 1 : 1;
  return Array.from({ length: accessor.count }, (_, i) => {
    const at = start + i * stride;
    return Array.from(new Type(bin.buffer.slice(bin.byteOffset + at, bin.byteOffset + at + width * size)), (x) => x / most);
  });
}

const chunks = [], views = [], accessors = [];
let length = 0;
function addView(bytes) {
  chunks.push(bytes, Buffer.alloc(-bytes.length & 3));
  views.push({ buffer: 0, byteOffset: length, byteLength: bytes.length });
  length += bytes.length + (-bytes.length & 3);
  return views.length - 1;
}
function write(rows, type, Type) {
  const data = Type.from(rows.flat());
  const accessor = { bufferView: addView(Buffer.from(data.buffer)), componentType: +Object.keys(TYPES).find((k) => TYPES[k] === Type), count: rows.length, type };
  if (type === "VEC3") {
    accessor.min = [0, 1, 2].map((k) => rows.reduce((least, row) => Math.min(least, row[k]), Infinity));
    accessor.max = [0, 1, 2].map((k) => rows.reduce((most, row) => Math.max(most, row[k]), -Infinity));
  }
  return accessors.push(accessor) - 1;
}

const halfway = (a, b) => a.map((x, k) => (x + b[k]) / 2);
const unit = (v) => v.map((x) => x / (Math.hypot(...v.slice(0, 3)) || 1));

// a vertex between two: its influences are the strongest four of both
function bindHalfway(primitive, a, b) {
  const share = new Map();
  for (const v of [a, b])
    primitive.JOINTS_0[v].forEach((joint, k) => share.set(joint, (share.get(joint) ?? 0) + primitive.WEIGHTS_0[v][k] / 2));
  const best = [...share].sort((x, y) => y[1] - x[1]).slice(0, 4);
  while (best.length < 4) best.push([0, 0]);
  const sum = best.reduce((total, [, w]) => total + w, 0) || 1;
  primitive.JOINTS_0.push(best.map(([joint]) => joint));
  primitive.WEIGHTS_0.push(best.map(([, w]) => w / sum));
}

function split(primitive, most) {
  const middles = new Map(), { attributes, targets } = primitive, result = [];
  const middle = (a, b) => {
    const key = a < b ? `${a},${b}` : `${b},${a}`;
    if (!middles.has(key)) {
      middles.set(key, attributes.POSITION.length);
      for (const [name, rows] of Object.entries(attributes)) {
        if (name === "JOINTS_0" || name === "WEIGHTS_0") continue;
        const row = halfway(rows[a], rows[b]);
        rows.push(name === "NORMAL" ? unit(row) : name === "TANGENT" ? [...unit(row.slice(0, 3)), rows[a][3]] : row);
      }
      if (attributes.JOINTS_0) bindHalfway(attributes, a, b);
      for (const target of targets) for (const rows of Object.values(target)) rows.push(halfway(rows[a], rows[b]));
    }
    return middles.get(key);
  };
  for (const [a, b, c] of primitive.triangles) {
    if (most < 3) {
      result.push([a, b, c]);
      continue;
    }
    const ab = middle(a, b), bc = middle(b, c), ca = middle(c, a);
    result.push([a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]);
    most -= 3;
  }
  primitive.triangles = result;
  return most;
}

const primitives = gltf.meshes.flatMap((mesh) =>
  mesh.primitives.map((json) => {
    const attributes = Object.fromEntries(Object.entries(json.attributes).map(([name, index]) => [name, read(index)]));
    const corners = json.indices === undefined ? attributes.POSITION.map((_, i) => i) : read(json.indices).flat();
    const triangles = Array.from({ length: corners.length / 3 }, (_, i) => corners.slice(3 * i, 3 * i + 3));
    const targets = (json.targets ?? []).map((target) => Object.fromEntries(Object.entries(target).map(([name, index]) => [name, read(index)])));
    return { json, attributes, triangles, targets };
  }),
);
const count = () => primitives.reduce((sum, primitive) => sum + primitive.triangles.length, 0);
for (let left = wanted - count(); left >= 3; left = wanted - count())
  for (const primitive of primitives) left = split(primitive, left);

const TYPE_OF = { POSITION: "VEC3", NORMAL: "VEC3", TANGENT: "VEC4", JOINTS_0: "VEC4", WEIGHTS_0: "VEC4" };
for (const { json, attributes, triangles, targets } of primitives) {
  for (const [name, rows] of Object.entries(attributes))
    json.attributes[name] = write(rows, TYPE_OF[name] ?? `VEC${rows[0].length}`, name === "JOINTS_0" ? Uint16Array : Float32Array);
  json.indices = write(triangles.flat().map((corner) => [corner]), "SCALAR", Uint32Array);
  if (targets.length) json.targets = targets.map((target) => Object.fromEntries(Object.entries(target).map(([name, rows]) => [name, write(rows, "VEC3", Float32Array)])));
}
for (const skin of gltf.skins ?? []) skin.inverseBindMatrices = write(read(skin.inverseBindMatrices), "MAT4", Float32Array);
for (const image of gltf.images ?? []) {
  const view = gltf.bufferViews[image.bufferView];
  image.bufferView = addView(bin.subarray(view.byteOffset ?? 0, (view.byteOffset ?? 0) + view.byteLength));
}
delete gltf.animations;
Object.assign(gltf, { accessors, bufferViews: views, buffers: [{ byteLength: length }] });

const text = Buffer.from(JSON.stringify(gltf)), padding = Buffer.alloc(-text.length & 3, " ");
const header = Buffer.alloc(20), binary = Buffer.alloc(8);
header.write("glTF", 0);
header.writeUInt32LE(2, 4);
header.writeUInt32LE(28 + text.length + padding.length + length, 8);
header.writeUInt32LE(text.length + padding.length, 12);
header.write("JSON", 16);
binary.writeUInt32LE(length, 0);
binary.write("BIN\0", 4);
writeFileSync(output, Buffer.concat([header, text, padding, binary, ...chunks]));
console.log(`${output}: ${count()} triangles, ${primitives.reduce((sum, p) => sum + p.attributes.POSITION.length, 0)} vertices`);
