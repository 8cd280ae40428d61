// What was asked on a channel. Follows the desk's events.
import type { Api } from '../../lib/api';
import { channelPath } from '../../lib/api';
import type { Question } from '../../lib/types';

const KEPT = 200;

export class Questions {
  /** Newest first, as the API lists them. */
  all = $state.raw<Question[]>([]);
  known = $state(false);

  readonly open = $derived(this.all.filter((one) => one.state === 'new' || one.state === 'suggested').reverse().sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0) || (b.votes ?? 0) - (a.votes ?? 0)));
  readonly closed = $derived(this.all.filter((one) => one.state !== 'new' && one.state !== 'suggested'));

  #channel = '';

  constructor(readonly api: Api) {}

  async read(channel: string): Promise<void> {
    if (channel !== this.#channel) {
      this.#channel = channel;
      this.all = [];
      this.known = false;
    }
    const page = await this.api.get<{ questions: Question[] }>(channelPath(channel, '/questions?limit=100'));
    if (channel !== this.#channel) return;
    this.all = page.questions ?? [];
    this.known = true;
  }

  /** A question as an event or an answer tells it. */
  set(question: Question): void {
    if (question.channel !== this.#channel) return;
    const at = this.all.findIndex((one) => one.id === question.id);
    if (at < 0) this.all = [question, ...this.all].slice(0, KEPT);
    else this.all = this.all.map((one, i) => (i === at ? question : one));
  }

  async ask(text: string): Promise<void> {
    this.set(await this.api.post<Question>(channelPath(this.#channel, '/questions'), { text, asker: 'studio' }));
  }

  async rank(question: Question, priority: number): Promise<void> {
    const path = channelPath(this.#channel, `/questions/${encodeURIComponent(question.id)}`);
    this.set(await this.api.json<Question>('PATCH', path, { priority }));
  }

  async act(question: Question, act: 'approve' | 'dismiss' | 'suggest' | 'teach', body: object = {}): Promise<void> {
    const path = channelPath(this.#channel, `/questions/${encodeURIComponent(question.id)}/${act}`);
    this.set(await this.api.post<Question>(path, body));
  }
}
