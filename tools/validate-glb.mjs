// node tools/validate-glb.mjs FILE...: checks glTF files with Khronos' validator; exit 1 when one has errors.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import validator from 'gltf-validator';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node tools/validate-glb.mjs FILE...');
  process.exit(2);
}
let failed = false;
for (const file of files) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(file)), { maxIssues: 50, uri: basename(file) });
  const { numErrors, numWarnings, numInfos, messages } = report.issues;
  const { totalVertexCount, totalTriangleCount, hasMorphTargets, hasSkins } = report.info ?? {};
  console.log(
    `${file}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos; ${totalVertexCount} vertices, ` +
      `${totalTriangleCount} triangles, morph targets ${hasMorphTargets}, skins ${hasSkins}`,
  );
  for (const issue of messages.filter((m) => m.severity < 2)) {
    console.log(`  ${issue.code}: ${issue.message} (${issue.pointer ?? issue.offset})`);
  }
  failed ||= numErrors > 0;
}
process.exit(failed ? 1 : 0);
