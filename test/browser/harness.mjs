// What the browser tests stand on: Chromium, a real server of their own, and small helpers.
//
// Environment: CHROMIUM (default /usr/bin/chromium), COMPERE_BIN (default build/src/app/compere).
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

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

function freeTcpPort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function freeUdpPort() {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.on('error', reject);
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** A server of our own with the demo channel, on free ports and a fresh data directory. */
export class Server {
  #child;
  #log = [];
  #exit;

  static async start(extra = []) {
    const server = new Server();
    await server.#start(extra);
    return server;
  }

  async #start(extra) {
    const binary = process.env.COMPERE_BIN ?? join(ROOT, 'build/src/app/compere');
    if (!existsSync(binary)) throw new Error(`${binary} is not there: build it first, or set COMPERE_BIN`);
    this.data = await mkdtemp(join(tmpdir(), 'compere-browser-'));
    const [tcp, udp] = await Promise.all([freeTcpPort(), freeUdpPort()]);
    this.url = `http://127.0.0.1:${tcp}`;
    const environment = { ...process.env };
    delete environment.COMPERE_DATA;
    this.#child = spawn(
      binary,
      ['demo', '--listen', `127.0.0.1:${tcp}`, '--webrtc', `127.0.0.1:${udp}`, '--data', this.data, ...extra],
      { env: environment, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (chunk) => {
        this.#log.push(String(chunk));
        if (this.#log.length > 400) this.#log.shift();
      });
    this.#exit = new Promise((resolve) =>
      this.#child.once('exit', (code, signal) => {
        this.exited = signal ?? code;
        resolve();
      }),
    );
    try {
      await until(
        'the server to be ready',
        async () => {
          if (this.exited !== undefined) throw new Error(`the server ended with ${this.exited}:\n${this.log}`);
          try {
            return (await fetch(`${this.url}/readyz`)).ok;
          } catch {
            return false;
          }
        },
        { timeout_ms: 60_000 },
      );
      this.key = (await readFile(join(this.data, 'admin.key'), 'utf8')).trim();
    } catch (error) {
      error.message += `\n${this.log}`;
      await this.stop();
      throw error;
    }
  }

  get log() {
    return this.#log.join('').slice(-4000);
  }

  /** An API call; answers the parsed body and fails on any status that is not 2xx. */
  async api(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        Authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    }).catch(async (error) => {
      await sleep(200);
      if (this.exited === undefined) throw error;
      throw new Error(`at ${method} ${path} the server ended with ${this.exited}:\n${this.log}`);
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  stats() {
    return this.api('GET', '/v1/channels/main/stats');
  }

  say(spec) {
    return this.api('POST', '/v1/channels/main/cues', typeof spec === 'string' ? { text: spec } : spec);
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
    await until('silence', async () => !(await this.stats()).speaking, { timeout_ms: 20_000 });
    await sleep(600);
  }

  /** Follows /v1/events into a list until close() is called. */
  async events() {
    const abort = new AbortController();
    const list = [];
    const response = await fetch(`${this.url}/v1/events?channel=main`, {
      headers: { Authorization: `Bearer ${this.key}`, Accept: 'text/event-stream' },
      signal: abort.signal,
    });
    if (!response.ok) throw new Error(`/v1/events answered ${response.status}`);
    const read = async () => {
      let rest = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body) {
        rest += decoder.decode(chunk, { stream: true });
        const blocks = rest.split(/\r?\n\r?\n/);
        rest = blocks.pop();
        for (const block of blocks) {
          const type = /^event: ?(.*)$/m.exec(block)?.[1];
          const data = /^data: ?(.*)$/m.exec(block)?.[1];
          if (type && data) list.push({ type, data: JSON.parse(data), at_ms: performance.now() });
        }
      }
    };
    read().catch(() => undefined);
    return { list, close: () => abort.abort() };
  }

  async stop() {
    if (this.exited === undefined) {
      this.#child.kill('SIGTERM');
      const killer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
      await this.#exit;
      clearTimeout(killer);
    }
    await rm(this.data, { recursive: true, force: true });
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
