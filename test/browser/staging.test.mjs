// Staging from the studio, in Chromium against a real server of its own: what is picked is what the cue or the channel
// carries, and what the operator sees in the monitor. Needs studio/dist and the built program.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BIN } from '../flow/harness.mjs';
import { png } from '../flow/png.mjs';
import { lineOf, staging } from './desk.mjs';
import { launchBrowser, live, Server, sleep, until } from './harness.mjs';

const LINE = 'This line lasts for some seconds, so that there is time to look at what stands behind it.';
const CAST = join(dirname(BIN), '../../cast');
const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const GREEN = [24, 150, 60];
const BLUE = [30, 60, 190];

let server;
let browser;
let faults;

before(async () => {
  server = await Server.start();
  browser = await launchBrowser();
  await server.silence();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

/** The studio with its picture; script errors are collected and asked for by noFaults(). */
async function studio(options = DESKTOP, query = '') {
  faults = [];
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // The browser itself reports answers with an error, which refusals are.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) faults.push(message.text());
  });
  await page.addInitScript({ path: fileURLToPath(new URL('rules.js', import.meta.url)) });
  await page.goto(`${server.url}/studio/${query}#key=${server.key}`);
  await live(page, 'webrtc', 40_000);
  return page;
}

const noFaults = () => assert.deepEqual(faults, []);
const stageOf = (page) => page.getByRole('region', { name: 'Stage', exact: true });
const channel = () => server.api('GET', '/v1/channels/main');
const newest = async () => (await server.api('GET', '/v1/channels/main/cues?limit=1')).cues[0];
const file = (name, mimeType, buffer) => ({ name, mimeType, buffer });

/** The mean colour of the monitor's upper left corner, where a background is and nobody stands. */
const corner = (page) =>
  page.evaluate(() => {
    const video = document.querySelector('video');
    const canvas = Object.assign(document.createElement('canvas'), { width: 24, height: 24 });
    const context = canvas.getContext('2d');
    const side = video.videoHeight / 8;
    context.drawImage(video, side / 4, side / 4, side, side, 0, 0, 24, 24);
    const { data } = context.getImageData(0, 0, 24, 24);
    return [0, 1, 2].map((c) => data.reduce((sum, value, i) => (i % 4 === c ? sum + value : sum), 0) / 576);
  });

/** Lights colour what they fall on: of the wanted colour, not exactly it. */
const isLike = (seen, wanted) => {
  const top = wanted.indexOf(Math.max(...wanted));
  return seen.every((value, i) => i === top || seen[top] > value + 25);
};
const seen = (page, wanted) =>
  until(`a picture like ${wanted}`, async () => isLike(await corner(page), wanted), { timeout_ms: 30_000 });

/** Sends what is in the line box; answers the cue when it is on air. */
async function send(page, words) {
  const before = (await newest())?.id;
  if (words) await page.getByLabel('Line to speak').fill(words);
  await page.getByLabel('Line to speak').press('Enter');
  const cue = await until('the cue', async () => {
    const one = await newest();
    return one && one.id !== before && one;
  });
  await until('it on air', async () => ['speaking', 'done'].includes((await server.cue(cue.id)).state), { timeout_ms: 30_000 });
  return cue;
}

async function quiet() {
  await server.api('POST', '/v1/channels/main/interrupt', { policy: 'now' });
  await until('quiet', async () => !(await server.stats()).speaking, { timeout_ms: 15_000 });
}

