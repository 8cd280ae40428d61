// The stored voice files: listed, heard in this browser, said on air, removed; recordings become some of them.
import { channelPath, type Api } from '../../lib/api';
import type { VoiceFile } from '../../lib/types';
import { uploadRecording, type Sending } from '../../lib/upload';

const PAGE = 20;

export class VoiceFiles {
  /** Newest first. */
  all = $state.raw<VoiceFile[]>([]);
  more = $state(false);
  /** The id of the one that is heard here. */
  playing = $state('');

  #cursor = '';
  #sound: HTMLAudioElement | null = null;

  constructor(readonly api: Api) {}

  async read(further = false): Promise<void> {
    const from = further && this.#cursor ? `&cursor=${encodeURIComponent(this.#cursor)}` : '';
    const page = await this.api.get<{ speech: VoiceFile[]; cursor: string }>(`/v1/speech?limit=${PAGE}${from}`);
    this.all = from ? [...this.all, ...page.speech] : page.speech;
    this.#cursor = page.cursor;
    this.more = page.cursor !== '';
  }

  async record(file: File, text: string, sending: Sending): Promise<void> {
    this.all = [await uploadRecording(this.api, file, text, sending), ...this.all];
  }

  async say(channel: string, file: VoiceFile): Promise<void> {
    await this.api.post(channelPath(channel, '/cues'), { speech: file.id });
  }

  async remove(file: VoiceFile): Promise<void> {
    if (this.playing === file.id) this.stop();
    await this.api.request('DELETE', `/v1/speech/${encodeURIComponent(file.id)}`);
    this.all = this.all.filter((one) => one.id !== file.id);
  }

  /** Plays it here, or stops it. */
  async toggle(file: VoiceFile): Promise<void> {
    const again = this.playing === file.id;
    this.stop();
    if (again) return;
    this.playing = file.id;
    try {
      const sound = await (await this.api.request('GET', `${file.audio}?format=wav`)).blob();
      if (this.playing !== file.id) return;
      const element = new Audio(URL.createObjectURL(sound));
      this.#sound = element;
      element.onended = element.onerror = () => this.#sound === element && this.stop();
      await element.play();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop(): void {
    if (this.#sound) {
      this.#sound.pause();
      URL.revokeObjectURL(this.#sound.src);
    }
    this.#sound = null;
    this.playing = '';
  }
}
