// A motion for any humanoid, as a glTF file: the left upper arm goes up by a right angle, stays, and comes down.

const H = Math.SQRT1_2; // a quarter turn about z: (0, 0, H, H)

export function armUp(seconds = 3) {
  const times = [0, 0.3 * seconds, 0.7 * seconds, seconds], turns = [[0, 0, 0, 1], [0, 0, H, H], [0, 0, H, H], [0, 0, 0, 1]];
  const data = Buffer.from(new Float32Array([...times, ...turns.flat()]).buffer);
  const json = {
    asset: { version: "2.0" },
    nodes: [
      { name: "Hips", translation: [0, 1, 0], children: [1] },
      { name: "LeftArm", translation: [0.2, 0.4, 0], children: [2] },
      { name: "LeftForeArm", translation: [0.3, 0, 0] },
    ],
    animations: [{ channels: [{ sampler: 0, target: { node: 1, path: "rotation" } }], samplers: [{ input: 0, output: 1 }] }],
    accessors: [
      { bufferView: 0, componentType: 5126, type: "SCALAR", count: 4 },
      { bufferView: 0, byteOffset: 16, componentType: 5126, type: "VEC4", count: 4 },
    ],
    bufferViews: [{ buffer: 0, byteLength: data.length }],
    buffers: [{ byteLength: data.length }],
  };
  const pad = (bytes, fill) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4, fill)]);
  const part = (type, bytes) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(bytes.length, 0);
    head.writeUInt32LE(type, 4);
    return Buffer.concat([head, bytes]);
  };
  const body = Buffer.concat([part(0x4e4f534a, pad(Buffer.from(JSON.stringify(json)), 32)), part(0x004e4942, pad(data, 0))]);
  const head = Buffer.alloc(12);
  head.write("glTF");
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(12 + body.length, 8);
  return Buffer.concat([head, body]);
}