test('a line carries all that was picked, its chips say so, and the picture shows it', async () => {
  const page = await studio();
  const line = await staging(page, 'Presenter');
  assert.ok(!isLike(await corner(page), GREEN));
  await line.getByRole('radio', { name: 'Leo' }).check();
  await line.getByRole('radio', { name: 'Silver' }).check();
  await line.getByRole('radio', { name: 'Notes' }).check();
  await staging(page, 'Scene');
  await line.getByRole('combobox', { name: 'Set' }).selectOption('plain');
  await line.getByText(/has no screen/).waitFor();
  await line.getByRole('combobox', { name: 'Light' }).selectOption('cool');
  await line.getByRole('combobox', { name: 'Camera' }).selectOption('close');
  await line.getByLabel('Smooth move').check();
  await line.getByLabel('Background colour').fill('#18963c');
  await staging(page, 'Manner');
  await line.getByRole('radio', { name: 'Happy' }).check();
  await line.getByLabel('Intensity').fill('0.5');
  await staging(page, 'Action');
  await line.getByRole('button', { name: 'Nod' }).click();
  await staging(page, 'Card');
  await line.getByLabel('Title').fill('Leo');
  await line.getByLabel('Text', { exact: true }).last().fill('in green');
  const cue = await send(page, LINE);
  const { id, channel: on, state, created_at, timings_ms, error, sentences_done, ...said } = cue;
  assert.deepEqual(said, {
    text: LINE, presenter: 'leo--silver', look: 'notes', set: 'plain', light: 'cool', camera: 'close', camera_move_s: 1.2,
    background: '#18963c', emotion: 'happy', emotion_intensity: 0.5, action: 'nod', card: 'Leo\nin green',
  });
  await seen(page, GREEN);
  const chips = page.locator(`[data-cue="${cue.id}"] [data-trait]`);
  const of = await chips.evaluateAll((all) => all.map((chip) => chip.dataset.trait));
  for (const trait of ['presenter', 'set', 'light', 'background', 'camera', 'look', 'emotion', 'action', 'card'])
    assert.ok(of.includes(trait), `no chip for ${trait}: ${of}`);
  assert.match(await chips.first().textContent(), /Leo, silver/);
  await quiet();

  // The choices stay for the next line, without what belongs to one line only; each can be taken off.
  const own = line.locator('[data-trait]');
  assert.deepEqual((await own.evaluateAll((all) => all.map((chip) => chip.dataset.trait))).sort(),
    ['background', 'camera', 'emotion', 'light', 'look', 'presenter', 'set']);
  await line.getByRole('button', { name: /^Without Set/ }).click();
  assert.equal(await line.locator('[data-trait=background]').count(), 0, 'a colour goes with the set that takes it');
  await line.getByRole('button', { name: 'Reset' }).click();
  assert.equal(await own.count(), 0);
  noFaults();
});

test('a picture is uploaded, seen as a thumbnail and behind the presenter; damaged and used ones are explained', async () => {
  const page = await studio();
  const line = await staging(page, 'Scene');
  const background = line.getByRole('group', { name: 'Background' });
  const input = background.getByLabel('Upload a picture or video');
  await input.setInputFiles(file('junk.png', 'image/png', Buffer.from('this is no picture at all')));
  const alert = background.getByRole('alert');
  await alert.waitFor();
  assert.match(await alert.textContent(), /cannot use this file.*PNG.*Choose another file/s);

  await input.setInputFiles(file('Deep blue.png', 'image/png', png(320, 180, BLUE)));
  const tile = background.getByRole('radio', { name: 'Deep blue' });
  await tile.waitFor();
  assert.equal(await tile.isChecked(), true, 'what was uploaded is chosen');
  await background.locator('.tile', { has: page.getByRole('radio', { name: 'Deep blue' }) }).locator('img').waitFor();
  const cue = await send(page, LINE);
  assert.match(cue.background, /^med_/);
  await seen(page, BLUE);
  await quiet();

  // On the set's screen too.
  await background.getByRole('radio', { name: 'As it is' }).check();
  await line.getByRole('group', { name: 'Screen of the set' }).getByRole('radio', { name: 'Deep blue' }).check();
  const shown = await send(page, 'On the screen.');
  assert.equal(shown.screen, cue.background);
  assert.equal(shown.background, undefined);
  await quiet();
  await line.getByRole('button', { name: 'Reset' }).click();

  // While the channel uses it, deleting it is refused with a way out.
  await server.api('PATCH', '/v1/channels/main', { background: cue.background });
  const remove = async () => {
    await tile.hover();
    await background.getByRole('button', { name: 'Delete Deep blue' }).click();
    await background.getByRole('button', { name: 'Really delete Deep blue' }).click();
  };
  await remove();
  await background.getByRole('alert').filter({ hasText: /in use.*a channel or its rundown uses.*something else/s }).waitFor();
  await server.api('PATCH', '/v1/channels/main', { background: '' });
  await remove();
  await tile.waitFor({ state: 'detached' });
  assert.deepEqual((await server.api('GET', '/v1/media')).media, []);
  noFaults();
});

