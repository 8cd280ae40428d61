// Voice files in Chromium against a real server: a recording is uploaded, heard, said on air, and removed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchBrowser, live, Server } from './harness.mjs';

let server;
let browser;
before(async () => {
  server = await Server.start();
  browser = await launchBrowser();
  await server.silence();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A second and a half of speech, as a file from elsewhere. */
async function recording() {
  const { audio } = await server.api('POST', '/v1/speech', { text: 'Paint with coffee.', voice: 'flite:awb', ttl_s: 60 });
  const answer = await fetch(`${server.url}${audio}?format=mp3`, { headers: { Authorization: `Bearer ${server.key}` } });
  return Buffer.from(await answer.arrayBuffer());
}

for (const [name, options] of [
  ['desktop', { viewport: { width: 1440, height: 900 } }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
])
  test(`${name}: a recording goes up, is heard, said by the presenter, and deleted`, async () => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.addInitScript({ path: fileURLToPath(new URL('rules.js', import.meta.url)) });
    await page.goto(`${server.url}/studio/#key=${server.key}`);
    await live(page, 'webrtc', 40_000);
    const panel = page.getByRole('region', { name: 'Voice files' });
    await panel.getByRole('heading', { name: 'Voice files' }).click();
    await panel.getByLabel('What is said in the recording').fill('Paint with coffee.');
    const file = { name: `guest-${name}.mp3`, mimeType: 'audio/mpeg', buffer: await recording() };
    await panel.getByLabel('Upload a recording').setInputFiles(file);
    const row = panel.locator('[data-file]', { hasText: `guest-${name}` });
    await row.getByText('recording · 0:01', { exact: false }).waitFor({ timeout: 20_000 });
    await row.getByRole('button', { name: `Hear guest-${name}` }).click();
    await row.getByRole('button', { name: `Stop guest-${name}` }).waitFor();
    await row.getByRole('button', { name: `Hear guest-${name}` }).waitFor({ timeout: 10_000 }); // at its end
    if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/files-${name}.png`, fullPage: name === 'phone' });
    await row.getByRole('button', { name: 'Say' }).click();
    await page.locator('[data-cue][data-state=speaking]').getByText('Paint with coffee.').waitFor({ timeout: 20_000 });
    await page.locator('[data-cue][data-state=done]').getByText('Paint with coffee.').waitFor({ timeout: 20_000 });

    // In the rundown it has its words and says what it is; other words make it a line of text.
    await row.getByRole('button', { name: `Add guest-${name}` }).click();
    const rundown = page.getByRole('region', { name: 'Rundown' }).getByRole('listitem').filter({ hasText: 'Paint with coffee.' });
    await rundown.getByText('Voice file').waitFor();
    if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/files-rundown-${name}.png`, fullPage: name === 'phone' });
    const lines = async () => (await server.api('GET', '/v1/channels/main')).rundown.cues;
    assert.match((await lines()).at(-1).speech, /^[a-z0-9_-]+$/i);
    await rundown.getByRole('button', { name: 'Change line' }).click();
    await page.getByRole('textbox', { name: 'Line 1' }).fill('Paint with tea.');
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Rundown' }).getByText('Paint with tea.').waitFor();
    assert.deepEqual((await lines()).map(({ text, speech }) => ({ text, speech })), [{ text: 'Paint with tea.', speech: undefined }]);
    await page.getByRole('button', { name: 'Remove line 1' }).click();

    await panel.getByLabel('Upload a recording').setInputFiles({ ...file, buffer: Buffer.from('no sound') });
    await panel.getByRole('alert').getByText('no WAV, MP3, Ogg or M4A', { exact: false }).waitFor();

    await row.getByRole('button', { name: `Delete guest-${name}` }).click();
    await row.getByRole('button', { name: `Really delete guest-${name}` }).click();
    await row.waitFor({ state: 'detached' });
    assert.deepEqual(await page.evaluate(() => window.brokenRules?.() ?? []), []);
    await context.close();
  });
