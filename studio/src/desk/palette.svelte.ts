// What there is to choose from: voices, styles, sets, actions, presenters, and what was uploaded. A list that cannot be had
// stays empty; its picker says so.
import { ApiError, type Api } from '../lib/api';
import { capital, wordsOf, type Names } from '../lib/manner';
import { Pictures } from '../lib/pictures';
import type { Action, Avatar, Media, Named, Presenter, StageSet, Style, Voice } from '../lib/types';
import { nameOf, upload, type Sending } from '../lib/upload';

export class Palette {
  voices = $state.raw<Voice[]>([]);
  styles = $state.raw<Style[]>([]);
  sets = $state.raw<StageSet[]>([]);
  actions = $state.raw<Action[]>([]);
  presenters = $state.raw<Presenter[]>([]);
  media = $state.raw<Media[]>([]);
  avatars = $state.raw<Avatar[]>([]);
  /** All lists have been read once: what is not in them does not exist. */
  known = $state(false);
  readonly pictures: Pictures;
  readonly lights = $derived(this.sets[0]?.lights ?? []);
  /** Pictures and videos; sounds are heard, not shown. */
  readonly footage = $derived(this.media.filter((one) => one.kind !== 'sound'));
  readonly sounds = $derived(this.media.filter((one) => one.kind === 'sound'));
  readonly names: Names = {
    presenter: (id) => this.#presenterName(id),
    set: (name) => titleIn(this.sets, name),
    light: (name) => titleIn(this.lights, name),
    camera: (name) => titleIn(this.sets[0]?.cameras ?? [], name),
    style: (name) => this.styles.find((one) => one.name === name)?.title ?? capital(name),
    media: (id) => this.media.find((one) => one.id === id)?.name ?? 'A deleted upload',
  };

  constructor(readonly api: Api) {
    this.pictures = new Pictures(api);
  }

  async read(): Promise<void> {
    let missing = 0;
    const ask = async <T>(path: string, field: string): Promise<T[]> => {
      try {
        return (await this.api.get<Record<string, T[]>>(path))[field] ?? [];
      } catch {
        missing += 1;
        return [];
      }
    };
    const [voices, styles, sets, actions, presenters, media, avatars] = await Promise.all([
      ask<Voice>('/v1/voices', 'voices'),
      ask<Style>('/v1/styles', 'styles'),
      ask<StageSet>('/v1/sets', 'sets'),
      ask<Action>('/v1/actions', 'actions'),
      ask<Presenter>('/v1/presenters', 'presenters'),
      ask<Media>('/v1/media', 'media'),
      ask<Avatar>('/v1/avatars', 'avatars'),
    ]);
    Object.assign(this, { voices, styles, sets, actions, presenters, media: media.sort(newestFirst), avatars });
    this.known = missing === 0;
  }

  setOf(name: string | undefined): StageSet | undefined {
    return this.sets.find((set) => set.name === name) ?? this.sets[0];
  }

  hasPresenter(id: string): boolean {
    return this.presenters.some((one) => one.id === id || one.variants?.some((variant) => variant.id === id));
  }

  #presenterName(id: string): string {
    for (const one of this.presenters) {
      if (one.id === id) return one.title || id;
      const variant = one.variants?.find((other) => other.id === id);
      if (variant) return `${one.title || one.id}, ${(variant.title || variant.id).toLowerCase()}`;
    }
    return wordsOf(id);
  }

  async addMedia(file: File, sending: Sending): Promise<Media> {
    const media = await upload<Media>(this.api, '/v1/media', file, sending);
    if (media.kind !== 'sound') this.pictures.keep(media, file);
    this.media = [media, ...this.media];
    return media;
  }

  async addAvatar(file: File, sending: Sending): Promise<Avatar> {
    const avatar = await upload<Avatar>(this.api, '/v1/avatars', file, sending);
    this.avatars = [...this.avatars, avatar];
    this.presenters = [...this.presenters, { id: avatar.id, title: avatar.name, variants: [], uploaded: true }];
    return avatar;
  }

  /** A motion becomes an action of the file's name, in the letters that names of actions have. */
  async addMotion(file: File, sending: Sending): Promise<string> {
    const name = nameOf(file).toLowerCase().replace(/[^a-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 23) || 'motion';
    await upload(this.api, '/v1/actions', file, sending, name);
    this.actions = [...this.actions, { name, uploaded: true }];
    return name;
  }

  async deleteMotion(name: string): Promise<void> {
    await this.#delete(`/v1/actions/${encodeURIComponent(name)}`);
    this.actions = this.actions.filter((one) => one.name !== name);
  }

  async deleteMedia(id: string): Promise<void> {
    await this.#delete(`/v1/media/${encodeURIComponent(id)}`);
    this.media = this.media.filter((one) => one.id !== id);
  }

  async deleteAvatar(id: string): Promise<void> {
    await this.#delete(`/v1/avatars/${encodeURIComponent(id)}`);
    this.avatars = this.avatars.filter((one) => one.id !== id);
    this.presenters = this.presenters.filter((one) => one.id !== id);
  }

  async #delete(path: string): Promise<void> {
    try {
      await this.api.request('DELETE', path);
    } catch (error) {
      // Gone already is what was wanted.
      if (error instanceof ApiError && error.status === 404) return;
      if (error instanceof ApiError && error.status === 409)
        throw new ApiError(409, 'It is in use', error.detail, 'Choose something else there, then delete it.');
      throw error;
    }
  }
}

const titleIn = (list: Named[], name: string) => list.find((one) => one.name === name)?.title || capital(name);
const newestFirst = (a: Media, b: Media) => (b.created_at ?? '').localeCompare(a.created_at ?? '');
