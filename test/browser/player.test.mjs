// The player and the measuring instruments of the live tests against a source whose faults are known (source.mjs):
// what they say of it must be what it does.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Mock } from '../../studio/dev/mock-server.mjs';
import { figure, launchBrowser, live, median, openMeasured, sleep, until } from './harness.mjs';
import { addSource } from './source.mjs';

let browser;
let mock;
let url;

before(async () => {
  browser = await launchBrowser();
});
after(() => browser?.close());
beforeEach(async () => {
  mock = new Mock();
  url = await mock.listen();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await mock.close();
});

const record = async (page, ms, what, wanted, cells) => {
  await page.evaluate((options) => window.measure.start(options), what);
  await sleep(ms);
  return page.evaluate(([names, where]) => window.measure.stop(names, where), [wanted, cells]);
};

test('plays by WebRTC, offers the sound, and leaves with a DELETE', async () => {
  await addSource(browser, mock);
  const page = await openMeasured(browser, url);
  await live(page);
  await page.getByRole('button', { name: 'Tap for sound' }).click();
  assert.equal(await page.evaluate(() => document.querySelector('video').muted), false);
  await sleep(1500);
  const stats = await page.evaluate(() => window.compere.stats());
  assert.equal(stats.transport, 'webrtc');
  assert.equal(stats.width, 1280);
  assert.ok(stats.fps > 15, `fps ${stats.fps}`);
  assert.ok(stats.latency_ms > 0 && stats.latency_ms < 1000, `latency ${stats.latency_ms}`);
  await page.goto('about:blank');
  await until('the DELETE', () => mock.requests.some((one) => one.method === 'DELETE' && one.path.includes('/whep/')));
});

test('the studio shows the same picture as its programme', async () => {
  await addSource(browser, mock);
  const page = await openMeasured(browser, `${url}/studio/#key=cpk_mock`);
  await live(page);
  await page.getByText(/^WebRTC \d+ ms$/).waitFor();
});

test('comes back by itself when the connection is lost, and says so meanwhile', async () => {
  const source = await addSource(browser, mock);
  const page = await openMeasured(browser, url);
  await live(page);
  const offers = () => mock.requests.filter((one) => one.method === 'POST' && one.path.endsWith('/whep')).length;
  const before = offers();
  await source.hangUp();
  await until('the loss to be seen', () => page.evaluate(() => window.compere.state === 'reconnecting'));
  await live(page);
  assert.ok(offers() > before);
});

test('an answer without a picture leads to HLS within about four seconds', async () => {
  // Answers that lead nowhere, as behind a firewall: the candidates are taken out.
  await addSource(browser, mock);
  const { whep } = mock;
  mock.whep = async (offer) => (await whep(offer)).replace(/^a=candidate:.*\r\n/gm, '');
  const started = performance.now();
  const page = await openMeasured(browser, url);
  await until('a question for the playlist', () => mock.requests.some((one) => one.path.endsWith('/hls/index.m3u8')));
  const took = performance.now() - started;
  assert.ok(took > 3500 && took < 8000, `${took} ms`);
  assert.notEqual(await page.evaluate(() => window.compere.state), 'live');
});

test('lip sync: sound made 150 ms later is measured as 150 ms later', async () => {
  const source = await addSource(browser, mock);
  const page = await openMeasured(browser, url);
  await live(page);
  await sleep(1500);
  const measured = [];
  for (const late of [0, 150]) {
    await source.delaySound(late);
    await sleep(500);
    let { sync } = await record(page, 7000, {}, ['sync']);
    // A busy machine may stretch one stretch of sound beyond recognition; not two.
    if (sync.r < 0.6) ({ sync } = await record(page, 7000, {}, ['sync']));
    assert.ok(sync.r > 0.6, `r ${sync.r} with ${late} ms`);
    measured.push(sync.sound_late_ms);
  }
  // The source's own sound path (a timer, Web Audio, capture) is late by some unknown amount: part of the first.
  figure('instrument_lip_sync_base', measured[0], 'ms', '-40..120');
  figure('instrument_lip_sync_step', measured[1] - measured[0], 'ms', '150+-40');
  assert.ok(measured[0] > -40 && measured[0] < 120, `${measured}`);
  assert.ok(Math.abs(measured[1] - measured[0] - 150) < 40, `${measured}`);
});

test('mouth motion and sound level: much while it speaks, next to none while it does not', async () => {
  const source = await addSource(browser, mock);
  const page = await openMeasured(browser, url);
  await live(page);
  const { sync, level } = await record(page, 6000, {}, ['sync', 'level']);
  assert.ok(level.rms_db > -40, `speaking at ${level.rms_db} dB`);
  const { motion } = await record(page, 4000, {}, ['motion'], sync.cells);
  await source.speak(false);
  await sleep(700);
  const still = await record(page, 3000, {}, ['motion', 'level'], sync.cells);
  figure('instrument_mouth_ratio', motion.loud / still.motion.silent, 'x', '>=3');
  assert.ok(motion.n_loud > 20 && still.motion.n_silent > 30);
  assert.ok(motion.loud > 3 * still.motion.silent, JSON.stringify([motion, still.motion]));
  assert.ok(still.level.rms_db < -60, `silent at ${still.level.rms_db} dB`);
});

test('time code: read from decoded pictures, and its age is the latency', async () => {
  await addSource(browser, mock);
  const page = await openMeasured(browser, url);
  await live(page);
  await sleep(1000);
  const { latency } = await record(page, 4000, { pictures: false, sound: false, codes: true }, ['latency']);
  assert.ok(latency.pictures > 60, JSON.stringify(latency).slice(0, 200));
  assert.ok(latency.unreadable < 0.05 * latency.pictures, `${latency.unreadable} of ${latency.pictures} unreadable`);
  const age = median(latency.ages_ms);
  figure('instrument_latency', age, 'ms', '1..400');
  assert.ok(age > 1 && age < 400, `${age} ms`);
});
