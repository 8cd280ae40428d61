// The question desk in Chromium against a real server: documents in, a viewer's question answered, on air.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchBrowser, live, Server, until } from './harness.mjs';

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

async function studio(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.addInitScript({ path: fileURLToPath(new URL('rules.js', import.meta.url)) });
  await page.goto(`${server.url}/studio/#key=${server.key}`);
  await live(page, 'webrtc', 40_000);
  return page;
}

const SHOP = '# Delivery\nWe deliver parcels to Spain within four working days.\n\n# Mugs\nThe stoneware mug holds 350 millilitres.';

test('a document is uploaded, a question suggested, edited, said on air and aired; another dismissed', async () => {
  const page = await studio({ viewport: { width: 1440, height: 900 } });
  const desk = page.getByRole('region', { name: 'Questions', exact: true });
  await desk.getByText('No question yet').waitFor();
  await desk.getByText('Documents', { exact: true }).click();
  await desk.getByLabel('Upload a document').setInputFiles({ name: 'shop.md', mimeType: '', buffer: Buffer.from(SHOP) });
  await desk.getByRole('list', { name: 'Documents' }).getByText('shop').waitFor();

  // Passages are worded better by hand; words that mean the same and pins lead to them.
  await desk.getByRole('button', { name: 'shop', exact: true }).click();
  const passages = desk.getByRole('list', { name: 'Passages of shop' });
  await passages.getByRole('textbox', { name: 'Passage 2' }).fill('The stoneware mug holds 350 millilitres, or a pint of foam.');
  await passages.getByRole('textbox', { name: 'Passage 2' }).press('Tab');
  const search = async (query) => (await server.api('POST', '/v1/search', { query })).hits;
  await until('the new words to be found', async () => (await search('foam'))[0]?.text.includes('pint of foam'));
  await desk.getByLabel('A question that shop answers first').fill('Where is Kim tonight?');
  await desk.getByRole('button', { name: 'Pin it' }).click();
  await desk.getByRole('button', { name: 'Unpin Where is Kim tonight?' }).waitFor();
  assert.equal((await search('Where is Kim tonight'))[0].pinned, true);
  await desk.getByText('How they are searched').click();
  await desk.getByLabel('Words that mean the same').fill('mug, cup\nparcel, two words');
  await desk.getByLabel('Words that mean the same').press('Tab');
  await desk.getByRole('alert').getByText('"two words" is no single word', { exact: false }).waitFor();
  await desk.getByLabel('Words that mean the same').fill('mug, cup');
  await desk.getByLabel('Words that mean the same').press('Tab');
  await until('cups to be mugs', async () => (await search('cups'))[0]?.text.includes('mug'));
  await desk.getByLabel('Counts').selectOption({ label: 'more' });
  await until('it to count more', async () => (await server.api('GET', '/v1/documents')).documents[0].boost === 2);
  // Web pages are read from their addresses; those of this machine are not.
  await desk.getByLabel('Addresses of web pages').fill(`${server.url}/watch/`);
  await desk.getByRole('button', { name: 'Read them' }).click();
  await desk.getByText('1 of 1 pages read.').waitFor();
  await desk.getByText('private network', { exact: false }).waitFor();
  if (process.env.COMPERE_PICTURES) {
    await page.setViewportSize({ width: 1440, height: 1700 });
    await desk.screenshot({ path: `${process.env.COMPERE_PICTURES}/documents.png` });
    await page.setViewportSize({ width: 1440, height: 900 });
  }
  assert.deepEqual(await page.evaluate(() => window.brokenRules?.() ?? []), []);
  await desk.getByRole('button', { name: 'Unpin Where is Kim tonight?' }).click();
  await desk.getByLabel('Counts').selectOption({ label: 'as others' });
  await desk.getByRole('button', { name: 'shop', exact: true }).click();

  await desk.getByLabel('A question').fill('How long does delivery to Spain take?');
  await desk.getByRole('button', { name: 'Ask' }).click();
  const row = desk.locator('[data-question]').first();
  await row.getByText('Suggested').waitFor();
  await row.getByText('shop › Delivery').waitFor();
  const answer = row.getByRole('textbox');
  assert.equal(await answer.inputValue(), 'We deliver parcels to Spain within four working days.');
  await answer.fill('Four working days, to Spain.');
  await row.getByRole('button', { name: 'Say it on air' }).click();
  await page.locator('[data-cue][data-state=speaking]').getByText('Four working days, to Spain.').waitFor({ timeout: 20_000 });
  await desk.locator('[data-question][data-state=aired]').waitFor({ timeout: 20_000 });

  // Somebody asks by the API; the desk hears of it.
  await server.api('POST', '/v1/channels/main/questions', { text: 'Who painted the ceiling of the chapel?', asker: 'Kim' });
  const other = desk.locator('[data-question]', { hasText: 'Kim' });
  await other.getByText('No answer found').waitFor();
  assert.ok(await other.getByRole('button', { name: 'Say it on air' }).isDisabled());
  await other.getByRole('button', { name: 'Dismiss' }).click();
  await desk.getByRole('list', { name: 'Earlier questions' }).getByText('Dismissed').waitFor();

  // Sure answers air by themselves, if the operator says so.
  await desk.getByLabel('Who decides that an answer airs').selectOption({ label: 'Answers of 50 % air by themselves' });
  await until('the channel to know', async () => (await server.api('GET', '/v1/channels/main')).answers?.mode === 'auto');
  await server.api('POST', '/v1/channels/main/questions', { text: 'How much does the stoneware mug hold?', asker: 'Robin' });
  await desk.locator('[data-question][data-state=aired]', { hasText: 'Robin' }).waitFor({ timeout: 20_000 });
  await desk.locator('[data-question][data-state=aired]', { hasText: 'Robin' }).getByText('First frame').waitFor({ timeout: 20_000 });

  // How answers are given is kept, and stays when who decides is changed.
  await desk.getByText('How answers are given').click();
  await desk.getByLabel('Said when a language model keeps one waiting').fill('Good question. | Let me look.');
  await desk.getByLabel('After seconds').fill('0.8');
  await desk.getByLabel('The presenter’s name').fill('Ava');
  if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/answers.png` });
  await desk.getByRole('button', { name: 'Put in place' }).click();
  await until('the rule to be kept', async () => (await server.api('GET', '/v1/channels/main')).answers?.filler_ms === 800);
  await desk.getByLabel('Who decides that an answer airs').selectOption({ label: 'You say which answers air' });
  await until('the channel to know', async () => (await server.api('GET', '/v1/channels/main')).answers?.mode === 'manual');
  const { filler, persona } = (await server.api('GET', '/v1/channels/main')).answers;
  assert.deepEqual([filler, persona], ['Good question. | Let me look.', { name: 'Ava' }]);

  // A set of questions is tried on the documents.
  const set = 'question,document\nHow long does delivery to Spain take?,shop\nWho painted the ceiling of the chapel?,\n';
  await desk.getByLabel('Try a set of questions').setInputFiles({ name: 'set.csv', mimeType: 'text/csv', buffer: Buffer.from(set) });
  await desk.getByRole('table', { name: 'What the documents answer' }).getByText('100.0 %', { exact: true }).waitFor();
  await desk.getByRole('img', { name: /of those without an answer/ }).scrollIntoViewIfNeeded();
  if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/evaluation.png` });

  await desk.getByRole('button', { name: 'Delete shop' }).click();
  await desk.getByRole('button', { name: 'Really delete shop' }).click();
  await until('the document to be gone', async () => (await server.api('GET', '/v1/documents')).documents.length === 0);
  assert.deepEqual(await page.evaluate(() => window.brokenRules()), []);
  await page.context().close();
});

