// The whole way, in Chromium against a real server of its own: what a viewer and an operator get, measured.
//
// Prints lines "figure: name value unit bar". The measuring is in measure.js, and held against a source whose faults
// are known by player.test.mjs. One server for all; every test sets the rundown it needs.
//
// Environment: COMPERE_BIN, CHROMIUM; COMPERE_LIVE_SECONDS (default 20) is the length of the long look.
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { doNotWaitForTimers, play } from '../flow/werift-viewer.mjs';
import { figure, launchBrowser, listen, live, median, openMeasured, quantile, Server, sleep, until } from './harness.mjs';

const SECONDS = Number(process.env.COMPERE_LIVE_SECONDS ?? 20);
/** Lips closed at every p and b, at an uneven pace, so that one lag alone fits. */
const BILABIALS = 'Pop! Papa, pop up. Bob. Baby Bobby, bop! Puppy. Pop, papa. Bob bought Barbara a pipe. Poppy. Pop!';

let server;
let browser;

before(async () => {
  server = await Server.start(['--channel-test-code', 'true']);
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  doNotWaitForTimers();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

async function watch(query = '') {
  const page = await openMeasured(browser, `${server.url}/watch/main${query}`);
  await live(page, query.includes('hls') ? 'hls' : 'webrtc');
  return page;
}

const start = (page, what) => page.evaluate((options) => window.measure.start(options), what ?? {});
const stop = (page, wanted, cells) =>
  page.evaluate(([names, where]) => window.measure.stop(names, where), [wanted, cells]);

/** Server figures over a stretch of time, from counters where there are some. */
async function overTime(ms) {
  const before = await server.stats();
  const began = performance.now();
  await sleep(ms);
  const now = await server.stats();
  const seconds = (performance.now() - began) / 1000;
  const rate = (name, otherwise) =>
    typeof now[name] === 'number' ? (now[name] - before[name]) / seconds : now[otherwise];
  return { fps: rate('frames', 'fps'), encodes_per_s: rate('encoded', 'encodes_per_s'), viewers: now.viewers.webrtc };
}

test(`${SECONDS} s of WebRTC: at least 29 frames a second decoded, none frozen, sound in step`, async () => {
  const page = await watch();
  await sleep(1000);
  const inbound = () =>
    page.evaluate(async () => ({ ...(await window.compere.stats()), at: performance.now() }));
  const first = await inbound();
  await sleep(SECONDS * 1000);
  const last = await inbound();
  const fps = ((last.frames - first.frames) * 1000) / (last.at - first.at);
  figure('decoded_fps', fps, 'frames/s', '>=29');
  figure('decoded_dropped', last.frames_dropped - first.frames_dropped, 'frames', `<=${Math.ceil(SECONDS * 0.3)}`);
  figure('packets_lost', last.packets_lost - first.packets_lost, 'packets', '0');
  assert.equal(last.transport, 'webrtc');
  assert.equal(`${last.width}x${last.height}`, '1280x720');
  assert.ok(fps >= 29, `${fps} frames a second`);
  assert.ok(last.frames_dropped - first.frames_dropped <= SECONDS * 0.3);
});

test('sound while a cue is spoken and silence otherwise; the mouth moves with the sound, in step', async () => {
  await server.silence();
  const page = await watch();
  await page.evaluate(() => (document.querySelector('video').muted = false));
  // The player evens out sound and picture within its first seconds.
  await sleep(5000);

  // Where the mouth is, and how sound and lips stand to each other.
  await start(page);
  await server.perform(BILABIALS);
  await sleep(500);
  const { sync, level: spoken } = await stop(page, ['sync', 'level']);
  const early = -sync.sound_late_ms;
  figure('lip_sync_sure', sync.r, 'r', '>=0.4');
  figure('sound_before_lips', early, 'ms', '-60..+40');
  figure('level_speaking', spoken.rms_db, 'dBFS', '>=-40');
  assert.ok(sync.r >= 0.4, `no mouth found that follows the sound: ${JSON.stringify(sync)}`);
  assert.ok(early <= 40 && early >= -60, `sound is ${early} ms before the lips`);
  assert.ok(spoken.rms_db >= -40, `${spoken.rms_db} dB while speaking`);

  // The place was found above; whether it moves only with speech is asked of other pictures.
  await start(page);
  await server.perform('Now I say something else, so that my mouth has some work to do.');
  const { motion: speaking } = await stop(page, ['motion'], sync.cells);
  await sleep(1000);
  await start(page);
  await sleep(5000);
  const { motion: resting, level: silent } = await stop(page, ['motion', 'level'], sync.cells);
  figure('mouth_speaking_to_resting', speaking.loud / resting.silent, 'x', '>=3');
  figure('level_silent', silent.rms_db, 'dBFS', '<=-60');
  assert.ok(speaking.n_loud >= 30 && resting.n_silent >= 100, JSON.stringify([speaking, resting]));
  assert.ok(speaking.loud >= 3 * resting.silent, `mouth: ${JSON.stringify([speaking, resting])}`);
  assert.ok(silent.rms_db <= -60, `${silent.rms_db} dB in silence`);
});

test('glass to glass by WebRTC: median at most 120 ms, 95th percentile at most 200 ms', async () => {
  const page = await watch();
  await sleep(6000);
  await start(page, { pictures: false, sound: false, codes: true });
  await sleep(8000);
  const { latency } = await stop(page, ['latency']);
  const [middle, high] = [median(latency.ages_ms), quantile(latency.ages_ms, 0.95)];
  figure('glass_to_glass_median', middle, 'ms', '<=120');
  figure('glass_to_glass_p95', high, 'ms', '<=200');
  figure('codes_unreadable', latency.unreadable, `of ${latency.pictures}`, '<=2%');
  assert.ok(latency.pictures >= 200, `only ${latency.pictures} pictures`);
  assert.ok(latency.unreadable <= 0.02 * latency.pictures);
  assert.ok(latency.distinct >= 0.95 * latency.ages_ms.length, 'pictures repeat');
  assert.ok(Math.min(...latency.ages_ms) > 0, 'a picture cannot be seen before it is drawn: clocks differ');
  assert.ok(middle <= 120, `median ${middle} ms`);
  assert.ok(high <= 200, `p95 ${high} ms`);
});

test('LL-HLS by hls.js stays within 3 s of live', async () => {
  const page = await watch('?transport=hls');
  await sleep(6000);
  await start(page, { pictures: false, sound: false, codes: true });
  await sleep(6000);
  const { latency } = await stop(page, ['latency']);
  const behind = median(latency.ages_ms);
  figure('hls_behind_live', behind, 'ms', '<=3000');
  assert.ok(latency.pictures >= 120, `only ${latency.pictures} pictures in 6 s`);
  assert.ok(latency.unreadable <= 0.02 * latency.pictures);
  assert.ok(behind > 0 && behind <= 3000, `${behind} ms behind live`);
});

test('a second and a tenth viewer change neither the frame rate nor the number of encodes', async () => {
  await watch();
  await until('one viewer', async () => (await server.stats()).viewers.webrtc === 1);
  const rows = [[1, await overTime(4000)]];
  const others = [];
  try {
    for (const count of [2, 10]) {
      // Viewers of another make, which take packets without decoding them: ten Chromiums would measure themselves.
      while (others.length < count - 1) others.push(await play(server.url));
      await until(`pictures at ${count} viewers`, () => others.every(({ count: got }) => got.frames > 10), {
        timeout_ms: 20_000,
      });
      const before = others.map(({ count: got }) => ({ ...got }));
      rows.push([count, await overTime(4000)]);
      others.forEach(({ count: got }, i) => {
        assert.ok(got.frames - before[i].frames >= 110, `viewer ${i + 2} got ${got.frames - before[i].frames} pictures in 4 s`);
        assert.ok(got.audio - before[i].audio >= 180, `viewer ${i + 2} got ${got.audio - before[i].audio} of 200 sounds`);
      });
    }
  } finally {
    for (const viewer of others) await viewer.close();
  }
  for (const [count, row] of rows) {
    figure(`fps_with_${count}_viewers`, row.fps, 'frames/s', '>=29');
    figure(`encodes_with_${count}_viewers`, row.encodes_per_s, 'encodes/s', '29..31');
    assert.equal(row.viewers, count);
    assert.ok(row.fps >= 29, `${row.fps} frames a second with ${count} viewers`);
    assert.ok(row.encodes_per_s >= 29 && row.encodes_per_s <= 31, `${row.encodes_per_s} encodes a second`);
  }
  await until('the viewers to be gone', async () => (await server.stats()).viewers.webrtc <= 1);
});

test('20 cues at once are all performed, in the order in which they were sent, none twice', async () => {
  await server.silence();
  const heard = await listen(server, '/v1/events?channel=main');
  // Ten in turn, faster than they can be said, whose order is known; then ten at the same time, whose order is not.
  const ids = [];
  for (let i = 1; i <= 10; i++) ids.push((await server.say(`Line ${i}.`)).id);
  const together = await Promise.all(Array.from({ length: 10 }, (_, i) => server.say(`Line ${i + 11}.`)));
  ids.push(...together.map((cue) => cue.id));
  assert.equal(new Set(ids).size, 20);
  const ended = () => new Set(
    heard.events
      .filter(({ type, data }) => type === 'cue' && ['done', 'cut', 'failed'].includes(data.state))
      .map(({ data }) => data.id),
  );
  await until('all to be performed', () => ended().size >= 20, { timeout_ms: 90_000, every_ms: 250 });
  await sleep(500);
  await heard.close();

  const { cues } = await server.api('GET', '/v1/channels/main/cues?limit=50');
  assert.equal(cues.filter((cue) => ids.includes(cue.id)).length, 20, 'the list holds them all');
  // Each beginning of a performance: a change into "speaking", and a caption for it.
  const state = new Map();
  const began = [];
  for (const { type, data } of heard.events) {
    if (type !== 'cue' || !ids.includes(data.id)) continue;
    if (data.state === 'speaking' && state.get(data.id) !== 'speaking') began.push(data.id);
    state.set(data.id, data.state);
  }
  const said = heard.events
    .filter(({ type, data }) => type === 'caption' && data.text && ids.includes(data.cue))
    .map(({ data }) => data.cue);
  figure('cues_performed', began.length, 'cues', '20');
  assert.deepEqual([...state.values()], Array(20).fill('done'));
  assert.deepEqual(began.slice(0, 10), ids.slice(0, 10), 'those sent in turn are begun in turn');
  assert.deepEqual([...began].sort(), [...ids].sort(), 'each is begun once');
  assert.deepEqual(said, began, 'each is said once, when it is begun');
});

test('from the POST of a line to its first frame sent: median at most 150 ms', async () => {
  await server.silence();
  await watch();
  const took = [];
  for (let i = 0; i < 7; i++) {
    const cue = await server.perform(`This is line number ${i + 1}, said to a quiet room.`);
    const { timings_ms: steps } = await until('the timings', async () => {
      const one = await server.cue(cue.id);
      return one.timings_ms?.sent > 0 && one;
    });
    const order = ['answered', 'spoken', 'posed', 'drawn', 'encoded', 'sent'].map((step) => steps[step]);
    assert.deepEqual(order, [...order].sort((a, b) => a - b), `steps out of order: ${JSON.stringify(steps)}`);
    took.push(steps.sent);
    await sleep(300 + 37 * i);
  }
  figure('post_to_first_frame_median', median(took), 'ms', '<=150');
  figure('post_to_first_frame_worst', Math.max(...took), 'ms', '');
  assert.ok(median(took) <= 150, `${took}`);
});

test('an interrupt is seen and heard: the line is cut and the sound ends', async () => {
  await server.silence();
  const page = await watch();
  const { id } = await server.say('This line is long enough to be cut in the middle, and it will be, quite soon, I am sure.');
  await until('it to be on air', async () => (await server.cue(id)).state === 'speaking');
  await start(page);
  await sleep(1200);
  const { level: spoken } = await stop(page, ['level']);
  assert.ok(spoken.rms_db >= -40, `${spoken.rms_db} dB before the cut`);
  await server.api('POST', '/v1/channels/main/interrupt', { policy: 'now' });
  await until('it to be cut', async () => (await server.cue(id)).state === 'cut', { timeout_ms: 2000 });
  await sleep(700);
  await start(page);
  await sleep(1500);
  const { level } = await stop(page, ['level']);
  figure('level_before_cut', spoken.rms_db, 'dBFS', '>=-40');
  figure('level_after_cut', level.rms_db, 'dBFS', '<=-60');
  assert.ok(level.seconds > 1 && level.rms_db <= -60, `${level.rms_db} dB after the cut`);
});

test('the studio on the real server: sign in, see the picture, send a line, watch it go to done', async () => {
  await server.silence();
  const page = await openMeasured(browser, `${server.url}/studio/`, { bypassCSP: false });
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.getByLabel('Key').fill(server.key);
  await page.keyboard.press('Enter');
  await live(page);
  await page.getByRole('img', { name: 'On air' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('The studio says hello.');
  await page.keyboard.press('Enter');
  const row = page.locator('[data-cue]', { hasText: 'The studio says hello.' });
  await row.and(page.locator('[data-state=speaking]')).waitFor({ timeout: 5000 });
  await row.and(page.locator('[data-state=done]')).waitFor({ timeout: 15_000 });
  await page.getByRole('region', { name: 'Time to air' }).getByText(/^median/).waitFor();
  assert.deepEqual(faults, []);
});

test('a channel that wants a token: the watch page plays with one, says so without, and the studio plays by its key', async (t) => {
  const { private_key: key } = await server.api('POST', '/v1/playback-keys', {});
  await server.api('PATCH', '/v1/channels/main', { access: 'token', questions: { open: true } });
  t.after(() => server.api('PATCH', '/v1/channels/main', { access: 'public', questions: { open: false } }));
  const parts = [{ alg: 'ES384', typ: 'JWT' }, { channel: 'main', exp: Math.floor(Date.now() / 1000) + 120 }];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const token = `${text}.${sign('sha384', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  const page = await watch(`?token=${token}`);
  await page.getByRole('button', { name: 'Ask' }).waitFor({ timeout: 5000 });
  await page.getByRole('button', { name: 'Captions' }).waitFor({ timeout: 5000, state: 'attached' });
  await watch(`?transport=hls&token=${token}`);
  const outside = await openMeasured(browser, `${server.url}/watch/main?token=${token.slice(0, -3)}abc`);
  await outside.getByRole('heading', { name: 'Not open to everybody' }).waitFor({ timeout: 5000 });
  const studio = await openMeasured(browser, `${server.url}/studio/`, { bypassCSP: false });
  await studio.getByLabel('Key').fill(server.key);
  await studio.keyboard.press('Enter');
  await live(studio);
});
