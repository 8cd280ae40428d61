// A voice heard in this browser only: spoken by the server as a voice file that is soon forgotten.
import type { Api } from './api';
import type { CueSpec } from './types';

const KEPT_S = 60;

/** A sentence that shows a voice, in the languages that people often ask for. */
const SAMPLES: Record<string, string> = {
  en: 'Good evening, this is how I sound. Shall we begin?',
  de: 'Guten Abend, so klinge ich. Wollen wir anfangen?',
  fr: 'Bonsoir, voici ma voix. On commence ?',
  es: 'Buenas tardes, así sueno yo. ¿Empezamos?',
  it: 'Buonasera, questa è la mia voce. Cominciamo?',
  pt: 'Boa noite, é assim que eu falo. Vamos começar?',
  nl: 'Goedenavond, zo klink ik. Zullen we beginnen?',
  sv: 'God kväll, så här låter jag. Ska vi börja?',
  pl: 'Dobry wieczór, tak brzmi mój głos. Zaczynamy?',
  cs: 'Dobrý večer, takhle zním. Začneme?',
  tr: 'İyi akşamlar, sesim böyle. Başlayalım mı?',
  ru: 'Добрый вечер, так звучит мой голос. Начнём?',
  uk: 'Добрий вечір, ось так я звучу. Почнемо?',
  el: 'Καλησπέρα, έτσι ακούγομαι. Ξεκινάμε;',
  ar: 'مساء الخير، هذا هو صوتي. هل نبدأ؟',
  hi: 'नमस्ते, मेरी आवाज़ ऐसी है। क्या हम शुरू करें?',
  zh: '晚上好，这就是我的声音。我们开始吧？',
  cmn: '晚上好，这就是我的声音。我们开始吧？',
  ja: 'こんばんは、これが私の声です。始めましょうか？',
  ko: '안녕하세요, 제 목소리입니다. 시작할까요?',
};

/** Where the language is none of these, a count: most engines read digits. */
export const sampleOf = (language: string | undefined) => SAMPLES[(language ?? 'en').split(/[-_]/)[0]!] ?? '1, 2, 3, 4, 5.';

/** What a preview takes of a line: the words and the way they are said. */
const FIELDS = ['text', 'ssml', 'voice', 'language', 'rate', 'pitch', 'volume', 'style'] as const;

export class Preview {
  #sound: HTMLAudioElement | null = null;
  #turn = 0;

  constructor(
    readonly api: () => Api,
    readonly changed: (playing: boolean) => void,
  ) {}

  /** Speaks, with a channel's lexicon; rejects with an ApiError. A later call or stop() ends it. */
  async play(spec: CueSpec, channel = ''): Promise<void> {
    this.stop();
    const turn = this.#turn;
    const said: Record<string, unknown> = { ttl_s: KEPT_S };
    if (channel) said.channel = channel;
    for (const field of FIELDS) if (spec[field] !== undefined) said[field] = spec[field];
    this.changed(true);
    try {
      const { audio } = await this.api().post<{ audio: string }>('/v1/speech', said);
      const sound = await (await this.api().request('GET', audio)).blob();
      if (turn !== this.#turn) return;
      const element = new Audio(URL.createObjectURL(sound));
      this.#sound = element;
      element.onended = element.onerror = () => this.#sound === element && this.stop();
      await element.play();
    } catch (error) {
      if (turn !== this.#turn) return;
      this.stop();
      throw error;
    }
  }

  stop(): void {
    this.#turn += 1;
    if (this.#sound) {
      this.#sound.pause();
      URL.revokeObjectURL(this.#sound.src);
      this.#sound = null;
    }
    this.changed(false);
  }
}