test('a document that cannot be read says why; a phone has the desk too', async () => {
  const page = await studio({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const desk = page.getByRole('region', { name: 'Questions', exact: true });
  await desk.scrollIntoViewIfNeeded();
  await desk.getByText('Documents', { exact: true }).click();
  await desk.getByLabel('Upload a document').setInputFiles({ name: 'x.pdf', mimeType: '', buffer: Buffer.from('no pdf') });
  await desk.getByText('does not begin as a PDF does').waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.ok(!wide, 'nothing sticks out at the side');
  assert.deepEqual(await page.evaluate(() => window.brokenRules()), []);
  await page.context().close();
});

for (const [name, options] of [
  ['desktop', { viewport: { width: 1280, height: 720 } }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
])
  test(`${name}: a viewer asks on the watch page, where the show takes questions`, async () => {
    await server.api('PATCH', '/v1/channels/main', { questions: { open: false } });
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.addInitScript({ path: fileURLToPath(new URL('rules.js', import.meta.url)) });
    await page.goto(`${server.url}/watch/main`);
    await live(page, 'webrtc', 40_000);
    assert.equal(await page.getByRole('button', { name: 'Ask', exact: true }).count(), 0);
    await server.api('PATCH', '/v1/channels/main', { questions: { open: true, per_minute: 60, blocked: 'rotten' } });
    await page.reload();
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    const box = page.getByRole('form', { name: 'Ask the show' });
    await box.getByLabel('Your name').fill('Kim');
    await box.getByLabel('Your question').fill(`Is ${name} rotten?`);
    await page.keyboard.press('Enter');
    await box.getByText('words that are not used here').waitFor();
    await box.getByLabel('Your question').fill(`May ${name} viewers mail you at kim@example.com?`);
    if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/ask-${name}.png` });
    await box.getByRole('button', { name: 'Ask' }).click();
    await box.getByText('The show has your question.').waitFor();
    assert.equal(await box.getByLabel('Your question').inputValue(), '');
    await box.getByLabel('Your question').fill(`may ${name} viewers mail you at lou@example.com`);
    await page.keyboard.press('Enter');
    await box.getByText('2 of you ask that.').waitFor();
    assert.deepEqual(await page.evaluate(() => window.brokenRules?.() ?? []), []);
    await box.getByLabel('Your question').press('Escape');
    await box.waitFor({ state: 'detached' });
    const kept = (await server.api('GET', '/v1/channels/main/questions')).questions.find((one) => one.text.includes(name));
    assert.deepEqual([kept.asker, kept.votes, kept.masked], ['Kim', 2, true]);
    await server.api('POST', `/v1/channels/main/questions/${kept.id}/dismiss`, {});
    await context.close();
  });

test('the desk opens the questions, sees votes and masks, and teaches', async () => {
  await server.api('PATCH', '/v1/channels/main', { questions: { open: false } });
  const page = await studio({ viewport: { width: 1440, height: 900 } });
  const desk = page.getByRole('region', { name: 'Questions', exact: true });
  await desk.getByText('Questions of the audience (off)').click();
  await desk.getByLabel('Viewers may ask on the watch page').check();
  await until('the channel to take questions', async () => (await server.api('GET', '/v1/channels/main')).questions.open);
  await desk.getByLabel('Each viewer, a minute').fill('100');
  await desk.getByRole('button', { name: 'Put in place' }).last().click();
  await until('the share to be kept', async () => (await server.api('GET', '/v1/channels/main')).questions.per_minute === 100);
  const ask = (text) => fetch(`${server.url}/v1/channels/main/ask`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ text }) });
  for (const text of ['What is the secret of the soup, 555 123 4567?', 'what is the secret of the soup 555 123 4567']) await until('it to be taken', async () => (await ask(text)).status === 201);
  const row = desk.locator('[data-question]', { hasText: 'secret of the soup' });
  await row.getByText('2 ask this').waitFor();
  await row.getByText('Addresses or numbers were taken out.').waitFor();
  await row.getByRole('textbox').fill('Patience, and a bay leaf.');
  await row.getByRole('button', { name: 'Teach' }).click();
  await row.getByText('Taught', { exact: true }).waitFor();
  const next = await server.api('POST', '/v1/channels/main/questions', { text: 'What is the secret of the soup?' });
  assert.equal(next.suggestion.text, 'Patience, and a bay leaf.');
  if (process.env.COMPERE_PICTURES) await page.screenshot({ path: `${process.env.COMPERE_PICTURES}/desk.png` });
  assert.deepEqual(await page.evaluate(() => window.brokenRules()), []);
  await page.context().close();
});
