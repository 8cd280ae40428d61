// A stand-in for the server, for work on the pages and for their tests: serves studio/dist and answers the API from
// memory. It performs cues on a clock of its own; it has no picture (WHEP answers 409, as a channel off the air does).
//
//   node studio/dev/mock-server.mjs [--port 8090] [--still PICTURE]
//
// --still gives the snapshot's PNG. The key is cpk_mock.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const KEY = 'cpk_mock';
const VIEWER_KEY = 'cpk_mock_viewer';
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
/** As strict as the gateway's, so that a page that needs more fails here first. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; " +
  "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLES = [
  { name: 'neutral', title: 'Neutral', summary: 'the voice as it is' },
  { name: 'news', title: 'News', summary: 'brisk and even, short pauses' },
  { name: 'calm', title: 'Calm', summary: 'slow and low, long pauses' },
];

const VOICES = [
  { id: 'flite:slt', name: 'Slt', engine: 'flite', language: 'en-US', sex: 'female', usable: true },
  { id: 'flite:rms', name: 'Rms', engine: 'flite', language: 'en-US', sex: 'male', usable: true },
  { id: 'espeak:en-gb', name: 'English (Great Britain)', engine: 'espeak', language: 'en-GB', sex: 'male', usable: true },
  { id: 'espeak:de', name: 'German', engine: 'espeak', language: 'de-DE', sex: 'male', usable: true },
  { id: 'espeak:cmn', name: 'Mandarin', engine: 'espeak', language: 'zh-CN', sex: 'male', usable: true },
  {
    id: 'polly:Joanna', name: 'Joanna', engine: 'polly', language: 'en-US', sex: 'female', usable: false,
    why_not: 'no AWS credentials',
  },
];
const LIGHTS = [{ name: 'neutral', title: 'Neutral' }, { name: 'evening', title: 'Evening' }];
const CAMERAS = [
  { name: 'medium', title: 'Medium' }, { name: 'close', title: 'Close-up' }, { name: 'wide', title: 'Wide' },
  { name: 'two', title: 'Everyone on stage' },
];
const SETS = [
  { name: 'studio', title: 'Evening studio', has_screen: true, cameras: CAMERAS, lights: LIGHTS },
  { name: 'plain', title: 'Plain', has_screen: false, cameras: CAMERAS, lights: LIGHTS },
];
const ACTIONS = ['nod', 'wave', 'point', 'shrug', 'thumbs-up'].map((name) => ({ name, uploaded: false }));
const PRESENTERS = [
  { id: 'ada', title: 'Ada', voice: '', variants: [{ id: 'ada--evening', title: 'Evening' }], uploaded: false },
  { id: 'ben', title: 'Ben', voice: '', variants: [], uploaded: false },
  { id: 'cleo', title: 'Cleo', voice: '', variants: [], uploaded: false },
];
/** A PNG of one grey pixel, for portraits and for pictures whose bytes were not kept. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==', 'base64');
const REPORT = {
  vertices: 6172, triangles: 9021, textures: 3, joints: 67, shapes: 2, visemes: 15, bones: 52,
  missing_shapes: 'mouthClose, mouthFunnel', missing_bones: 'jaw', notes: 'There is no jawOpen: the jaw bone opens the mouth.\nThe eyes turn by their bones.',
};
const RUNDOWN = [
  { text: 'Good evening, and welcome to the demo channel.' },
  { text: 'Everything you see is drawn on one processor, while you watch.', emotion: 'happy', camera: 'close' },
  { text: 'Type a line in the studio, and I will say it next.', action: 'point' },
  { text: 'In the meantime I go on with my rundown.', card: 'Compere · live demo' },
];

export class Mock {
  cues = [];
  channel = {
    id: 'main', title: 'Demo channel', presenter: 'ada', voice: 'flite:slt', set: 'studio', camera: 'wide',
    language: 'en-US', rundown: { loop: true, cues: structuredClone(RUNDOWN) },
    state: { on_air: true, attention: 'idle', rundown_item: 1, cue: '' },
  };
  /** Set by tests: how long each state lasts, and what /stats says beyond the usual. */
  pace_ms = 700;
  stats = {};
  viewers = { webrtc: 1, hls: 0 };
  requests = [];
  /** Uploads, as /v1/media and /v1/avatars list them; `content` has the bytes by id. */
  media = [];
  avatars = [];
  motions = [];
  content = new Map();
  /** Answers an offer with an SDP, for those who have a picture to give. */
  whep = null;
  /** While holdCues is set, lists of cues are read when asked for but only answered by releaseCues(). */
  holdCues = false;
  held = [];
  #listeners = new Set();
  #captions = new Set();
  #eventId = 0;
  #nextCue = 1;
  #timers = new Set();
  #started = Date.now();

  constructor({ still = null } = {}) {
    this.still = still;
    this.server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        console.error(error);
        response.destroy();
      });
    });
  }

  listen(port = 0) {
    return new Promise((resolve) =>
      this.server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${this.server.address().port}`)),
    );
  }

  close() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** As if the server had been lost and found: listeners are cut off. */
  dropEvents() {
    for (const response of this.#listeners) response.destroy();
  }

  releaseCues() {
    this.holdCues = false;
    for (const release of this.held.splice(0)) release();
  }

  publish(type, data) {
    this.#eventId += 1;
    const text = `id: ${this.#eventId}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const response of this.#listeners) response.write(text);
  }

  caption(text) {
    let at = 0;
    const words = text.split(' ').map((word, i) => {
      const row = { t_ms: i * 220, start: at, end: at + Buffer.byteLength(word) };
      at = row.end + 1;
      return row;
    });
    const data = JSON.stringify({ text, at_samples: 0, start_ms: 0, words });
    for (const response of this.#captions) response.write(`event: caption\ndata: ${data}\n\n`);
  }

  #later(ms, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #setState(cue, state) {
    cue.state = state;
    this.publish('cue', cue);
  }

  #setAttention(attention, cue = '') {
    Object.assign(this.channel.state, { attention, cue });
    this.publish('channel', this.channel);
  }

  addCue(spec, fail = null) {
    const cue = {
      id: `c${String(this.#nextCue++).padStart(4, '0')}`, channel: 'main', state: 'queued', ...spec,
      created_at: new Date().toISOString(), timings_ms: { answered: 0.2 },
    };
    this.cues.unshift(cue);
    this.publish('cue', cue);
    if (this.pace_ms > 0) this.#later(this.pace_ms / 4, () => this.#prepare(cue, fail));
    return cue;
  }

  #prepare(cue, fail) {
    if (cue.state !== 'queued') return;
    this.#setState(cue, 'preparing');
    this.#later(this.pace_ms / 4, () => {
      if (cue.state !== 'preparing') return;
      if (fail || /\bfail\b/.test(cue.text ?? '')) {
        cue.error = { code: 'unavailable', text: fail ?? 'the voice espeak:de did not answer within 2 s' };
        this.#setState(cue, 'failed');
        return;
      }
      cue.timings_ms.spoken = 24 + Math.random() * 18;
      this.#setState(cue, 'ready');
      this.#perform();
    });
  }

  #perform() {
    if (this.cues.some((cue) => cue.state === 'speaking')) return;
    const cue = this.cues.findLast((one) => one.state === 'ready');
    if (!cue) {
      this.#setAttention('idle');
      return;
    }
    const steps = cue.timings_ms;
    steps.posed = steps.spoken + 6 + Math.random() * 14;
    steps.drawn = steps.posed + 11 + Math.random() * 4;
    steps.encoded = steps.drawn + 5 + Math.random() * 3;
    steps.sent = steps.encoded + 1 + Math.random();
    this.#setState(cue, 'speaking');
    this.#setAttention('speaking', cue.id);
    this.caption(cue.text ?? 'A line.');
    this.#later(this.pace_ms * 3, () => {
      if (cue.state !== 'speaking') return;
      this.#setState(cue, 'done');
      this.#perform();
    });
  }

  #interrupt() {
    const cue = this.cues.find((one) => one.state === 'speaking');
    if (!cue) return;
    this.#setState(cue, 'cut');
    this.#perform();
  }

  async #answer(request, response) {
    const url = new URL(request.url, 'http://mock');
    const path = url.pathname;
    response.setHeader('Content-Security-Policy', POLICY);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    if (!path.startsWith('/v1/')) return this.#page(path, response);

    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const body = bytes.toString();
    this.requests.push({ method: request.method, path, body });

    const json = (status, value) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(value === undefined ? '' : JSON.stringify(value));
    };
    const problem = (status, title, detail) => {
      response.writeHead(status, { 'Content-Type': 'application/problem+json' });
      response.end(JSON.stringify({ type: 'about:blank', title, status, detail }));
    };
    const stream = (listeners) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.write(': hello\n\n');
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
    };

    if (path === '/v1/channels/main/captions') return stream(this.#captions);
    if (path.endsWith('/whep') && this.whep) {
      const answer = await this.whep(body);
      response.writeHead(201, { 'Content-Type': 'application/sdp', Location: `${path}/${this.requests.length}` });
      return response.end(answer);
    }
    if (path.includes('/whep/')) return json(200);
    if (path.endsWith('/whep')) return problem(409, 'Not on air', 'channel "main" has no picture');
    if (path.includes('/hls/')) return problem(404, 'Not found', 'no such file');
    const key = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    if (key !== KEY && key !== VIEWER_KEY) return problem(401, 'Unauthorized', 'the key is not known');
    if (key === VIEWER_KEY && request.method !== 'GET')
      return problem(403, 'Forbidden', 'this needs the role operator');

    const parts = path.split('/').slice(2);
    if (parts[0] === 'voices') return json(200, { voices: VOICES });
    if (parts[0] === 'styles') return json(200, { styles: STYLES });
    if (parts[0] === 'sets') return json(200, { sets: SETS });
    if (parts[0] === 'actions' && request.method === 'GET') return json(200, { actions: [...ACTIONS, ...this.motions] });
    if (parts[0] === 'actions') return this.#motion(request.method, url.searchParams.get('name') ?? parts[1], json, problem);
    if (parts[0] === 'presenters' && parts.length === 1) {
      const own = this.avatars.map(({ id, name }) => ({ id, title: name, voice: '', variants: [], uploaded: true }));
      return json(200, { presenters: [...PRESENTERS, ...own] });
    }
    if (parts[0] === 'presenters') return this.#picture(DOT, response);
    if (parts[0] === 'media' || parts[0] === 'avatars')
      return this.#uploads(request.method, parts, url.searchParams.get('name'), bytes, { json, problem, response });
    if (parts[0] === 'events') return stream(this.#listeners);
    if (parts[0] !== 'channels') return problem(404, 'Not found', path);
    if (parts.length === 1) return json(200, { channels: [this.channel] });
    if (parts[1] !== 'main') return problem(404, 'Not found', `no channel "${parts[1]}"`);
    if (parts.length === 2) {
      if (request.method === 'PATCH') {
        const changes = JSON.parse(body);
        if (changes.presenter) delete this.channel.presenters;
        else if (changes.presenters) delete this.channel.presenter;
        Object.assign(this.channel, changes);
        this.publish('channel', this.channel);
      }
      return json(200, this.channel);
    }
    if (parts[2] === 'stats')
      return json(200, {
        viewers: this.viewers, fps: 30, frames: 9000, dropped: 0, av_offset_ms: 4, encodes_per_s: 30,
        slow_step: null, speaking: this.channel.state.attention === 'speaking',
        uptime_s: Math.round((Date.now() - this.#started) / 1000),
        steps: [
          { step: 'posed', p50_ms: 0.4, p95_ms: 0.6 }, { step: 'drawn', p50_ms: 11.2, p95_ms: 14.6 },
          { step: 'encoded', p50_ms: 4.6, p95_ms: 6.3 }, { step: 'sent', p50_ms: 0.3, p95_ms: 0.9 },
        ],
        queues: [{ name: 'pictures', depth: 1, max: 2, capacity: 4, dropped: 0 }],
        ...this.stats,
      });
    if (parts[2] === 'snapshot.png') {
      if (!this.still) return problem(503, 'No picture', 'no frame has been drawn yet');
      return this.#picture(this.still, response);
    }
    if (parts[2] === 'interrupt') {
      this.#interrupt();
      return json(202, {});
    }
    if (parts[2] !== 'cues') return problem(404, 'Not found', path);
    if (parts.length === 3) {
      if (request.method === 'GET') {
        const page = JSON.stringify({ cues: this.cues, cursor: '' });
        if (this.holdCues) await new Promise((release) => this.held.push(release));
        response.writeHead(200, { 'Content-Type': 'application/json' });
        return response.end(page);
      }
      const spec = JSON.parse(body);
      if (!spec.text && !spec.ssml) return problem(400, 'Bad request', 'a cue needs text or ssml');
      if (spec.ssml && !/^\s*<speak/.test(spec.ssml))
        return problem(400, 'Bad request', 'ssml: the root element must be <speak>');
      return json(202, this.addCue(spec));
    }
    const cue = this.cues.find((one) => one.id === parts[3]);
    if (!cue) return problem(404, 'Not found', `no cue "${parts[3]}"`);
    if (parts[4] === 'play') {
      this.cues = [...this.cues.filter((one) => one !== cue), cue];
      if (this.cues.some((one) => one.state === 'speaking')) this.#interrupt();
      else this.#perform();
      return json(202, cue);
    }
    if (request.method === 'DELETE') {
      if (cue.state === 'speaking') this.#interrupt();
      else this.cues = this.cues.filter((one) => one !== cue);
      return json(204);
    }
    return json(200, cue);
  }

  #picture(bytes, response) {
    response.writeHead(200, { 'Content-Type': 'image/png' });
    response.end(bytes);
  }

  #motion(method, name, json, problem) {
    if (method === 'DELETE') this.motions = this.motions.filter((one) => one.name !== name);
    else if (!/^[a-z0-9_-]{1,23}$/.test(name)) return problem(400, 'Bad request', 'name: 1 to 23 of a-z, 0-9, - and _');
    else if (this.motions.some((one) => one.name === name))
      return problem(409, 'Conflict', `there is an action "${name}" already; delete it first`);
    else this.motions.push({ name, uploaded: true });
    return json(method === 'DELETE' ? 204 : 201, method === 'DELETE' ? undefined : { id: name });
  }

  #uploads(method, [kind, id, content], name, bytes, { json, problem, response }) {
    const list = this[kind];
    if (method === 'POST') {
      if (bytes.length < 20) return problem(422, 'Unprocessable', 'the file is truncated');
      const record = {
        id: `${kind === 'media' ? 'med' : 'avt'}_${list.length + 1}`, name, bytes: bytes.length,
        created_at: new Date().toISOString(),
        ...(kind === 'media' ? { kind: 'picture', width: 1, height: 1 } : { report: REPORT }),
      };
      list.push(record);
      this.content.set(record.id, bytes);
      return json(201, record);
    }
    if (!id) return json(200, { [kind]: list });
    const record = list.find((one) => one.id === id);
    if (!record) return problem(404, 'Not found', `there is no "${id}"`);
    if (content) return this.#picture(this.content.get(id) ?? DOT, response);
    if (method !== 'DELETE') return json(200, record);
    if (JSON.stringify(this.channel).includes(`"${id}"`))
      return problem(409, 'Conflict', `a channel or its rundown uses ${id}; change that first`);
    list.splice(list.indexOf(record), 1);
    return json(204);
  }

  async #page(path, response) {
    const file =
      path === '/' || path.startsWith('/watch/') ? 'watch.html'
      : path === '/studio/' ? 'studio.html'
      : normalize(path).replace(/^[/.]+/, '');
    try {
      const bytes = await readFile(join(DIST, file));
      response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, otherwise) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? otherwise : process.argv[at + 1];
  };
  const still = option('still', null);
  const mock = new Mock({ still: still && (await readFile(still)) });
  console.log(`${await mock.listen(Number(option('port', 8090)))}/studio/#key=${KEY}`);
}
