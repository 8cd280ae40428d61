// The pages in Chromium against a made-up server (studio/dev/mock-server.mjs): what an operator does and sees, by
// mouse, by keyboard and on a phone. Needs studio/dist (npm run build). No picture here: see live.test.mjs for that.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Mock, POLICY } from '../../studio/dev/mock-server.mjs';
import { lineOf, staging } from './desk.mjs';
import { launchBrowser, sleep, until } from './harness.mjs';

let browser;
let mock;
let url;
let faults;

before(async () => {
  const dist = fileURLToPath(new URL('../../studio/dist/studio.html', import.meta.url));
  assert.ok(existsSync(dist), 'the pages are not built: npm run build');
  browser = await launchBrowser();
});
after(() => browser?.close());

beforeEach(async () => {
  faults = [];
  mock = new Mock();
  url = await mock.listen();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await mock.close();
});

/** A page whose script errors, console errors and policy violations are collected. */
async function openPage(path, { width = 1440, height = 900, phone = false, key = 'cpk_mock', theme = 'dark' } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    hasTouch: phone,
    isMobile: phone,
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // The browser itself reports refused requests, which off-air channels and wrong keys are.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) faults.push(message.text());
  });
  await page.addInitScript(
    ([storedKey, storedTheme]) => {
      window.violations = [];
      addEventListener('securitypolicyviolation', (event) =>
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`),
      );
      if (storedKey) sessionStorage.setItem('compere.key', storedKey);
      localStorage.setItem('compere.theme', storedTheme);
    },
    [key, theme],
  );
  await page.goto(url + path);
  return page;
}

async function noFaults(page) {
  faults.push(...(await page.evaluate(() => window.violations)));
  assert.deepEqual(faults, [], 'the page raised errors or broke its content security policy');
}

const stateOf = (page, text) =>
  page.evaluate(
    (wanted) =>
      [...document.querySelectorAll('[data-cue]')].find((row) => row.textContent.includes(wanted))?.dataset.state,
    text,
  );

const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test('the content security policy allows nothing inline and nothing foreign', async () => {
  assert.doesNotMatch(POLICY, /unsafe|data:|\*/);
  for (const path of ['/', '/studio/']) {
    const html = await (await fetch(url + path)).text();
    assert.doesNotMatch(html, /<style|style=|<script(?![^>]*\bsrc=)|\bon[a-z]+=/i, `${path} has inline code or style`);
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//, `${path} loads from elsewhere`);
  }
});

test('sign in: a wrong key is explained, the right one opens the desk and is kept for this session only', async () => {
  const page = await openPage('/studio/', { key: null });
  await page.getByLabel('Key').fill('cpk_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: 'not known to the server' }).waitFor();

  await page.getByLabel('Key').fill('cpk_mock');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Demo channel' }).waitFor();
  await page.getByRole('img', { name: 'On air' }).waitFor();
  const kept = await page.evaluate(() => [sessionStorage.getItem('compere.key'), localStorage.getItem('compere.key')]);
  assert.deepEqual(kept, ['cpk_mock', null]);

  await page.reload();
  await page.getByRole('heading', { name: 'Demo channel' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Key').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('compere.key')), null);
  await noFaults(page);
});

test('sign in: "remember on this device" outlives the session; a key in the address is taken out of it', async () => {
  const page = await openPage('/studio/', { key: null });
  await page.getByLabel('Key').fill('cpk_mock');
  await page.getByLabel('Remember on this device').check();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Demo channel' }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem('compere.key')), 'cpk_mock');

  const handed = await openPage('/studio/#key=cpk_mock', { key: null });
  await handed.getByRole('heading', { name: 'Demo channel' }).waitFor();
  assert.equal(new URL(handed.url()).hash, '');
  await noFaults(page);
});

test('a line goes from Enter to done, with every state on the way, and its settings with it', async () => {
  const page = await openPage('/studio/');
  await page.getByText('No cue yet').waitFor();
  const line = await staging(page, 'Manner');
  await line.getByLabel('Voice').selectOption('espeak:en-gb');
  await line.getByRole('radio', { name: 'Happy' }).check();
  await line.getByLabel('Rate').fill('0.5');
  await staging(page, 'Scene');
  await line.getByLabel('Camera').selectOption('close');
  await staging(page, 'Action');
  await line.getByRole('button', { name: 'Wave' }).click();
  await staging(page, 'Card');
  await line.getByLabel('Title').fill('Lower third');
  await page.getByLabel('Line to speak').fill('Good evening to you all');

  const seen = [];
  const watching = (async () => {
    while (seen.at(-1) !== 'done') {
      const state = await stateOf(page, 'Good evening to you all');
      if (state && state !== seen.at(-1)) seen.push(state);
      await sleep(20);
    }
  })();
  await page.keyboard.press('Tab');
  await page.getByLabel('Line to speak').press('Enter');
  await watching;

  // Queued and ready may pass too quickly to be seen.
  assert.deepEqual(seen.filter((state) => !['queued', 'ready'].includes(state)), ['preparing', 'speaking', 'done']);
  assert.equal(await page.getByLabel('Line to speak').inputValue(), '', 'the line box is free for the next line');
  const posted = mock.requests.filter((one) => one.method === 'POST' && one.path.endsWith('/cues'));
  assert.equal(posted.length, 1);
  assert.deepEqual(JSON.parse(posted[0].body), {
    text: 'Good evening to you all', voice: 'espeak:en-gb', emotion: 'happy', camera: 'close', action: 'wave',
    card: 'Lower third', rate: 1.41,
  });
  await page.getByRole('region', { name: 'Time to air' }).getByText(/^median \d+ ms$/).waitFor();
  await noFaults(page);
});

test('voices are grouped by language, and one that cannot be used says why and cannot be chosen', async () => {
  const page = await openPage('/studio/');
  const line = await staging(page, 'Manner');
  const joanna = line.locator('option', { hasText: 'Joanna' });
  await joanna.waitFor({ state: 'attached' });
  assert.match(await joanna.textContent(), /no AWS credentials/);
  assert.equal(await joanna.evaluate((option) => option.disabled), true);
  const groups = await line.locator('optgroup').evaluateAll((all) => all.map((group) => group.label));
  assert.deepEqual(groups, ['Chinese', 'English', 'German']);
});

test('Shift+Enter makes a new row; SSML is sent as SSML; a refused line stays in the box with a way out', async () => {
  const page = await openPage('/studio/');
  const box = page.getByLabel('Line to speak');
  await box.fill('one');
  await box.press('Shift+Enter');
  await box.pressSequentially('two');
  assert.equal(await box.inputValue(), 'one\ntwo');

  await page.getByText('SSML', { exact: true }).click();
  await box.fill('<p>not a root</p>');
  await box.press('Enter');
  const alert = page.getByRole('alert');
  await alert.waitFor();
  assert.match(await alert.textContent(), /Not sent.*root element must be <speak>.*still here.*send again/s);
  assert.equal(await box.inputValue(), '<p>not a root</p>');

  await box.fill('<speak>fine</speak>');
  await box.press('Enter');
  await until('the SSML cue', () => mock.cues.length === 1);
  assert.equal(mock.cues[0].ssml, '<speak>fine</speak>');
  assert.equal(mock.cues[0].text, undefined);
});

test('a failed cue gives its reason and goes back into the line box', async () => {
  const page = await openPage('/studio/');
  mock.addCue({ text: 'An unlucky line', emotion: 'sad' }, 'the voice did not answer within 2 s');
  await page.getByText(/the voice did not answer within 2 s\. The show goes on/).waitFor();
  await page.getByRole('button', { name: 'Take into the line box: An unlucky line' }).click();
  assert.equal(await page.getByLabel('Line to speak').inputValue(), 'An unlucky line');
  const line = await staging(page, 'Manner');
  assert.equal(await line.getByRole('radio', { name: 'Sad' }).isChecked(), true);
});

test('keyboard: / goes to the line box, Escape interrupts with the chosen policy, ? shows the help', async () => {
  const page = await openPage('/studio/');
  await page.getByRole('img', { name: 'On air' }).waitFor();
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'line');
  await page.keyboard.type('A long line to be cut / off?');
  await page.keyboard.press('Enter');
  await until('the cue on air', async () => (await stateOf(page, 'to be cut / off?')) === 'speaking');

  await page.getByText('Sentence', { exact: true }).click();
  await page.keyboard.press('Escape');
  await until('the cue cut', async () => (await stateOf(page, 'to be cut')) === 'cut');
  const interrupts = mock.requests.filter((one) => one.path.endsWith('/interrupt'));
  assert.deepEqual(interrupts.map((one) => JSON.parse(one.body)), [{ policy: 'sentence' }]);

  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await sleep(100);
  assert.equal(
    mock.requests.filter((one) => one.path.endsWith('/interrupt')).length, 1, 'closing the help interrupts nothing');
  await noFaults(page);
});

test('keyboard: every control can be reached with Tab, has a name, and shows where it is', async () => {
  const page = await openPage('/studio/');
  await page.getByRole('img', { name: 'On air' }).waitFor();
  await page.getByRole('listitem').first().waitFor();
  await staging(page, 'Manner');
  await page.reload(); // Tab begins at the top; the staging is open again by itself
  await page.getByRole('tab', { name: 'Manner', selected: true }).waitFor();
  await page.getByRole('listitem').first().waitFor();
  const reached = [];
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      if (element.dataset.reached) return null;
      element.dataset.reached = '1';
      const ring = getComputedStyle(element.closest('.choice label') ?? element.closest('.tile')?.querySelector('.frame') ?? element);
      return {
        name: element.getAttribute('aria-label') || element.labels?.[0]?.textContent.trim() || element.textContent.trim(),
        ring: ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 1,
        tag: element.outerHTML.slice(0, 80),
      };
    });
    if (!stop) break;
    reached.push(stop);
  }
  assert.ok(reached.length >= 25, `only ${reached.length} stops`);
  for (const stop of reached) {
    assert.ok(stop.name, `no name: ${stop.tag}`);
    assert.ok(stop.ring, `no focus ring: ${stop.tag}`);
  }
  const names = reached.map((stop) => stop.name).join('|');
  for (const name of ['Line to speak', 'Staging', 'Manner', 'Voice', 'Upload a character', 'Interrupt', 'Send', 'Remove line 1', 'New line of the rundown'])
    assert.ok(names.includes(name), `${name} is not reached by Tab`);
});

test('no tab of the staging breaks a rule of accessible pages, nor does the desk around it', async () => {
  const page = await openPage('/studio/');
  await page.getByRole('listitem').first().waitFor();
  await page.evaluate(readFileSync(new URL('rules.js', import.meta.url), 'utf8'));
  for (const tab of ['Presenter', 'Scene', 'Manner', 'Action', 'Card']) {
    await staging(page, tab);
    assert.deepEqual(await page.evaluate(() => window.brokenRules()), [], tab);
  }
});

test('a product on a card: price, picture and side are sent when they are filled', async () => {
  const page = await openPage('/studio/');
  const line = await staging(page, 'Card');
  await line.getByLabel('Title').fill('Teapot');
  await line.getByLabel('Price').fill('€ 24.90');
  await line.getByRole('radio', { name: 'Left' }).check();
  const picture = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==', 'base64');
  await line.getByLabel('Upload a picture').setInputFiles({ name: 'teapot.png', mimeType: 'image/png', buffer: picture });
  await line.getByRole('radio', { name: 'teapot' }).waitFor();
  await page.getByLabel('Line to speak').fill('Look at this.');
  await page.keyboard.press('Enter');
  await until('the cue', () => mock.cues.length === 1);
  assert.deepEqual(mock.cues[0].card, { title: 'Teapot', price: '€ 24.90', picture: 'med_1', side: 'left' });
  await page.locator('[data-cue] [data-trait=card]', { hasText: 'Teapot, € 24.90' }).waitFor();

  await page.getByRole('button', { name: 'Take into the line box: Look at this.' }).click();
  assert.equal(await line.getByLabel('Price').inputValue(), '€ 24.90');
  assert.equal(await line.getByRole('radio', { name: 'Left' }).isChecked(), true);
  await noFaults(page);
});

test('an action at the caret never breaks the markup', async () => {
  const page = await openPage('/studio/');
  const line = await staging(page, 'Action');
  await line.getByRole('radio', { name: 'SSML' }).check();
  await line.getByRole('radio', { name: 'At the caret' }).check();
  const box = page.getByLabel('Line to speak');
  const mark = '<mark name="action:wave"/>';
  for (const [caret, wanted] of [
    [16, `<speak>One <break time="1s"/>${mark}two</speak>`], // within a tag: behind it
    [0, `<speak>${mark}One <break time="1s"/>two</speak>`],
    [99, `<speak>One <break time="1s"/>two${mark}</speak>`],
    [9, `<speak>On${mark}e <break time="1s"/>two</speak>`],
  ]) {
    await box.fill('<speak>One <break time="1s"/>two</speak>');
    await box.evaluate((area, at) => area.setSelectionRange(at, at), caret);
    await line.getByRole('button', { name: 'Wave' }).click();
    assert.equal(await box.inputValue(), wanted);
    assert.equal(await box.evaluate((area) => area.selectionEnd), wanted.indexOf(mark) + mark.length);
  }
  await box.fill('');
  await line.getByRole('button', { name: 'Wave' }).click();
  assert.equal(await box.inputValue(), `<speak>${mark}</speak>`);
});

test('a motion is uploaded as an action of its name, told when the name is taken, and deleted', async () => {
  const page = await openPage('/studio/');
  const line = await staging(page, 'Action');
  const motion = { name: 'Victory Dance!.vrma', mimeType: '', buffer: Buffer.alloc(100) };
  const input = line.getByLabel('Upload a motion');
  await input.setInputFiles(motion);
  const button = line.getByRole('button', { name: 'Victory dance', exact: true });
  await button.click();
  assert.equal(await button.getAttribute('aria-pressed'), 'true');
  await line.locator('[data-trait=action]').waitFor();
  assert.deepEqual(mock.motions, [{ name: 'victory-dance', uploaded: true }]);
  await input.setInputFiles(motion);
  await line.getByRole('alert').filter({ hasText: /name is taken.*Delete the other one first/s }).waitFor();
  await line.getByRole('button', { name: 'Delete Victory dance' }).click();
  await line.getByRole('button', { name: 'Really delete Victory dance' }).click();
  await button.waitFor({ state: 'detached' });
  await line.locator('[data-trait=action]').waitFor({ state: 'detached' });
  assert.deepEqual(mock.motions, []);
  await noFaults(page);
});

test('the rundown: the current line is marked; add, change, move, remove and undo are saved', async () => {
  const page = await openPage('/studio/');
  const saved = () => mock.channel.rundown.cues.map((cue) => cue.text.slice(0, 12));
  await until('the current line', async () =>
    (await page.locator('[aria-current=true]').textContent())?.includes('Everything you see'));
  assert.deepEqual(saved(), ['Good evening', 'Everything y', 'Type a line ', 'In the meant']);

  await page.getByLabel('New line of the rundown').fill('A last line.');
  await page.keyboard.press('Enter');
  await until('the added line', () => saved().length === 5);

  await page.getByRole('button', { name: 'Move line 5 up' }).click();
  await until('the moved line', () => saved()[3] === 'A last line.');

  await page.getByRole('button', { name: /^Change line 4/ }).press('Alt+ArrowUp');
  await until('the line moved by key', () => saved()[2] === 'A last line.');

  await page.getByRole('button', { name: /^Change line 3/ }).click();
  await page.getByLabel('Line 3', { exact: true }).fill('A better line.');
  await page.keyboard.press('Enter');
  await until('the changed line', () => saved()[2] === 'A better lin');

  await page.getByRole('button', { name: 'Remove line 2' }).click();
  await until('the removed line', () => saved().length === 4);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await until('the line back', () => saved()[1] === 'Everything y');
  // What the page does not show of a line must survive its edits.
  assert.equal(mock.channel.rundown.cues[1].emotion, 'happy');

  await page.getByRole('button', { name: 'Loops' }).click();
  await until('the loop off', () => mock.channel.rundown.loop === false);
  await noFaults(page);
});

test('a waiting cue can be deleted and played at once', async () => {
  mock.pace_ms = 0;
  const page = await openPage('/studio/');
  mock.addCue({ text: 'First' });
  mock.addCue({ text: 'Second' });
  const next = page.getByRole('list', { name: 'Next' });
  await until('both cues', async () => (await next.getByRole('listitem').count()) === 2);
  assert.match(await next.getByRole('listitem').first().textContent(), /First/, 'in the order of their performance');
  await page.getByRole('button', { name: 'Delete: First' }).click();
  await until('one cue', async () => (await next.getByRole('listitem').count()) === 1);
  assert.deepEqual(mock.cues.map((cue) => cue.text), ['Second']);
  await page.getByRole('button', { name: 'Play now: Second' }).click();
  await until('the request', () => mock.requests.some((one) => one.path.endsWith('/play')));
});

test('a key that may only look is told so, and the line is kept', async () => {
  const page = await openPage('/studio/', { key: 'cpk_mock_viewer' });
  await page.getByLabel('Line to speak').fill('May I?');
  await page.keyboard.press('Enter');
  assert.match(await page.getByRole('alert').textContent(), /This key may not do that.*operator role/s);
  assert.equal(await page.getByLabel('Line to speak').inputValue(), 'May I?');
});

test('health is quiet when all is well and names what is wrong', async () => {
  const page = await openPage('/studio/');
  const health = page.getByRole('contentinfo', { name: 'Health' });
  await health.getByText('All steps on time').waitFor();
  mock.stats = { fps: 21.5, slow_step: 'drawn', av_offset_ms: 85 };
  await health.getByText(/“drawn” is slow \(14\.6 ms at p95\).*21\.5 frames.*85 ms before the picture/).waitFor();
  mock.stats = { voices: [{ down: 'polly:Joanna', speaking: 'flite:slt', why: 'nobody answers' }] };
  await health.getByText('The voice polly:Joanna is down, flite:slt speaks.').waitFor();
  mock.stats = {};
  await health.getByText('All steps on time').waitFor();
});

test('a cue told of while the list is being read is not lost to the older list', async () => {
  mock.pace_ms = 0;
  mock.holdCues = true;
  const page = await openPage('/studio/');
  await until('the question for the list', () => mock.held.length > 0);
  mock.addCue({ text: 'Told in between' });
  await sleep(200);
  mock.releaseCues();
  await until('the cue', () => stateOf(page, 'Told in between'));
  await sleep(300);
  assert.equal(await stateOf(page, 'Told in between'), 'queued');
});

test('the server lost and found: the studio says so, comes back by itself, and has missed nothing', async () => {
  const page = await openPage('/studio/');
  await page.getByText('No cue yet').waitFor();
  mock.dropEvents();
  mock.addCue({ text: 'Said while nobody listened' });
  await until('the missed cue', () => stateOf(page, 'Said while nobody listened'));
  await page.getByRole('contentinfo', { name: 'Health' }).getByText('All steps on time').waitFor();
});

test('on a phone nothing is wider than the screen and the line box is in the first one', async () => {
  mock.addCue({ text: `A long word: ${'x'.repeat(120)}` });
  const page = await openPage('/studio/', { width: 390, height: 844, phone: true });
  await page.getByRole('img', { name: 'On air' }).waitFor();
  await page.locator('[data-cue]').first().waitFor();
  assert.equal(await overflow(page), 0, 'sideways scrolling');
  const box = await page.getByLabel('Line to speak').boundingBox();
  const send = await page.getByRole('button', { name: 'Send' }).boundingBox();
  assert.ok(box.y + box.height < 844 && send.y + send.height < 844, 'line box or Send below the first screen');
  assert.ok(send.height >= 40, 'Send is too small for a thumb');
  // The picture stays while the lists run beneath it.
  await page.evaluate(() => scrollTo(0, 600));
  const picture = await page.getByLabel('Programme picture').boundingBox();
  assert.ok(Math.abs(picture.y) < 2, `the picture is at ${picture.y}`);
  await noFaults(page);
});

for (const [width, height] of [[360, 640], [820, 1180], [1024, 768], [1920, 1080]])
  test(`${width} x ${height}: nothing is cut off sideways, Send can be seen`, async () => {
    const page = await openPage('/studio/', { width, height });
    await page.getByRole('img', { name: 'On air' }).waitFor();
    assert.equal(await overflow(page), 0);
    const send = page.getByRole('button', { name: 'Send' });
    await send.scrollIntoViewIfNeeded();
    const at = await send.boundingBox();
    assert.ok(at.x >= 0 && at.x + at.width <= width);
  });

for (const theme of ['dark', 'light'])
  test(`contrast of the ${theme} colours is at least 4.5 to 1 for all text`, async () => {
    mock.pace_ms = 1500;
    mock.addCue({ text: 'fail' });
    mock.addCue({ text: 'A line that is on air' });
    const page = await openPage('/studio/', { theme });
    await staging(page, theme === 'dark' ? 'Scene' : 'Action');
    await until('the cue on air', async () => (await stateOf(page, 'A line that is on air')) === 'speaking');
    const low = await page.evaluate(() => {
      const parse = (color) => {
        const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
        return { rgb: [r, g, b], a };
      };
      const luminance = (rgb) => {
        const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
          const { rgb, a } = parse(getComputedStyle(at).backgroundColor);
          if (a === 1) return rgb;
        }
        return [0, 0, 0];
      };
      const poor = [];
      for (const element of document.querySelectorAll('#app *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || element.closest('.absent, option, optgroup, :disabled') || !element.offsetParent) continue;
        const a = luminance(parse(getComputedStyle(element).color).rgb);
        const b = luminance(behind(element));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const needed = element.closest('.lamp') ? 3 : 4.5; // large bold type on the lamp
        if (ratio < needed) poor.push(`${ratio.toFixed(2)} ${element.className} "${element.textContent.trim().slice(0, 30)}"`);
      }
      return poor;
    });
    assert.deepEqual(low, []);
  });

test('red is for what is on air and nothing else', async () => {
  mock.pace_ms = 0;
  mock.channel.state.on_air = false;
  mock.addCue({ text: 'Waiting' });
  for (const state of ['failed', 'cut', 'done']) mock.addCue({ text: `It ${state}` }).state = state;
  const page = await openPage('/studio/');
  await page.getByRole('img', { name: 'Off air' }).waitFor();
  await page.locator('[data-state=failed]').waitFor();
  const red = await page.evaluate(() => {
    const isRed = (color) => {
      const [r, g, b, a = 1] = color.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
      return a > 0 && r > 120 && r > 1.9 * g && r > 1.9 * b;
    };
    return [...document.querySelectorAll('#app *')]
      .filter((element) => {
        const style = getComputedStyle(element);
        return [style.color, style.backgroundColor, style.borderLeftColor, style.fill].some(isRed);
      })
      .map((element) => element.outerHTML.slice(0, 100));
  });
  assert.deepEqual(red, []);
});

test('watch page: off the air it says so, tries again by itself, and shows no controls', async () => {
  const page = await openPage('/', { key: null });
  await page.getByRole('heading', { name: 'Not on air' }).waitFor();
  assert.equal(await page.evaluate(() => window.compere.state), 'offline');
  assert.equal(await page.evaluate(() => window.compere.transport), null);
  const offers = () => mock.requests.filter((one) => one.path === '/v1/channels/main/whep').length;
  const before = offers();
  await until('another try', () => offers() > before);
  assert.equal(await page.getByRole('button').count(), 0);
  assert.equal(await overflow(page), 0);
  await noFaults(page);
});

test('watch page: the channel comes from the path, and captions are shown word by word', async () => {
  const other = await openPage('/watch/second%20stage', { key: null });
  await until('the offer', () => mock.requests.some((one) => one.path === '/v1/channels/second%20stage/whep'));
  await other.close();

  const page = await openPage('/watch/main', { key: null });
  await page.getByRole('heading', { name: 'Not on air' }).waitFor();
  await until('the listener', () => mock.requests.some((one) => one.path === '/v1/channels/main/captions'));
  await sleep(200);
  mock.caption('Grüße aus dem Studio');
  const caption = page.locator('.caption');
  await caption.waitFor();
  const unsaid = await caption.locator('i').textContent();
  assert.ok(unsaid.length > 0 && 'Grüße aus dem Studio'.endsWith(unsaid), `unsaid: "${unsaid}"`);
  await until('all words said', async () => (await caption.locator('i').textContent()) === '');
  await caption.waitFor({ state: 'detached' });
});