test('a video is uploaded and plays behind the presenter', async () => {
  const page = await studio();
  const bytes = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
    const context = canvas.getContext('2d');
    const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: 'video/webm;codecs=vp8' });
    const parts = [];
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.start();
    for (let i = 0; i < 30; i++) {
      context.fillStyle = 'rgb(24 150 60)';
      context.fillRect(0, 0, 320, 180);
      await new Promise((next) => setTimeout(next, 33));
    }
    await new Promise((ended) => ((recorder.onstop = ended), recorder.stop()));
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  const line = await staging(page, 'Scene');
  const background = line.getByRole('group', { name: 'Background' });
  await background.getByLabel('Upload a picture or video').setInputFiles(file('loop.webm', 'video/webm', Buffer.from(bytes)));
  await background.getByRole('radio', { name: 'loop' }).waitFor({ timeout: 20_000 });
  const cue = await send(page, LINE);
  const { media } = await server.api('GET', '/v1/media');
  assert.equal(media.find((one) => one.id === cue.background)?.kind, 'video');
  await seen(page, GREEN);
  await quiet();
  noFaults();
});

test('an action goes to the line or to the word at the caret; lines go to the rundown with their staging', async () => {
  const page = await studio();
  const line = await staging(page, 'Action');
  const { actions } = await server.api('GET', '/v1/actions');
  assert.equal(await line.getByRole('group', { name: 'Action' }).getByRole('button').count(), actions.length);
  const thumb = line.getByRole('button', { name: 'Thumbs up' });
  await thumb.click();
  assert.equal(await thumb.getAttribute('aria-pressed'), 'true');
  await thumb.click();
  assert.equal(await thumb.getAttribute('aria-pressed'), 'false');

  const box = page.getByLabel('Line to speak');
  await box.fill('Salt & pepper get full marks.');
  await box.evaluate((area) => area.setSelectionRange(18, 18));
  await line.getByRole('radio', { name: 'At the caret' }).check();
  await thumb.click();
  await box.pressSequentially('very ');
  const { ssml, text } = await send(page);
  assert.equal(text, undefined);
  assert.equal(ssml, '<speak>Salt &amp; pepper get <mark name="action:thumbs-up"/>very full marks.</speak>');
  await until('an empty box', async () => (await box.inputValue()) === '');
  assert.equal(await line.getByRole('radio', { name: 'Text' }).isChecked(), true, 'the next line is text again');
  await quiet();

  await staging(page, 'Scene');
  await line.getByRole('combobox', { name: 'Camera' }).selectOption('wide');
  await box.fill('A line for later.');
  await line.getByRole('button', { name: 'Add the line to the rundown' }).click();
  await until('the rundown', async () => (await channel()).rundown.cues.length === 1);
  assert.deepEqual((await channel()).rundown.cues, [{ text: 'A line for later.', camera: 'wide' }]);
  const rundown = page.getByRole('region', { name: 'Rundown' });
  await rundown.locator('[data-trait=camera]').waitFor();

  // Out of the rundown, staged anew, and back into its place.
  await box.fill('One more.');
  await line.getByRole('button', { name: 'Add the line to the rundown' }).click();
  await until('the second line', async () => (await channel()).rundown.cues.length === 2);
  await rundown.getByRole('button', { name: 'Stage line 1' }).click();
  assert.equal(await box.inputValue(), 'A line for later.');
  await staging(page, 'Presenter');
  await line.getByRole('radio', { name: 'Leo' }).check();
  await line.getByRole('button', { name: 'Put the line back into the rundown' }).click();
  await until('the staged line', async () => (await channel()).rundown.cues[0].presenter === 'leo');
  assert.deepEqual((await channel()).rundown.cues, [
    { text: 'A line for later.', camera: 'wide', presenter: 'leo' }, { text: 'One more.', camera: 'wide' },
  ]);
  await server.silence();
  noFaults();
});

