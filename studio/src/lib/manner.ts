// What a line changes, in words: the chips of the rundown, of the cues and of the line box.
import type Icon from './Icon.svelte';
import type { ComponentProps } from 'svelte';
import { factor } from './format';
import type { Card, CueSpec } from './types';

/** One thing that a line changes. */
export interface Trait {
  /** The control that holds it. */
  of: 'ssml' | 'speech' | 'presenter' | 'set' | 'light' | 'background' | 'screen' | 'camera' | 'look' | 'emotion' | 'action' | 'voice' | 'style' | 'dials' | 'card';
  icon: ComponentProps<typeof Icon>['name'];
  word: string;
  /** The whole of it, for a tool tip and for screen readers. */
  title: string;
}

/** How things are called; ids where nobody knows. */
export interface Names {
  presenter(id: string): string;
  set(name: string): string;
  light(name: string): string;
  camera(name: string): string;
  style(name: string): string;
  media(id: string): string;
}

export const capital = (text: string) => (text ? text[0]!.toUpperCase() + text.slice(1) : text);

/** "thumbs-up" and "brow_raise", as people write them. */
export const wordsOf = (name: string) => capital(name.replace(/[-_]/g, ' '));

export const isColor = (text: string) => /^#[0-9a-f]{6}$/i.test(text);

export function cardOf(spec: CueSpec): Card {
  if (typeof spec.card !== 'string') return spec.card ?? {};
  const [title = '', ...rows] = spec.card.split('\n');
  return { title, text: rows.join('\n') };
}

const share = (value: number) => `${Math.round(value * 100)} %`;

export function traitsOf(spec: CueSpec, names: Names): Trait[] {
  const traits: Trait[] = [];
  const add = (of: Trait['of'], icon: Trait['icon'], word: string, title = word) => traits.push({ of, icon, word, title });
  const upload = (id: string, none: string) => (id === '' ? none : isColor(id) ? id : names.media(id));

  if (spec.presenter) add('presenter', 'person', names.presenter(spec.presenter), `Presenter: ${names.presenter(spec.presenter)}`);
  if (spec.set) add('set', 'room', names.set(spec.set), `Set: ${names.set(spec.set)}`);
  if (spec.light) add('light', 'sun', names.light(spec.light), `Light: ${names.light(spec.light)}`);
  if (spec.background !== undefined) {
    const word = upload(spec.background, 'Set’s own');
    add('background', 'picture', word, `Background: ${word}`);
  }
  if (spec.screen !== undefined) {
    const word = spec.screen === 'card' ? 'The card' : upload(spec.screen, 'Set’s own');
    add('screen', 'screen', word, `Screen: ${word}`);
  }
  if (spec.camera || spec.camera_move_s) {
    const to = spec.camera ? names.camera(spec.camera) : 'Camera';
    add('camera', 'camera', spec.camera_move_s ? `${to}, smooth` : to, `Camera: ${to}${spec.camera_move_s ? `, moves for ${spec.camera_move_s} s` : ', cuts'}`);
  }
  if (spec.look) add('look', 'eye', wordsOf(spec.look), `Looks at: ${spec.look}`);
  if (spec.emotion) {
    const strength = spec.emotion_intensity === undefined ? '' : ` ${share(spec.emotion_intensity)}`;
    add('emotion', 'face', wordsOf(spec.emotion) + strength, `Emotion: ${spec.emotion}${strength}`);
  }
  const marks = [...(spec.ssml ?? '').matchAll(/<mark\s+name="(?:action:)?([a-z0-9_-]+)"/g)].map((match) => match[1]!);
  if (spec.action) add('action', 'hand', wordsOf(spec.action), `Action: ${spec.action}`);
  if (marks.length > 0) add('ssml', 'hand', marks.map(wordsOf).join(', '), `Actions at words: ${marks.join(', ')}`);
  else if (spec.ssml) add('ssml', 'tune', 'SSML');
  if (spec.speech) add('speech', 'sound', 'Voice file', 'Said as it was recorded');
  if (spec.voice) add('voice', 'sound', spec.voice, `Voice: ${spec.voice}`);
  if (spec.style) add('style', 'tune', names.style(spec.style), `Style: ${names.style(spec.style)}`);
  const dials = (['rate', 'pitch', 'volume'] as const)
    .filter((dial) => spec[dial] !== undefined && spec[dial] !== 1)
    .map((dial) => `${dial} ${factor(spec[dial]!)}`);
  if (dials.length > 0) add('dials', 'tune', capital(dials.join(', ')));
  if (spec.card) {
    const card = cardOf(spec);
    const words = [card.title, card.text, card.price].filter(Boolean).join(', ') || 'picture';
    add('card', 'card', card.title || card.price || words, `Card: ${words}`);
  }
  return traits;
}
