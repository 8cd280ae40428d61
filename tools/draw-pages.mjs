// Takes the pictures of the pages: the studio and the watch page of a demo of its own, in Chromium.
//
//   node tools/draw-pages.mjs [DIRECTORY, docs/pictures by default] [--all]
//
// --all adds the studio with each tab of its staging and as a phone shows it, to be looked at. Needs build/ and
// studio/dist; environment as in test/browser/harness.mjs.
import { join } from 'node:path';
import { launchBrowser, live, Server, sleep, until } from '../test/browser/harness.mjs';

const all = process.argv.includes('--all');
const into = process.argv.slice(2).find((word) => !word.startsWith('--')) ?? 'docs/pictures';
const server = await Server.start();
const browser = await launchBrowser();

async function open(path, viewport, phone = false) {
  const context = await browser.newContext({ viewport, isMobile: phone, hasTouch: phone });
  const page = await context.newPage();
  await page.goto(server.url + path);
  await live(page);
  return page;
}

const save = (page, name) => page.screenshot({ path: join(into, `${name}.png`) });

/** Until every portrait in sight has come. */
const portraits = (page) =>
  until('the portraits', () => page.evaluate(() => {
    const faces = [...document.querySelectorAll('.tile.face .picture')];
    return faces.length > 0 && faces.every((face) => face.querySelector('img'));
  }), { timeout_ms: 60_000 });

/** Pictures of a busy machine show its troubles: waits for a quiet moment, and says when none came. */
const quietly = (page) =>
  page.getByRole('contentinfo', { name: 'Health' }).getByText('All steps on time').waitFor({ timeout: 20_000 })
    .catch(() => console.warn('the machine is busy: take the pictures again when it is not'));

/** Somebody else says a line in another set; the next line is half staged. */
async function studio() {
  const page = await open(`/studio/#key=${server.key}`, { width: 1440, height: 900 });
  const line = page.getByRole('region', { name: 'Line', exact: true });
  const box = page.getByLabel('Line to speak');
  const tab = (name) => line.getByRole('tab', { name }).click();
  await line.getByRole('button', { name: 'Staging' }).click();
  await portraits(page);
  await quietly(page);
  await line.getByRole('radio', { name: 'Leo' }).check();
  await tab('Scene');
  await line.getByRole('combobox', { name: 'Set' }).selectOption('newsroom');
  await line.getByRole('combobox', { name: 'Camera' }).selectOption('medium');
  await tab('Action');
  await line.getByRole('button', { name: 'Open hands' }).click();
  await box.fill('Good evening from the newsroom, where a typed line is said a moment later by somebody else.');
  await box.press('Enter');
  const cue = page.locator('[data-cue]').first();
  await cue.and(page.locator('[data-state=speaking]')).waitFor({ timeout: 30_000 });
  await tab('Presenter');
  await box.fill('And now back to Ava.');
  await box.blur();
  await sleep(2200);
  await save(page, 'studio');
  if (!all) return page.close();
  for (const name of ['Scene', 'Manner', 'Action', 'Card']) {
    await tab(name);
    await sleep(500);
    await save(page, `studio-${name.toLowerCase()}`);
  }
  await line.getByRole('button', { name: 'Staging' }).click();
  await sleep(500);
  await save(page, 'studio-closed');
  const stage = page.getByRole('region', { name: 'Stage', exact: true });
  await stage.getByRole('checkbox', { name: 'Leo' }).check();
  await page.locator('.beneath').evaluate((lower) => lower.scrollTo(0, 400));
  await sleep(500);
  await save(page, 'studio-stage');
  await page.close();
}

async function phone() {
  const page = await open(`/studio/#key=${server.key}`, { width: 390, height: 844 }, true);
  await save(page, 'phone');
  await page.getByRole('button', { name: 'Staging' }).click();
  await portraits(page);
  /* As tall as the page, since a screenshot of a full page makes Chromium forget that it is a phone. */
  await page.setViewportSize({ width: 390, height: 2400 });
  await save(page, 'phone-staging');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('tab', { name: 'Scene' }).click();
  await save(page, 'phone-scene');
  await page.getByRole('tab', { name: 'Manner' }).click();
  await save(page, 'phone-manner');
  await page.close();
}

async function watch() {
  const page = await open('/', { width: 1280, height: 720 });
  await page.getByRole('button').first().waitFor();
  await page.mouse.move(640, 690);
  await sleep(4000);
  await page.mouse.move(640, 680);
  await live(page);
  await save(page, 'watch');
  await page.close();
}

try {
  await studio();
  if (all) await phone();
  await watch();
} finally {
  await browser.close();
  await server.stop();
}