test('the stage of the channel: a pair, a set and its colour are put on air together', async () => {
  const page = await studio();
  const stage = stageOf(page);
  const apply = stage.getByRole('button', { name: 'Put on air' });
  const { uptime_s: since } = await server.stats();
  assert.equal(await apply.isDisabled(), true, 'nothing is changed yet');
  await stage.getByRole('checkbox', { name: 'Leo' }).check();
  await stage.getByRole('group', { name: 'Look of Ava' }).getByRole('radio', { name: 'Evening' }).check();
  await stage.getByRole('combobox', { name: 'Set' }).selectOption('plain');
  await stage.getByLabel('Background colour').fill('#1e3cbe');
  assert.notEqual((await channel()).set, 'plain', 'nothing goes on air by itself');
  await apply.click();
  await until('the change', async () => (await channel()).set === 'plain', { timeout_ms: 40_000 });
  const now = await channel();
  assert.deepEqual([now.presenters, now.presenter, now.background, now.camera], [['ava--evening', 'leo'], undefined, '#1e3cbe', 'two']);
  await seen(page, BLUE);
  assert.ok((await server.stats()).uptime_s > since, 'the channel went on, and its viewers with it');
  await until('the button to rest', () => apply.isDisabled());

  // Leo speaks from where he stands; somebody else takes the stage alone.
  const line = await staging(page, 'Presenter');
  await line.getByText('On stage: Ava, evening and Leo').waitFor();
  await line.getByRole('radio', { name: 'Mira' }).check();
  await line.getByText('Mira takes the stage alone').waitFor();
  await line.getByRole('button', { name: 'Reset' }).click();

  // Discard goes back to what is on air; what the server refuses is told and changes nothing.
  await stage.getByRole('combobox', { name: 'Set' }).selectOption('shop');
  await stage.getByRole('button', { name: 'Discard' }).click();
  assert.equal(await stage.getByRole('combobox', { name: 'Set' }).inputValue(), 'plain');
  await stage.getByRole('checkbox', { name: 'Leo' }).uncheck();
  await stage.getByRole('radio', { name: 'As usual' }).check();
  await stage.getByRole('combobox', { name: 'Set' }).selectOption('studio');
  await page.route('**/v1/channels/main', (route) =>
    route.request().method() !== 'PATCH' ? route.fallback() : route.fulfill({ status: 503, body: '{"title":"busy","detail":"a stage is being made"}' }));
  await apply.click();
  assert.match(await stage.getByRole('alert').textContent(), /Not changed\..*a stage is being made.*as it was.*Try again/s);
  await page.unroute('**/v1/channels/main');
  await apply.click();
  await until('one on stage', async () => (await channel()).presenter === 'ava', { timeout_ms: 40_000 });
  assert.equal((await channel()).presenters, undefined);
  noFaults();
});

test('a character is uploaded, checked, put on stage, and deleted when nobody uses it', async () => {
  const page = await studio();
  const stage = stageOf(page);
  const input = stage.getByLabel('Upload a character');
  await input.setInputFiles(file('broken.glb', 'model/gltf-binary', Buffer.alloc(5000, 7)));
  await stage.getByRole('alert').filter({ hasText: /cannot use this file/ }).waitFor();

  await input.setInputFiles(file('My friend.vrm', 'model/gltf-binary', readFileSync(join(CAST, 'leo.vrm'))));
  const report = stage.getByLabel('Check of My friend');
  await report.waitFor({ timeout: 60_000 });
  assert.match(await report.textContent(), /Found\s*\d+ of 52 face shapes.*\d+ of 55 bones.*triangles/s);
  assert.match(await report.textContent(), /Missing.*Done/s);
  await stage.getByRole('checkbox', { name: 'My friend' }).check();
  await stage.getByRole('checkbox', { name: 'Ava' }).uncheck();
  await stage.getByRole('button', { name: 'Put on air' }).click();
  await until('the friend on air', async () => /^avt_/.test((await channel()).presenter), { timeout_ms: 40_000 });
  const remove = async () => {
    await stage.getByRole('button', { name: 'Delete My friend' }).click();
    await stage.getByRole('button', { name: 'Really delete My friend' }).click();
  };
  await remove();
  await stage.getByRole('alert').filter({ hasText: /in use/ }).waitFor();
  await server.api('PATCH', '/v1/channels/main', { presenter: 'ava' });
  await remove();
  await stage.getByRole('checkbox', { name: 'My friend' }).waitFor({ state: 'detached' });
  assert.deepEqual((await server.api('GET', '/v1/avatars')).avatars, []);
  noFaults();
});

