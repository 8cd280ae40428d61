// The presenters' VRM files in Chromium by three-vrm, the loader that most pages use: bones, expressions, a picture.
// Environment: COMPERE_CAST (default build/cast), VRM_SCREENSHOT: where to keep the picture. Nothing leaves the machine.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from './harness.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cast = process.env.COMPERE_CAST ?? `${root}/build/cast`;
const program = process.env.COMPERE ?? `${root}/build/src/app/compere`;
const foreign = ['Box.glb', 'BoxMeshopt.glb', 'BoxVertexColors.glb', 'chr_knight.glb', 'rpm-brunette.glb'].concat(
  ['Overridden', 'Overrides'].map((which) => `VRMC_vrm_expressions_isBinary_${which}.vrm`),
);
const names = ['ava', 'leo', 'mira'];
const sided = ['Shoulder', 'UpperArm', 'LowerArm', 'Hand', 'UpperLeg', 'LowerLeg', 'Foot', 'Toes'];
const fingers = ['ThumbMetacarpal', 'ThumbProximal', 'ThumbDistal'].concat(
  ['Index', 'Middle', 'Ring', 'Little'].flatMap((f) => ['Proximal', 'Intermediate', 'Distal'].map((b) => f + b)),
);
const bones = ['hips', 'spine', 'chest', 'upperChest', 'neck', 'head', 'leftEye', 'rightEye'].concat(
  ['left', 'right'].flatMap((side) => [...sided, ...fingers].map((name) => side + name)),
);
const presets = ['happy', 'angry', 'sad', 'relaxed', 'surprised', 'aa', 'ih', 'ou', 'ee', 'oh'].concat(
  ['blink', 'blinkLeft', 'blinkRight', 'lookUp', 'lookDown', 'lookLeft', 'lookRight'],
);
const imports = {
  three: '/node_modules/three/build/three.module.js',
  'three/addons/': '/node_modules/three/examples/jsm/',
  '@pixiv/three-vrm': '/node_modules/@pixiv/three-vrm/lib/three-vrm.module.js',
};
const html = `<!doctype html><link rel="icon" href="data:,"><style>body{margin:0}</style>
<script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="/vrm.page.js"></script>`;

// shared/ lies beside the repository, or beside the folder that holds it
function findShared() {
  for (let at = root; dirname(at) !== at; at = dirname(at))
    if (existsSync(join(at, 'shared/avatars'))) return join(at, 'shared/avatars');
  return null;
}
const shared = findShared();

let server;
let browser;
let page;
const faults = [];

async function serve(request, response) {
  const path = new URL(request.url, 'http://x').pathname;
  try {
    if (path === '/') return response.setHeader('content-type', 'text/html').end(html);
    const file = path.startsWith('/node_modules/')
      ? root + path
      : path.startsWith('/cast/')
        ? cast + path.slice(5)
        : path.startsWith('/shared/')
          ? shared + path.slice(7)
          : `${root}/test/browser${path}`;
    const body = await readFile(file);
    response.setHeader('content-type', path.endsWith('.js') ? 'text/javascript' : 'model/gltf-binary').end(body);
  } catch {
    response.writeHead(404).end();
  }
}

before(async () => {
  server = createServer(serve);
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // GL drivers of test machines comment on reading pixels back; that is no fault of the file.
    if (['error', 'warning'].includes(message.type()) && !/GL Driver Message/.test(message.text()))
      faults.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => window.ready, null, { timeout: 60000 });
});
after(async () => {
  await browser?.close();
  server?.close();
});

for (const name of names)
  test(`${name}.vrm has all bones and expressions that move`, async () => {
    const seen = await page.evaluate(([url, wanted]) => window.inspectVrm(url, wanted), [`/cast/${name}.vrm`, bones]);
    assert.equal(seen.meta.name.toLowerCase(), name);
    assert.equal(seen.meta.metaVersion, '1');
    assert.deepEqual(seen.bones, bones);
    assert.ok(seen.armSlope < 0.02, `arms are not level at rest: ${seen.armSlope}`);
    assert.equal(seen.lookAt, 'bone');
    for (const preset of presets) assert.ok(seen.expressions[preset] > 0.05, `${preset}: ${seen.expressions[preset]}`);
    assert.equal(seen.still, 0, 'an expression stays when its value is 0');
    assert.deepEqual(faults, []);
  });

const missing = shared && existsSync(program) ? false : 'shared/avatars or the program is not there';
for (const name of foreign)
  test(`${name} is what "avatar check" says it is`, { skip: missing }, async () => {
    const seen = await page.evaluate((url) => window.inspectForeign(url), `/shared/${name}`);
    const result = spawnSync(program, ['avatar', 'check', join(shared, name), '--json'], { encoding: 'utf8' });
    const report = JSON.parse(result.stdout);
    assert.equal(report.triangles, seen.triangles);
    assert.equal(report.vertices, seen.vertices);
    const visemes = seen.targets.filter((target) => target.startsWith('viseme_')).length;
    const others = seen.targets.filter((target) => /^(mouthOpen|mouthSmile|eyesClosed|eyesLook(Up|Down))$/.test(target)).length;
    assert.equal(report.visemes, visemes);
    assert.ok(report.shapes >= Math.min(52, seen.targets.length - visemes - others), `${report.shapes} of ${seen.targets}`);
    if (seen.bones !== null) assert.equal(report.bones, seen.bones);
    const scaled = /It is ([0-9.]+) m high/.exec(report.notes);
    if (scaled) assert.ok(Math.abs(scaled[1] - seen.height) < 0.02 * seen.height, `${scaled[1]} m, not ${seen.height}`);
    else assert.ok(seen.height > 0.3 && seen.height < 4);
  });

test('all of them are drawn', async () => {
  const colors = await page.evaluate((urls) => window.drawVrms(urls), names.map((name) => `/cast/${name}.vrm`));
  assert.ok(colors > 200, `${colors} colours`);
  if (process.env.VRM_SCREENSHOT) await page.screenshot({ path: process.env.VRM_SCREENSHOT });
  assert.deepEqual(faults, []);
});
