// The line in the box: its words and how they are to be performed. One for each channel, kept over reloads without the
// words: the choices of the last line are those of the next.
import { cardOf, isColor } from '../lib/manner';
import type { Card, CueSpec } from '../lib/types';
import type { Palette } from './palette.svelte';

/** What is chosen beside the words. "" and null: as it comes, as the channel says. */
export interface Dress {
  presenter: string;
  set: string;
  light: string;
  /** null: as the channel's; "": the set's own; a colour; an upload. */
  background: string | null;
  screen: string | null;
  camera: string;
  smooth: boolean;
  look: string;
  emotion: string;
  intensity: number;
  action: string;
  voice: string;
  rate: number;
  pitch: number;
  volume: number;
  style: string;
  card: Card;
}

const plain = (): Dress => ({
  presenter: '', set: '', light: '', background: null, screen: null, camera: '', smooth: false, look: '',
  emotion: '', intensity: 1, action: '', voice: '', rate: 1, pitch: 1, volume: 1, style: '', card: {},
});

export const TABS = ['Presenter', 'Scene', 'Manner', 'Action', 'Card'] as const;
export type Tab = (typeof TABS)[number];

const SMOOTH_S = 1.2;
const DIALS = ['rate', 'pitch', 'volume'] as const;
const escape = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

export class Line {
  words = $state('');
  markup = $state<'text' | 'ssml'>('text');
  dress = $state<Dress>(plain());
  open = $state(false);
  tab = $state<Tab>('Presenter');
  /** Where action buttons put theirs: at the line's beginning or into its words. */
  atCaret = $state(false);
  /** The line of the rundown that this one was taken from, and may be put back as. */
  taken = $state.raw<CueSpec | null>(null);
  /** The page, not the operator, made SSML of the text; the next line is text again. */
  #converted = false;