test('a product with its price and picture is shown beside the presenter', async (t) => {
  const { text } = await server.get('/v1/openapi.json');
  if (!text.includes('"price"')) return t.skip('this server has no product cards');
  const page = await studio();
  const line = await staging(page, 'Card');
  await line.getByLabel('Title').fill('Teapot');
  await line.getByLabel('Price').fill('€ 24.90');
  await line.getByRole('radio', { name: 'Left' }).check();
  await line.getByLabel('Upload a picture').setInputFiles(file('teapot.png', 'image/png', png(200, 200, GREEN)));
  await line.getByRole('radio', { name: 'teapot' }).waitFor();
  const cue = await send(page, LINE);
  assert.deepEqual(cue.card, { title: 'Teapot', price: '€ 24.90', picture: cue.card.picture, side: 'left' });
  assert.match(cue.card.picture, /^med_/);
  await page.locator(`[data-cue="${cue.id}"] [data-trait=card]`, { hasText: 'Teapot, € 24.90' }).waitFor();
  await until('the picture of the product', () => page.evaluate(() => {
    const video = document.querySelector('video');
    const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 90 });
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0, 160, 90);
    const { data } = context.getImageData(0, 0, 160, 90);
    let green = 0;
    for (let i = 0; i < data.length; i += 4) green += data[i + 1] > data[i] + 50 && data[i + 1] > data[i + 2] + 50;
    return green > 150; // of 14,400: more than a hundredth
  }), { timeout_ms: 20_000 });
  await quiet();
  noFaults();
});

test('by keyboard alone: Alt+Down opens the staging, arrows turn its tabs and choices, Alt+Up leads back', async () => {
  const page = await studio();
  await page.keyboard.press('/');
  await page.keyboard.type('Without a mouse.');
  const box = await page.getByLabel('Line to speak').boundingBox();
  assert.ok(box.height <= 40, `a short line is one row high, not ${box.height} px`);
  await page.keyboard.press('Alt+ArrowDown');
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
  await until('the tab', async () => (await focused()).startsWith('Presenter'));
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await until('the next tabs', async () => (await focused()).startsWith('Manner'));
  await page.keyboard.press('Tab'); // the panel's first control: the emotion that is chosen
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Alt+ArrowUp');
  await until('the line', async () => (await focused()) === 'line');
  const cue = await send(page);
  assert.deepEqual([cue.text, cue.emotion], ['Without a mouse.', 'warm']);
  await quiet();
  noFaults();
});

/** A second of a tone as WAV. */
function wav() {
  const samples = Int16Array.from({ length: 48_000 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 440 * i) / 48_000));
  const head = Buffer.from('524946460000000057415645666d7420100000000100010080bb000000770100020010006461746100000000', 'hex');
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer)]);
}

test('a voice is found by language and speaker, and heard here before it is on air', async () => {
  const page = await studio();
  const asked = [];
  page.on('request', (request) => request.url().endsWith('/v1/speech') && asked.push(request.postDataJSON()));
  const line = await staging(page, 'Manner');
  const voice = line.getByRole('combobox', { name: 'Voice' });
  const all = await voice.locator('option').count();
  await line.getByRole('combobox', { name: 'Language' }).selectOption('German');
  await line.getByRole('combobox', { name: 'Speaker' }).selectOption('Women');
  const found = await voice.locator('option:not([value=""])').evaluateAll((options) => options.map((one) => one.value));
  assert.ok(found.length > 0 && found.length < all / 5 && found.every((id) => /de/.test(id)), `${found}`);
  await voice.selectOption(found[0]);
  await line.getByRole('radio', { name: 'Calm' }).check();
  await line.getByRole('button', { name: 'Listen', exact: true }).click();
  await line.getByRole('button', { name: 'Stop listening' }).waitFor();
  await until('the preview', () => asked.length === 1);
  assert.equal(asked[0].voice, found[0]);
  assert.equal(asked[0].style, 'calm');
  assert.match(asked[0].text, /^Guten Abend/);
  assert.equal((await server.stats()).speaking, false, 'nothing is on air');
  await line.getByRole('button', { name: 'Listen', exact: true }).waitFor({ timeout: 20_000 }); // it has ended by itself
  await page.getByLabel('Line to speak').fill('So soll das klingen.');
  await line.getByRole('button', { name: 'Listen', exact: true }).click();
  await until('the line itself', () => asked.length === 2);
  assert.equal(asked[1].text, 'So soll das klingen.');
  assert.deepEqual(await page.evaluate(() => window.brokenRules()), []);
  const cue = await send(page);
  assert.deepEqual([cue.voice, cue.style], [found[0], 'calm']);
  await page.locator(`[data-cue="${cue.id}"] [data-trait=style]`, { hasText: 'Calm' }).waitFor();
  await line.getByRole('button', { name: 'Reset' }).click();
  await quiet();
  noFaults();
});

