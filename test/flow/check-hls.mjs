#!/usr/bin/env node
// Follows a live LL-HLS stream for some seconds as a player does (blocking reloads, preload hints, delta
// updates) and checks on the wire what RFC 8216bis asks of a server. No dependencies; Node 18 or newer.
//
//   node check-hls.mjs URL-of-index.m3u8 [seconds] [--header 'Name: value'] [--cors]
//
// Prints one line a check, then "N passed, N failed"; exits 1 when a check failed.

const args = process.argv.slice(2);
const headers = { origin: 'https://viewer.example' }; // as a page elsewhere would ask: for CORS
let wantCors = false;
const plain = [];
while (args.length) {
  const arg = args.shift();
  if (arg === '--header') {
    const [name, ...value] = args.shift().split(':');
    headers[name.trim()] = value.join(':').trim();
  } else if (arg === '--cors') wantCors = true;
  else plain.push(arg);
}
const [mainUrl, secondsText = '10'] = plain;
if (!mainUrl) {
  console.error("usage: check-hls.mjs URL [seconds] [--header 'Name: value'] [--cors]");
  process.exit(2);
}
const seconds = Number(secondsText);

// --- checks: each name counts once, however often it was looked at ---

const checks = new Map();
function check(name, good, detail = '') {
  const entry = checks.get(name) ?? { times: 0, failures: [] };
  entry.times++;
  if (!good) entry.failures.push(String(typeof detail === 'function' ? detail() : detail));
  checks.set(name, entry);
  return good;
}

