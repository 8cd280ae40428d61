// What the browser tests stand on: Chromium, a real server of their own, and small helpers.
//
// Environment: CHROMIUM (default /usr/bin/chromium), COMPERE_BIN (default build/src/app/compere).
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { listen, Server as FlowServer, sleep } from '../flow/harness.mjs';

export { listen, sleep };

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Addresses as they are: two peers of one browser need not ask mDNS for each other.
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

/** Polls until `look` gives something true, and says what it waited for when it never does. */
export async function until(what, look, { timeout_ms = 10_000, every_ms = 100 } = {}) {
  const end = performance.now() + timeout_ms;
  let last;
  while (performance.now() < end) {
    last = await look();
    if (last) return last;
    await sleep(every_ms);
  }
  throw new Error(`waited ${timeout_ms} ms in vain for ${what}`);
}

/** A measured figure with the bar it is held against, for people and for scripts that read the log. */
export function figure(name, value, unit, bar) {
  const shown = typeof value === 'number' ? Math.round(value * 100) / 100 : value;
  console.log(`figure: ${name} ${shown} ${unit} ${bar}`);
}

export function quantile(values, q) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}
export const median = (values) => quantile(values, 0.5);

/** The demo on air, as test/flow starts it, with the calls that pages' tests make. */
export class Server extends FlowServer {
  static start(flags = []) {
    return super.start({ flags, env: { COMPERE_DATA: undefined } });
  }

  /** An API call; answers the parsed body and fails on any status that is not 2xx. */
  async api(method, path, body) {
    const answer = await this.call(method, path, { json: body }).catch(async (error) => {
      await sleep(200);
      if (this.over) throw new Error(`at ${method} ${path} the server ended: ${JSON.stringify(this.over)}\n${this.log.slice(-4000)}`);
      throw error;
    });
    if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return answer.json;
  }

  stats() {
    return this.api('GET', '/v1/channels/main/stats');
  }

  say(spec) {
    return typeof spec === 'string' ? super.say(spec) : super.say(spec.text, spec);
  }

  cue(id) {
    return this.api('GET', `/v1/channels/main/cues/${id}`);
  }

  /** Says a line and waits until it has been said. */
  async perform(spec, timeout_ms = 30_000) {
    const { id } = await this.say(spec);
    return until(`cue ${id} to be done`, async () => {
      const cue = await this.cue(id);
      if (cue.state === 'failed') throw new Error(`cue ${id} failed: ${JSON.stringify(cue.error)}`);
      return cue.state === 'done' && cue;
    }, { timeout_ms });
  }

  /** No rundown and nothing being said: only what a test says will sound. */
  async silence() {
    await this.api('PATCH', '/v1/channels/main', { rundown: { loop: false, cues: [] } });
    await this.api('POST', '/v1/channels/main/interrupt', { policy: 'now' });
    await super.silence();
    await sleep(600);
  }
}

/** Opens a page with the measuring instruments in it (measure.js). */
export async function openMeasured(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 720 },
    // The sound tap is a worklet from a blob: address; pages.test.mjs holds the pages to their policy.
    bypassCSP: true,
    ...options,
  });
  const page = await context.newPage();
  await page.addInitScript({ path: fileURLToPath(new URL('measure.js', import.meta.url)) });
  await page.goto(url);
  return page;
}

/** Waits until the page's player shows pictures, by the transport that is wanted. */
export async function live(page, transport = 'webrtc', timeout_ms = 20_000) {
  await until(
    `a live picture by ${transport}`,
    () => page.evaluate((wanted) => window.compere?.state === 'live' && window.compere.transport === wanted, transport),
    { timeout_ms },
  );
}