test('what SSML does not get is said under the line and at the cue, until the next line is written', async () => {
  const page = await studio();
  const line = lineOf(page);
  await line.getByText('SSML', { exact: true }).click();
  const cue = await send(page, '<speak>A <audio src="x.mp3">jingle</audio> and a <sub alias="word">w.</sub></speak>');
  const under = line.getByRole('status', { name: 'SSML warnings' });
  await under.getByText(/<audio> is not played/).waitFor();
  await page.locator(`[data-cue="${cue.id}"]`).getByText(/<audio> is not played/).waitFor();
  assert.deepEqual(await page.evaluate(() => window.brokenRules()), []);
  await page.getByLabel('Line to speak').fill('<speak>Next');
  await under.waitFor({ state: 'detached' });
  await page.locator(`[data-cue="${cue.id}"]`).getByRole('button', { name: /Take into|Interrupt/ }).waitFor();
  await quiet();
  await page.locator(`[data-cue="${cue.id}"]`).getByRole('button', { name: /^Take into/ }).click();
  const again = await send(page);
  assert.equal(again.ssml, cue.ssml, 'a line taken back carries no warnings of its own');
  await line.getByText('Text', { exact: true }).click();
  await quiet();
  noFaults();
});

test('music is uploaded, heard at once, made softer and turned off', async () => {
  const page = await studio();
  const stage = stageOf(page);
  await stage.getByLabel('Upload music').setInputFiles(file('quiet-piano.wav', 'audio/wav', wav()));
  await until('the music', async () => (await server.stats()).music.state === 'playing', { timeout_ms: 20_000 });
  await stage.getByText('Playing').waitFor();
  const { music } = await channel();
  assert.equal(await stage.getByRole('combobox', { name: 'Music' }).inputValue(), music.media);
  await stage.getByLabel('Loudness').fill('-30');
  await until('the volume', async () => Math.abs((await server.stats()).music.gain_db + 30) < 0.5);
  assert.equal((await channel()).music.volume_db, -30);
  assert.equal(await stage.getByRole('radio', { name: 'quiet-piano' }).count(), 0, 'a sound is no background');
  assert.deepEqual(await page.evaluate(() => window.brokenRules()), []);
  await stage.getByRole('combobox', { name: 'Music' }).selectOption('Off');
  await until('silence', async () => (await server.stats()).music.state === 'off');
  await stage.getByLabel('Upload music').setInputFiles(file('no.wav', 'audio/wav', Buffer.from('RIFF1234WAVEnothing of a sound in here')));
  await stage.getByRole('alert').waitFor();
  noFaults();
});

test('choices are remembered for each channel', async () => {
  await server.api('POST', '/v1/channels', { id: 'second', title: 'Second', presenter: 'mira', set: 'plain', width: 320, height: 240 });
  const page = await studio();
  let line = await staging(page, 'Scene');
  await line.getByRole('combobox', { name: 'Camera' }).selectOption('left');
  await page.getByLabel('Channel').selectOption('second');
  await line.locator('[data-trait=camera]').waitFor({ state: 'detached' });
  assert.equal(await line.getByRole('button', { name: 'Staging' }).getAttribute('aria-expanded'), 'false');
  await page.getByLabel('Channel').selectOption('main');
  await line.locator('[data-trait=camera]').waitFor();
  await page.reload();
  line = lineOf(page);
  await line.locator('[data-trait=camera]').waitFor();
  assert.equal(await line.getByRole('combobox', { name: 'Camera' }).inputValue(), 'left', 'open at the same tab');
  await server.api('DELETE', '/v1/channels/second');
  noFaults();
});

test('on a phone every tab fits, a line is staged by thumb, and the stage can be changed', async () => {
  const page = await studio(PHONE);
  const line = lineOf(page);
  await line.getByRole('button', { name: 'Staging' }).tap();
  for (const tab of ['Presenter', 'Scene', 'Manner', 'Action', 'Card']) {
    await line.getByRole('tab', { name: tab }).tap();
    await sleep(100);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(over, 0, `${tab}: sideways scrolling`);
    assert.deepEqual(await page.evaluate(() => window.brokenRules()), [], tab);
  }
  await line.getByRole('tab', { name: 'Presenter' }).tap();
  await line.locator('.tile', { hasText: 'Mira' }).tap();
  const cue = await send(page, 'From a phone.');
  assert.equal(cue.presenter, 'mira');
  await quiet();
  const stage = stageOf(page);
  await stage.getByRole('combobox', { name: 'Light' }).selectOption('warm');
  await stage.getByRole('button', { name: 'Put on air' }).tap();
  await until('the light', async () => (await channel()).light === 'warm', { timeout_ms: 40_000 });
  noFaults();
});
