// Outputs in Chromium against a real server and a real ingest (ffmpeg listening for RTMP): added, live, stopped, broken, removed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../flow/harness.mjs';
import { launchBrowser, live, Server } from './harness.mjs';

const KEY = 'stream-key-not-to-be-seen';
let server;
let browser;
let port;
let ingest;

before(async () => {
  server = await Server.start();
  browser = await launchBrowser();
  await server.silence();
  port = await freePort();
  ingest = spawn('ffmpeg', ['-v', 'error', '-listen', '1', '-i', `rtmp://127.0.0.1:${port}/live/${KEY}`, '-f', 'null', '-'], { stdio: 'ignore' });
});
after(async () => {
  ingest?.kill('SIGKILL');
  await browser?.close();
  await server?.stop();
});

for (const [name, options] of [
  ['desktop', { viewport: { width: 1440, height: 900 } }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
])
  test(`${name}: an output is added, seen live or trying again, stopped and removed`, async () => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.addInitScript({ path: fileURLToPath(new URL('rules.js', import.meta.url)) });
    await page.goto(`${server.url}/studio/#key=${server.key}`);
    await live(page, 'webrtc', 40_000);
    const panel = page.getByRole('region', { name: 'Outputs', exact: true });
    await panel.getByRole('heading', { name: 'Outputs' }).click();
    await panel.getByText('Nothing is encoded again').waitFor();
    await panel.getByRole('button', { name: 'Add an output' }).click();
    const form = panel.getByRole('form', { name: 'New output' });
    assert.equal(await form.getByLabel('Address of the ingest').inputValue(), 'rtmps://a.rtmps.youtube.com/live2');
    await form.getByLabel('Platform').selectOption({ label: 'Another ingest' });
    await form.getByLabel('Address of the ingest').fill('http://127.0.0.1/live');
    await form.getByRole('button', { name: 'Push to it' }).click();
    await panel.getByRole('alert').getByText('rtmp://', { exact: false }).waitFor(); // refused, and the form stays
    await form.getByLabel('Name', { exact: true }).fill('Ingest');
    await form.getByLabel('Address of the ingest').fill(`rtmp://127.0.0.1:${port}/live`);
    await form.getByLabel('Stream key').fill(KEY);
    if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/outputs-form-${name}.png`, fullPage: name === 'phone' });
    await form.getByRole('button', { name: 'Push to it' }).click();
    const row = panel.locator('[data-output]', { hasText: 'Ingest' });
    if (name === 'desktop') {
      await row.getByText('Live').waitFor({ timeout: 20_000 });
      await row.getByText(/\d+ kbit\/s/).waitFor({ timeout: 20_000 });
      if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/outputs-${name}.png` });
    } else {
      // The ingest took one connection, and is gone.
      await row.getByText('Tries again').waitFor({ timeout: 20_000 });
      await row.locator('.error').waitFor();
    }
    assert.ok(!(await page.content()).includes(KEY), 'the key is not shown');
    assert.deepEqual(await page.evaluate(() => window.brokenRules?.() ?? []), []);
    await row.getByRole('button', { name: 'Stop' }).click();
    await row.getByText('Off').waitFor();
    await row.getByRole('button', { name: 'Delete Ingest' }).click();
    await row.getByRole('button', { name: 'Really delete Ingest' }).click();
    await row.waitFor({ state: 'detached' });
    assert.deepEqual((await server.api('GET', '/v1/channels/main/outputs')).outputs, []);
    await context.close();
  });
