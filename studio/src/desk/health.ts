import type { ChannelStats } from '../lib/types';

/** Sync that nobody notices: EBU R37, sound early at most 40 ms, late at most 60 ms. */
const SOUND_EARLY_MS = 40;
const SOUND_LATE_MS = 60;
const FPS_LOW = 29;

/** What is wrong, each with what it means; empty when all is well. av_offset_ms > 0: sound before picture. */
export function troubles(stats: ChannelStats, droppedLately: number): string[] {
  const said: string[] = [];
  if (stats.slow_step) {
    const step = stats.steps?.find((one) => one.step === stats.slow_step);
    said.push(`The step “${stats.slow_step}” is slow${step ? ` (${step.p95_ms.toFixed(1)} ms at p95)` : ''}.`);
  }
  if (stats.fps !== undefined && stats.fps < FPS_LOW) said.push(`Only ${stats.fps.toFixed(1)} frames a second are made.`);
  const offset = stats.av_offset_ms ?? 0;
  if (offset > SOUND_EARLY_MS || offset < -SOUND_LATE_MS)
    said.push(`Sound is ${Math.abs(Math.round(offset))} ms ${offset > 0 ? 'before' : 'behind'} the picture.`);
  for (const voice of stats.voices ?? []) said.push(voice.speaking.startsWith('canned:') ? `The voice ${voice.down} is down and no other speaks its language.` : `The voice ${voice.down} is down, ${voice.speaking} speaks.`);
  if (droppedLately > 0) said.push(`${droppedLately} frames were dropped just now.`);
  for (const queue of stats.queues ?? [])
    if (queue.capacity > 0 && queue.depth >= queue.capacity) said.push(`The queue “${queue.name}” is full.`);
  return said;
}

export function uptime(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