function report() {
  let failed = 0;
  for (const [name, { times, failures }] of checks) {
    if (failures.length) {
      failed++;
      console.log(`not ok: ${name} (${failures.length} of ${times}): ${failures.slice(0, 3).join(' | ')}`);
    } else console.log(`ok: ${name} (${times})`);
  }
  console.log(`${checks.size - failed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

// --- HTTP ---

async function get(url, { timeoutMs = 20000, signal } = {}) {
  const startedMs = performance.now();
  const response = await fetch(url, { headers, signal: signal ?? AbortSignal.timeout(timeoutMs) });
  const body = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    type: (response.headers.get('content-type') ?? '').split(';')[0],
    cache: response.headers.get('cache-control') ?? '',
    cors: response.headers.get('access-control-allow-origin'),
    body,
    text: body.toString('utf8'),
    tookMs: performance.now() - startedMs,
  };
}

function withQuery(url, directives) {
  const out = new URL(url);
  for (const [name, value] of Object.entries(directives)) out.searchParams.set(name, String(value));
  return out.href;
}

const maxAge = (cache) => Number(/max-age=(\d+)/.exec(cache)?.[1] ?? 0);

// --- playlists ---

function attributes(text) {
  const found = {};
  for (const [, name, value] of text.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g)) found[name] = value.replace(/^"|"$/g, '');
  return found;
}

function parseMedia(text) {
  const list = { segments: [], skipped: 0, version: 0, msn: 0, discontinuitySequence: 0 };
  let segment = { parts: [] };
  for (const line of text.split('\n')) {
    const [, tag, rest] = /^#(EXT[A-Z0-9-]*):?(.*)$/.exec(line) ?? [];
    if (tag === 'EXT-X-VERSION') list.version = Number(rest);
    else if (tag === 'EXT-X-TARGETDURATION') list.target = Number(rest);
    else if (tag === 'EXT-X-SERVER-CONTROL') list.control = attributes(rest);
    else if (tag === 'EXT-X-PART-INF') list.partTarget = Number(attributes(rest)['PART-TARGET']);
    else if (tag === 'EXT-X-MEDIA-SEQUENCE') list.msn = Number(rest);
    else if (tag === 'EXT-X-DISCONTINUITY-SEQUENCE') list.discontinuitySequence = Number(rest);
    else if (tag === 'EXT-X-SKIP') list.skipped = Number(attributes(rest)['SKIPPED-SEGMENTS']);
    else if (tag === 'EXT-X-MAP') segment.map = list.map = attributes(rest).URI;
    else if (tag === 'EXT-X-PROGRAM-DATE-TIME') segment.date = Date.parse(rest);
    else if (tag === 'EXT-X-DISCONTINUITY') segment.discontinuity = true;
    else if (tag === 'EXT-X-PART') {
      const a = attributes(rest);
      segment.parts.push({ uri: a.URI, duration: Number(a.DURATION), independent: a.INDEPENDENT === 'YES' });
    } else if (tag === 'EXTINF') segment.duration = parseFloat(rest);
    else if (tag === 'EXT-X-PRELOAD-HINT') list.hint = attributes(rest);
    else if (tag === 'EXT-X-RENDITION-REPORT') (list.reports ??= []).push(attributes(rest));
    else if (line && !line.startsWith('#')) {
      segment.uri = line;
      list.segments.push(segment);
      segment = { parts: [] };
    }
  }
  if (segment.parts.length) list.segments.push(segment);
  list.segments.forEach((s, i) => (s.msn = list.msn + list.skipped + i));
  return list;
}

const isComplete = (segment) => segment.uri !== undefined;
const position = (list) => {
  const last = list.segments.at(-1);
  return isComplete(last) ? { msn: last.msn + 1, part: 0 } : { msn: last.msn, part: last.parts.length };
};
const lengthOf = (segment) => segment.duration ?? segment.parts.reduce((sum, part) => sum + part.duration, 0);

function checkMedia(list) {
  const { control = {}, target, partTarget } = list;
  check('media playlist: version 9 or higher', list.version >= 9, list.version);
  check('media playlist: CAN-BLOCK-RELOAD=YES', control['CAN-BLOCK-RELOAD'] === 'YES');
  check('media playlist: PART-HOLD-BACK at least 3 part targets', Number(control['PART-HOLD-BACK']) >= 3 * partTarget - 1e-6);
  check('media playlist: HOLD-BACK, when there, at least 3 target durations', !control['HOLD-BACK'] || Number(control['HOLD-BACK']) >= 3 * target);
  check('media playlist: CAN-SKIP-UNTIL at least 6 target durations', Number(control['CAN-SKIP-UNTIL']) >= 6 * target);
  check('media playlist: a header (EXT-X-MAP)', list.map !== undefined || list.skipped > 0);
  check('media playlist: a preload hint for a part', list.hint?.TYPE === 'PART' && !!list.hint.URI);
  let behind = 0;
  for (const segment of [...list.segments].reverse()) {
    checkSegment(list, segment);
    if (behind < 3 * target) check('parts are listed for the last 3 target durations', segment.parts.length > 0, segment.uri);
    behind += lengthOf(segment);
  }
  const dated = list.segments.filter((s) => s.date !== undefined);
  check('segments bear dates', dated.length === list.segments.length);
  for (let i = 1; i < dated.length; i++) {
    const off = dated[i].date - dated[i - 1].date - 1000 * lengthOf(dated[i - 1]);
    if (!dated[i].discontinuity) check('dates follow the durations', Math.abs(off) < 50, `${off} ms at ${dated[i].uri}`);
  }
  const listedUris = list.segments.flatMap((s) => s.parts.map((p) => p.uri));
  check('the hinted part is not listed yet', !listedUris.includes(list.hint?.URI));
}

function checkSegment(list, segment) {
  segment.parts.forEach((part, i) => {
    check('a part is not longer than the part target', part.duration <= list.partTarget + 1e-4, part.uri);
    const last = isComplete(segment) && i === segment.parts.length - 1;
    if (!last) check('a part is at least 85% of the part target', part.duration >= 0.85 * list.partTarget, `${part.uri}: ${part.duration}`);
  });
  if (segment.parts.length) check('a segment starts with an independent part', segment.parts[0].independent, segment.uri);
  if (!isComplete(segment)) return;
  check('a segment is not longer than the target duration', Math.round(segment.duration) <= list.target, `${segment.uri}: ${segment.duration}`);
  if (segment.parts.length) {
    const sum = segment.parts.reduce((s, p) => s + p.duration, 0);
    check('parts add up to their segment', Math.abs(sum - segment.duration) < 0.01, `${segment.uri}: ${sum} of ${segment.duration}`);
  }
}

// What a player keeps: its own playlist for the skipped segments, the rest from the update.
function merge(before, update) {
  if (!update.skipped) return update;
  const kept = before.segments.filter((s) => s.msn >= update.msn && s.msn < update.msn + update.skipped);
  check('a delta update skips only what the player has', kept.length === update.skipped && kept.every(isComplete), `${kept.length} of ${update.skipped}`);
  const behind = update.segments.filter(isComplete).reduce((s, x) => s + x.duration, 0);
  check('a delta update skips only behind the skip boundary', behind >= Number(update.control['CAN-SKIP-UNTIL']) - 0.01, behind);
  return { ...update, map: update.map ?? before.map, segments: [...kept, ...update.segments] };
}

function checkSameSegments(a, b, name) {
  for (const segment of a.segments) {
    const other = b.segments.find((s) => s.msn === segment.msn);
    if (!other || !isComplete(segment) || !isComplete(other)) continue;
    check(name, other.uri === segment.uri && other.duration === segment.duration && other.date === segment.date, () => JSON.stringify([segment, other]));
  }
}

// --- fMP4 ---

function* boxes(buffer, from = 0, to = buffer.length) {
  for (let at = from; at + 8 <= to; ) {
    const size = buffer.readUInt32BE(at);
    if (size < 8 || at + size > to) throw new Error(`a box of ${size} bytes at ${at} of ${to}`);
    yield { type: buffer.toString('latin1', at + 4, at + 8), start: at, body: at + 8, end: at + size };
    at += size;
  }
}

function find(buffer, path, from = 0, to = buffer.length) {
  const [type, ...rest] = path;
  const out = [];
  for (const box of boxes(buffer, from, to))
    if (box.type === type) out.push(...(rest.length ? find(buffer, rest, box.body, box.end) : [box]));
  return out;
}

// Tracks of a header: handler and time scale by track number.
function readHeader(buffer) {
  const tracks = {};
  for (const trak of find(buffer, ['moov', 'trak'])) {
    const [tkhd] = find(buffer, ['tkhd'], trak.body, trak.end);
    const [mdhd] = find(buffer, ['mdia', 'mdhd'], trak.body, trak.end);
    const [hdlr] = find(buffer, ['mdia', 'hdlr'], trak.body, trak.end);
    const wide = (box) => buffer[box.body] === 1;
    const number = buffer.readUInt32BE(tkhd.body + (wide(tkhd) ? 20 : 12));
    tracks[number] = {
      handler: buffer.toString('latin1', hdlr.body + 8, hdlr.body + 12),
      scale: buffer.readUInt32BE(mdhd.body + (wide(mdhd) ? 20 : 12)),
    };
  }
  return tracks;
}

// The tracks of a fragment: first time, end, whether the first sample is a sync sample.
function readFragments(buffer, tracks) {
  const found = {};
  for (const traf of find(buffer, ['moof', 'traf'])) {
    const [tfhd] = find(buffer, ['tfhd'], traf.body, traf.end);
    const [tfdt] = find(buffer, ['tfdt'], traf.body, traf.end);
    const number = buffer.readUInt32BE(tfhd.body + 4);
    const track = tracks[number];
    const tf = buffer.readUInt32BE(tfhd.body) & 0xffffff;
    let at = tfhd.body + 8 + (tf & 1 ? 8 : 0) + (tf & 2 ? 4 : 0);
    const defaultDuration = tf & 8 ? buffer.readUInt32BE(at) : 0;
    at += (tf & 8 ? 4 : 0) + (tf & 0x10 ? 4 : 0);
    let flags = tf & 0x20 ? buffer.readUInt32BE(at) : 0;
    const start = buffer[tfdt.body] === 1 ? Number(buffer.readBigUInt64BE(tfdt.body + 4)) : buffer.readUInt32BE(tfdt.body + 4);
    let time = start;
    let samples = 0;
    for (const trun of find(buffer, ['trun'], traf.body, traf.end)) {
      const f = buffer.readUInt32BE(trun.body) & 0xffffff;
      const count = buffer.readUInt32BE(trun.body + 4);
      let p = trun.body + 8 + (f & 1 ? 4 : 0);
      if (f & 4) (flags = buffer.readUInt32BE(p)), (p += 4);
      for (let i = 0; i < count; i++) {
        time += f & 0x100 ? buffer.readUInt32BE(p) : defaultDuration;
        p += (f & 0x100 ? 4 : 0) + (f & 0x200 ? 4 : 0);
        if (f & 0x400 && !samples && !i) flags = buffer.readUInt32BE(p);
        p += (f & 0x400 ? 4 : 0) + (f & 0x800 ? 4 : 0);
      }
      samples += count;
    }
    const entry = (found[track.handler] ??= { start: start / track.scale, sync: !(flags & 0x10000), samples: 0 });
    entry.end = time / track.scale;
    entry.samples += samples;
  }
  return found;
}

// --- the session of a player ---

class Session {
  constructor(url) {
    this.url = url;
    this.parts = new Map(); // uri -> bytes
    this.ends = {}; // handler -> end of the newest part seen, seconds
    this.segmentsChecked = 0;
    this.latencies = [];
  }

  resolve(uri) {
    return new URL(uri, this.url).href;
  }

  async begin() {
    const answer = await get(this.url);
    check('media playlist: 200 with its type', answer.status === 200 && /mpegurl/i.test(answer.type), `${answer.status} ${answer.type}`);
    if (wantCors) check('media playlist: CORS', !!answer.cors);
    check('media playlist: not cached for long', maxAge(answer.cache) <= 2, answer.cache);
    this.list = parseMedia(answer.text);
    checkMedia(this.list);
    const header = await get(this.resolve(this.list.map));
    check('header: 200, video/mp4, cached', header.status === 200 && header.type === 'video/mp4' && maxAge(header.cache) >= 60, `${header.status} ${header.type} ${header.cache}`);
    if (wantCors) check('header: CORS', !!header.cors);
    check('header: ftyp and moov', [...boxes(header.body)].map((b) => b.type).join() === 'ftyp,moov');
    this.tracks = readHeader(header.body);
    check('header: a video track', Object.values(this.tracks).some((t) => t.handler === 'vide'));
    this.startedMs = performance.now();
    this.startedEdge = this.edge();
  }

  edge() {
    const last = this.list.segments.at(-1);
    return last.date / 1000 + lengthOf(last);
  }

  async wrongRequests() {
    const { msn, part } = position(this.list);
    const expectStatus = async (name, status, url) => {
      const answer = await get(url, { timeoutMs: 3000 }).catch((error) => ({ status: error.name, cache: '' }));
      check(name, answer.status === status, answer.status);
      check('errors are not kept in caches', maxAge(answer.cache) <= 10, answer.cache);
    };
    await expectStatus('_HLS_part without _HLS_msn is 400', 400, withQuery(this.url, { _HLS_part: 0 }));
    await expectStatus('_HLS_msn that is no number is 400', 400, withQuery(this.url, { _HLS_msn: 'x' }));
    await expectStatus('_HLS_msn too far ahead is 400', 400, withQuery(this.url, { _HLS_msn: msn + 10 }));
    await expectStatus('_HLS_part too far ahead is 400', 400, withQuery(this.url, { _HLS_msn: msn, _HLS_part: part + 100 }));
    const first = this.list.segments.find((s) => s.uri);
    if (first) await expectStatus('an unknown segment is 404', 404, this.resolve(first.uri.replace(/(\d+)(\.\w+)$/, '1$2')));
    await expectStatus('a part that is not hinted at is 404', 404, this.resolve(this.list.hint.URI.replace(/(\d+)\.(\w+)$/, '77.$2')));
  }

  // A player that goes away must not leave anything behind.
  async goAway() {
    const { msn, part } = position(this.list);
    const controller = new AbortController();
    const waiting = get(withQuery(this.url, { _HLS_msn: msn, _HLS_part: part + 3 }), { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await waiting.catch(() => {});
    const answer = await get(this.url);
    check('the server goes on when a waiting player leaves', answer.status === 200, answer.status);
  }

  checkPart(uri, duration, independent, answer) {
    check('part: 200, video/mp4, cached', answer.status === 200 && answer.type === 'video/mp4' && maxAge(answer.cache) >= 60, `${uri}: ${answer.status} ${answer.type} ${answer.cache}`);
    if (answer.status !== 200) return;
    if (wantCors) check('part: CORS', !!answer.cors);
    const types = [...boxes(answer.body)].map((b) => b.type).filter((t) => t !== 'styp' && t !== 'prft');
    check('part: moof and mdat', types.join().replace(/(moof,mdat,?)+/, '') === '', types.join());
    const { vide, soun } = readFragments(answer.body, this.tracks);
    check('part: has pictures', !!vide, uri);
    if (vide) check('part: lasts as long as listed', Math.abs(vide.end - vide.start - duration) < 0.002, `${uri}: ${vide.end - vide.start} of ${duration}`);
    if (vide) check('part: INDEPENDENT when it starts with a key frame', vide.sync === independent, uri);
    if (vide && soun) check('part: sound and picture start within a frame', Math.abs(soun.start - vide.start) < 1 / 30, `${uri}: ${soun.start - vide.start}`);
    for (const [handler, found] of Object.entries({ vide, soun })) {
      if (!found) continue;
      if (this.ends[handler] !== undefined) check(`part: ${handler} follows without a gap`, Math.abs(found.start - this.ends[handler]) < 0.001, `${uri}: ${found.start - this.ends[handler]} s`);
      this.ends[handler] = found.end;
    }
    this.parts.set(uri, answer.body);
  }

  // A complete segment is its parts one behind another, and says so for ever.
  async checkSegments() {
    for (const segment of this.list.segments.filter((s) => isComplete(s) && s.parts.length && !s.checked)) {
      if (!segment.parts.every((part) => this.parts.has(part.uri))) continue;
      segment.checked = true;
      const answer = await get(this.resolve(segment.uri));
      check('segment: 200, video/mp4, immutable', answer.status === 200 && answer.type === 'video/mp4' && /immutable/.test(answer.cache), `${segment.uri}: ${answer.status} ${answer.cache}`);
      const joined = Buffer.concat(segment.parts.map((part) => this.parts.get(part.uri)));
      check('segment: its parts one behind another', joined.equals(answer.body), `${segment.uri}: ${joined.length} of ${answer.body.length} bytes`);
      for (const part of segment.parts) this.parts.delete(part.uri);
      this.segmentsChecked++;
    }
  }

  // One step: asks for the next part by its hint and for the playlist that lists it, at once.
  async step() {
    const { msn, part } = position(this.list);
    const hint = this.list.hint.URI;
    const patienceMs = 1000 * (this.list.target + 1.5);
    const [piece, answer] = await Promise.all([
      get(this.resolve(hint), { timeoutMs: 20000 }),
      get(withQuery(this.url, { _HLS_msn: msn, _HLS_part: part, _HLS_skip: 'YES' }), { timeoutMs: 20000 }),
    ]);
    check('blocking reload: 200', answer.status === 200, `${answer.status} for ${msn}.${part}`);
    if (answer.status !== 200) throw new Error(`the playlist was answered ${answer.status}`);
    check('blocking reload: answered in time', answer.tookMs < patienceMs, `${Math.round(answer.tookMs)} ms`);
    const update = parseMedia(answer.text);
    checkMedia(update);
    const before = this.list;
    const list = merge(before, update);
    const now = position(list);
    check('blocking reload: holds what was asked for', now.msn > msn || (now.msn === msn && now.part > part), `${now.msn}.${now.part} for ${msn}.${part}`);
    check('media sequence numbers never fall', list.msn >= before.msn);
    check('discontinuity sequence numbers never fall', list.discontinuitySequence >= before.discontinuitySequence);
    checkSameSegments(before, list, 'a listed segment never changes');
    for (const segment of list.segments) if (before.segments.find((s) => s.msn === segment.msn)?.checked) segment.checked = true;
    this.list = list;
    const listed = list.segments.flatMap((s) => s.parts).find((p) => p.uri === hint);
    check('the hinted part is listed next', !!listed, hint);
    if (listed) this.checkPart(hint, listed.duration, listed.independent, piece);
    this.latencies.push(Date.now() / 1000 - this.edge());
    // Parts that came while this step was on its way.
    const fresh = list.segments.flatMap((s) => s.parts);
    for (const missed of fresh.slice(fresh.findIndex((p) => p.uri === hint) + 1)) {
      if (!this.parts.has(missed.uri) && listed) this.checkPart(missed.uri, missed.duration, missed.independent, await get(this.resolve(missed.uri)));
    }
    await this.checkSegments();
  }

  async compareWithFull() {
    const answer = await get(this.url);
    const full = parseMedia(answer.text);
    check('a plain request gets the full playlist', full.skipped === 0);
    checkSameSegments(this.list, full, 'merged delta updates equal the full playlist');
    check('a plain playlist is not behind', position(full).msn >= position(this.list).msn);
  }
}

function checkMain(answer) {
  check('multivariant playlist: 200 with its type', answer.status === 200 && /mpegurl/i.test(answer.type), `${answer.status} ${answer.type}`);
  if (wantCors) check('multivariant playlist: CORS', !!answer.cors);
  const lines = answer.text.split('\n');
  const at = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF:'));
  if (!check('multivariant playlist: a variant', at >= 0, answer.text.slice(0, 200))) return undefined;
  const variant = attributes(lines[at].slice(18));
  check('variant: BANDWIDTH', Number(variant.BANDWIDTH) > 10000, variant.BANDWIDTH);
  check('variant: CODECS', /avc1\.[0-9a-f]{6}/i.test(variant.CODECS ?? ''), variant.CODECS);
  check('variant: RESOLUTION', /^\d+x\d+$/.test(variant.RESOLUTION ?? ''), variant.RESOLUTION);
  check('variant: FRAME-RATE', Number(variant['FRAME-RATE']) > 0, variant['FRAME-RATE']);
  const media = lines.filter((line) => line.startsWith('#EXT-X-MEDIA:')).map(attributes).find((one) => one.TYPE === 'SUBTITLES');
  check('captions: offered, and off until they are asked for', media && media.AUTOSELECT === 'YES' && media.DEFAULT === 'NO' && media['GROUP-ID'] === variant.SUBTITLES, () => JSON.stringify(media));
  return { url: new URL(lines[at + 1], mainUrl).href, captions: media && new URL(media.URI, mainUrl).href };
}

// The captions' playlist stands beside the picture's: the same segments and parts, other files.
async function checkCaptions(url, videoUrl) {
  const [answer, video] = await Promise.all([get(url), get(videoUrl)]);
  check('captions: 200 with its type', answer.status === 200 && /mpegurl/i.test(answer.type), `${answer.status} ${answer.type}`);
  if (wantCors) check('captions: CORS', !!answer.cors);
  const list = parseMedia(answer.text);
  const beside = parseMedia(video.text);
  check('captions: no header', list.map === undefined);
  check('captions: parts are independent', list.segments.every((s) => s.parts.every((p) => p.independent)));
  for (const segment of list.segments.filter(isComplete)) {
    const other = beside.segments.find((s) => s.msn === segment.msn);
    if (other && isComplete(other)) check("captions: the picture's segments", other.duration === segment.duration && other.date === segment.date, segment.uri);
  }
  for (const [mine, its] of [[list, 'video.m3u8'], [beside, 'captions.m3u8']]) {
    const at = position(mine);
    check('a report on the other rendition', mine.reports?.length === 1 && mine.reports[0].URI === its && Math.abs(Number(mine.reports[0]['LAST-MSN']) - at.msn) <= 1, () => JSON.stringify(mine.reports));
  }
  const whole = list.segments.filter(isComplete).at(-1);
  const { msn, part } = position(list);
  const [segment, hinted, update] = await Promise.all([
    get(new URL(whole.uri, url).href),
    get(new URL(list.hint.URI, url).href),
    get(withQuery(url, { _HLS_msn: msn, _HLS_part: part, _HLS_skip: 'YES' })),
  ]);
  for (const file of [segment, hinted]) {
    check('captions: 200, text/vtt, immutable', file.status === 200 && file.type === 'text/vtt' && /immutable/.test(file.cache), `${file.status} ${file.type} ${file.cache}`);
    check('captions: WebVTT with a time stamp map', /^WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:\d+,LOCAL:[\d:.]+\n\n/.test(file.text), file.text.slice(0, 100));
  }
  const now = position(parseMedia(update.text));
  check('captions: blocking reload', update.status === 200 && (now.msn > msn || now.part > part), `${update.status} ${now.msn}.${now.part}`);
}

async function run() {
  const variant = checkMain(await get(mainUrl));
  if (!variant) return;
  const session = new Session(variant.url);
  await session.begin();
  await session.wrongRequests();
  await session.goAway();
  session.list = parseMedia((await get(session.url)).text);
  session.startedMs = performance.now();
  session.startedEdge = session.edge();
  let steps = 0;
  while (performance.now() - session.startedMs < seconds * 1000) {
    await session.step();
    if (++steps % 10 === 0) await session.compareWithFull();
  }
  const tookS = (performance.now() - session.startedMs) / 1000;
  const mediaS = session.edge() - session.startedEdge;
  check('the stream keeps real time', Math.abs(mediaS - tookS) < 0.7, `${mediaS.toFixed(2)} s of media in ${tookS.toFixed(2)} s`);
  if (variant.captions) await checkCaptions(variant.captions, variant.url); // by now a segment is complete
  if (seconds > 3 * session.list.target) check('whole segments were seen', session.segmentsChecked > 0);
  const sorted = [...session.latencies].sort((a, b) => a - b);
  const ms = (share) => Math.round(1000 * sorted[Math.floor(share * (sorted.length - 1))]);
  console.log(`${steps} reloads, ${session.segmentsChecked} segments; live edge behind the wall clock: median ${ms(0.5)} ms, p95 ${ms(0.95)} ms`);
}

try {
  await run();
} catch (error) {
  check('the session goes through', false, `${error.message} ${error.cause?.message ?? ''}`);
}
report();
