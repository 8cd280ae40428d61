// Captions and cues as another site's page has them: hls.js as it is published, on a page that is not ours.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { figure, launchBrowser, listen, Server, until } from './harness.mjs';

const HLS = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');
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

async function openPlayer() {
  const page = await browser.newPage();
  await page.setContent('<video muted autoplay width="640"></video>');
  await page.addScriptTag({ path: HLS });
  await page.evaluate((url) => {
    const hls = new window.Hls({ lowLatencyMode: true, enableWorker: false });
    const video = document.querySelector('video');
    window.hls = hls;
    window.shown = [];
    hls.loadSource(url);
    hls.attachMedia(video);
    setInterval(() => {
      const track = [...video.textTracks].find((one) => one.kind === 'subtitles' || one.kind === 'captions');
      for (const cue of track?.activeCues ?? [])
        if (!window.shown.some((one) => one.text === cue.text))
          window.shown.push({ text: cue.text, start: cue.startTime, wall_ms: hls.playingDate.getTime() + (cue.startTime - video.currentTime) * 1000 });
    }, 30);
  }, `${server.url}/v1/channels/main/hls/index.m3u8`);
  await until('the picture', () => page.evaluate(() => document.querySelector('video').currentTime > 0), { timeout_ms: 20_000 });
  await page.evaluate(() => {
    window.hls.subtitleDisplay = true;
    window.hls.subtitleTrack = 0;
  });
  return page;
}

test('hls.js shows the words while they are said, and tells of the cue', async () => {
  const page = await openPlayer();
  const heard = await listen(server, '/v1/channels/main/captions', { key: null });
  const { language, name } = await page.evaluate(() => {
    const { lang, name } = window.hls.subtitleTracks[0];
    return { language: lang, name };
  });
  assert.deepEqual([language, name], ['en-US', 'Captions']);
  const text = 'This sentence is shown by a player that nobody here wrote.';
  const { id } = await server.say(`${text} And this is what comes after it, for a while, so that there is time to look.`);
  const shown = await until('the caption', () => page.evaluate((words) => window.shown.find((one) => one.text.replace('\n', ' ') === words), text), { timeout_ms: 20_000 });
  const said = heard.events.map((event) => event.data).find((data) => data.text === text);
  const off = shown.wall_ms - said.wall_ms - said.words[0].t_ms;
  figure('hls_caption_off_its_words', off, 'ms', 'within 100');
  assert.ok(Math.abs(off) <= 100, `${off} ms`);
  const ranges = await page.evaluate(() => Object.values(window.hls.levels[0].details.dateRanges).map((one) => ({ id: one.id, class: one.class, text: one.attr['X-CUE'] })));
  assert.deepEqual(ranges, [{ id, class: 'compere.cue', text }]);
  await heard.close();
});
