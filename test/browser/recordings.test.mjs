// The Recordings panel in Chromium against a real server: a channel is recorded, saved as a file that plays, and removed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchBrowser, live, Server } from './harness.mjs';

let server;
let browser;
before(async () => {
  server = await Server.start();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [name, options] of [
  ['desktop', { viewport: { width: 1440, height: 900 } }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
])
  test(`${name}: the show is recorded, fetched while it is, ended, played and deleted`, async () => {
    const context = await browser.newContext({ ...options, acceptDownloads: true });
    const page = await context.newPage();
    await page.addInitScript({ path: fileURLToPath(new URL('rules.js', import.meta.url)) });
    await page.goto(`${server.url}/studio/#key=${server.key}`);
    await live(page, 'webrtc', 40_000);
    const panel = page.getByRole('region', { name: 'Recordings' });
    await panel.getByRole('heading', { name: 'Recordings' }).click();
    await panel.getByText('second by second').waitFor();
    await panel.getByLabel('Title of the recording').fill(`Show on a ${name}`);
    await panel.getByRole('button', { name: 'Record' }).click();
    const row = panel.locator('[data-recording]', { hasText: `Show on a ${name}` });
    await panel.getByText(/Recording 0:0[3-9]/).waitFor({ timeout: 20_000 });
    const [saved] = await Promise.all([page.waitForEvent('download'), row.getByRole('button', { name: 'Download' }).click()]);
    const bytes = readFileSync(await saved.path());
    assert.match(saved.suggestedFilename(), /^rec_\w+\.mp4$/);
    assert.equal(bytes.subarray(4, 8).toString(), 'ftyp');
    if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/recordings-${name}.png`, fullPage: name === 'phone' });
    await row.getByRole('button', { name: 'Stop' }).click();
    await panel.getByRole('button', { name: 'Record' }).waitFor();
    assert.equal(await row.getAttribute('data-state'), 'done');

    /* The browser itself plays the address, knows its length at once, seeks, and comes to its end. */
    const { url } = await server.api('POST', `/v1/recordings/${await row.getAttribute('data-recording')}/url`, {});
    const played = await page.evaluate(async (address) => {
      const video = document.createElement('video');
      video.muted = true;
      video.playbackRate = 4;
      video.src = address;
      await new Promise((done, fail) => ((video.onloadedmetadata = done), (video.onerror = () => fail(new Error(video.error.message)))));
      const { duration } = video;
      video.currentTime = duration - 1.5;
      await new Promise((done) => (video.onseeked = done));
      await video.play();
      await new Promise((done, fail) => ((video.onended = done), (video.onerror = () => fail(new Error(video.error.message)))));
      return { duration, end: video.currentTime, width: video.videoWidth };
    }, url);
    assert.ok(played.duration > 2 && played.duration < 30 && Math.abs(played.end - played.duration) < 0.2, JSON.stringify(played));
    assert.equal(played.width, 1280);

    await row.getByRole('button', { name: /^Delete/ }).click();
    await row.getByRole('button', { name: /^Really delete/ }).click();
    await row.waitFor({ state: 'detached' });
    assert.deepEqual(await page.evaluate(() => window.brokenRules?.() ?? []), []);
    await context.close();
  });
