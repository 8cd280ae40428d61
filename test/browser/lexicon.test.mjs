// A channel's pronunciations in Chromium against a real server: added, heard, put in place, used on air, removed.
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

const PATH = '/v1/channels/main/lexicon';
const status = async () => (await fetch(`${server.url}${PATH}`, { headers: { Authorization: `Bearer ${server.key}` } })).status;

for (const [name, options] of [
  ['desktop', { viewport: { width: 1440, height: 900 } }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
])
  test(`${name}: words are respelled or given in IPA, heard, put in place, and taken away`, async () => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.addInitScript({ path: fileURLToPath(new URL('rules.js', import.meta.url)) });
    await page.goto(`${server.url}/studio/#key=${server.key}`);
    await live(page, 'webrtc', 40_000);
    const panel = page.getByRole('region', { name: 'Pronunciation' });
    await panel.getByRole('heading', { name: 'Pronunciation' }).click();
    const place = panel.getByRole('button', { name: 'Put in place' });
    await panel.getByRole('button', { name: 'Add a word' }).click();
    assert.ok(await place.isDisabled(), 'an empty row is no change');
    await panel.getByLabel('Word 1', { exact: true }).fill('W3C');
    await panel.getByLabel('Say word 1 like').fill('World Wide Web Consortium');
    await panel.getByRole('button', { name: 'Add a word' }).click();
    await panel.getByLabel('Word 2', { exact: true }).fill('tomato & co');
    await panel.getByLabel('IPA of word 2').fill('təˈmɑːtəʊ');
    await panel.getByRole('button', { name: 'Hear word 2' }).click();
    await panel.getByRole('button', { name: 'Stop word 2' }).waitFor();
    await panel.getByRole('button', { name: 'Hear word 2' }).waitFor({ timeout: 10_000 }); // at its end
    await panel.getByLabel('Language of the words').fill('en');
    await place.click();
    await panel.locator('button:disabled', { hasText: 'Put in place' }).waitFor();
    const kept = await server.api('GET', PATH);
    assert.equal(kept.language, 'en');
    assert.deepEqual(kept.rows.map((row) => row.grapheme).sort(), ['W3C', 'tomato & co']);
    if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/lexicon-${name}.png`, fullPage: name === 'phone' });
    assert.deepEqual(await page.evaluate(() => window.brokenRules?.() ?? []), []);

    for (const _ of [1, 2]) {
      await panel.getByRole('button', { name: /^Delete / }).first().click();
      await panel.getByRole('button', { name: /^Really delete / }).first().click();
    }
    await place.click();
    await panel.locator('button:disabled', { hasText: 'Put in place' }).waitFor();
    assert.equal(await status(), 404);
    await context.close();
  });