  constructor(
    readonly channel: string,
    readonly palette: Palette,
  ) {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#place) ?? '{}') as Partial<Pick<Line, 'dress' | 'open' | 'tab' | 'atCaret'>>;
      this.dress = { ...plain(), ...kept.dress };
      this.open = kept.open === true;
      if (kept.tab && TABS.includes(kept.tab)) this.tab = kept.tab;
      this.atCaret = kept.atCaret === true;
    } catch {
      // Something else wrote there: begin anew.
    }
  }

  get #place() {
    return `compere.line.${this.channel}`;
  }

  /** For an effect: reads all that is kept. */
  keep(): void {
    const { dress, open, tab, atCaret } = this;
    localStorage.setItem(this.#place, JSON.stringify({ dress, open, tab, atCaret }));
  }

  /** Kept choices may name what has been deleted since. */
  forgetMissing(): void {
    const { palette, dress } = this;
    if (!palette.known) return;
    const isMissing = (id: string | null | undefined) =>
      Boolean(id) && id !== 'card' && !isColor(id!) && !palette.media.some((one) => one.id === id);
    if (dress.presenter && !palette.hasPresenter(dress.presenter)) dress.presenter = '';
    if (dress.set && !palette.sets.some((set) => set.name === dress.set)) dress.set = '';
    if (dress.style && !palette.styles.some((one) => one.name === dress.style)) dress.style = '';
    if (isMissing(dress.background)) dress.background = null;
    if (isMissing(dress.screen)) dress.screen = null;
    if (isMissing(dress.card.picture)) delete dress.card.picture;
  }

  spec(): CueSpec {
    const { dress, words } = this;
    const cue: CueSpec = this.markup === 'ssml' ? { ssml: words.trim() } : { text: words.trim() };
    for (const field of ['presenter', 'set', 'light', 'voice', 'style', 'emotion', 'camera', 'look', 'action'] as const)
      if (dress[field]) cue[field] = dress[field];
    for (const field of ['background', 'screen'] as const) if (dress[field] !== null) cue[field] = dress[field];
    for (const dial of DIALS) if (dress[dial] !== 1) cue[dial] = dress[dial];
    if (dress.emotion && dress.intensity !== 1) cue.emotion_intensity = dress.intensity;
    if (dress.smooth && (dress.camera || dress.presenter)) cue.camera_move_s = SMOOTH_S;
    const card = sentCard(dress.card);
    if (card) cue.card = card;
    return cue;
  }

  /** Takes a line back, as it was sent, to change and send it again. */
  fill(spec: CueSpec): void {
    this.markup = spec.ssml ? 'ssml' : 'text';
    this.#converted = false;
    this.taken = null;
    this.words = spec.ssml ?? spec.text ?? '';
    const dress = plain();
    for (const field of ['presenter', 'set', 'light', 'voice', 'style', 'emotion', 'camera', 'look', 'action'] as const)
      dress[field] = spec[field] ?? '';
    for (const field of ['background', 'screen'] as const) dress[field] = spec[field] ?? null;
    for (const dial of DIALS) dress[dial] = spec[dial] ?? 1;
    dress.intensity = spec.emotion_intensity ?? 1;
    dress.smooth = Boolean(spec.camera_move_s);
    dress.card = { ...cardOf(spec) };
    this.dress = dress;
    this.forgetMissing();
  }

  /** After a line was sent: a gesture and a card belong to one line, the rest stays for the next. */
  next(sent: string): void {
    this.dress.action = '';
    this.dress.card = {};
    this.taken = null;
    // What was typed while the answer was under way is the next line.
    if (this.words !== sent) return;
    this.words = '';
    if (this.#converted) this.markup = 'text';
    this.#converted = false;
  }

  /** The rundown's lines with this one: in the place that it was taken from if that is still there, else at the end. */
  intoRundown(cues: CueSpec[]): CueSpec[] {
    const was = JSON.stringify(this.taken);
    const at = this.taken ? cues.findIndex((cue) => JSON.stringify(cue) === was) : -1;
    return at < 0 ? [...cues, this.spec()] : cues.map((cue, i) => (i === at ? this.spec() : cue));
  }

  undress(): void {
    this.dress = plain();
  }

  /** A set without a screen shows nothing on it; only plain and key have a colour. */
  chooseSet(name: string): void {
    const { dress, palette } = this;
    dress.set = name;
    if (name && !palette.setOf(name)?.has_screen) dress.screen = null;
    if (!takesColor(name) && isColor(dress.background ?? '')) dress.background = null;
  }

  /** Puts the mark of an action into the words, which become SSML. Answers where the caret belongs now. */
  insertAction(action: string, caret: number): number {
    const mark = `<mark name="action:${action}"/>`;
    if (this.markup === 'text') {
      const before = `<speak>${escape(this.words.slice(0, caret))}`;
      this.words = `${before}${mark}${escape(this.words.slice(caret))}</speak>`;
      this.markup = 'ssml';
      this.#converted = true;
      return before.length + mark.length;
    }
    if (!this.words.trim()) this.words = '<speak></speak>';
    const at = outsideTags(this.words, caret);
    this.words = this.words.slice(0, at) + mark + this.words.slice(at);
    return at + mark.length;
  }
}

/** The place in SSML nearest to `at` that is neither within a tag nor outside of the root. */
export function outsideTags(ssml: string, at: number): number {
  const first = ssml.indexOf('>') + 1;
  const last = Math.max(first, ssml.lastIndexOf('<'));
  const place = Math.min(Math.max(at, first), last);
  const opened = ssml.lastIndexOf('<', place - 1);
  return opened > ssml.lastIndexOf('>', place - 1) ? ssml.indexOf('>', place) + 1 : place;
}

/** Sets that are of one colour, which can be another. */
export const takesColor = (set: string | undefined) => set === 'plain' || set === 'key';

/** Rows of text where that is all there is, else the parts. */
function sentCard(card: Card): string | Card | undefined {
  const parts: Card = {};
  for (const field of ['title', 'text', 'price', 'picture'] as const) {
    const value = card[field]?.trim();
    if (value) parts[field] = value;
  }
  const { title, text, price, picture } = parts;
  if (!title && !text && !price && !picture) return undefined;
  if (!price && !picture && !card.side) return [title, text].filter(Boolean).join('\n');
  return card.side ? { ...parts, side: card.side } : parts;
}
