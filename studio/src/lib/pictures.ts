// Small pictures that need the key to be read: an <img> cannot send one. Each is fetched once, made small, and kept as
// a blob: address until the desk is left.
import { ApiError, type Api } from './api';
import type { Media } from './types';

const WIDTH = 192;
const HEIGHT = 108;
/** Portraits and videos' thumbnails are drawn when first asked for, beside the show: few at a time. */
const AT_A_TIME = 2;
const TRIES = 6;
const TRY_AGAIN_MS = 1500;

export class Pictures {
  #known = new Map<string, Promise<string>>();
  #running = 0;
  #queue: (() => void)[] = [];
  #gone = false;

  constructor(readonly api: Api) {}

  portrait(presenter: string): Promise<string> {
    return this.#once(`/v1/presenters/${encodeURIComponent(presenter)}/portrait.png`, async (blob) => blob);
  }

  /** Rejects where there is none to be had: the name has to do. */
  thumbnail(media: Media): Promise<string> {
    if (media.kind === 'video') return this.#once(thumbnailOf(media), async (blob) => blob);
    return this.#once(thumbnailOf(media), (blob) => shrink(blob, media.kind));
  }

  /** A file that was uploaded from here need not be fetched again. */
  keep(media: Media, file: File): void {
    this.#known.set(thumbnailOf(media), this.#addressOf(shrink(file, media.kind)));
  }

  leave(): void {
    this.#gone = true;
    for (const address of this.#known.values()) address.then(URL.revokeObjectURL, () => {});
    this.#known.clear();
  }

  #once(path: string, make: (blob: Blob) => Promise<Blob>): Promise<string> {
    let address = this.#known.get(path);
    if (!address) {
      address = this.#addressOf(this.#fetch(path).then(make));
      this.#known.set(path, address);
      // What failed may be asked for again.
      address.catch(() => this.#known.delete(path));
    }
    return address;
  }

  async #addressOf(blob: Promise<Blob>): Promise<string> {
    return URL.createObjectURL(await blob);
  }

  async #fetch(path: string): Promise<Blob> {
    if (this.#running >= AT_A_TIME) await new Promise<void>((go) => this.#queue.push(go));
    this.#running += 1;
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await (await this.api.request('GET', path)).blob();
        } catch (error) {
          const busy = error instanceof ApiError && error.status === 503;
          if (!busy || tries === TRIES || this.#gone) throw error;
          await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
        }
      }
    } finally {
      this.#running -= 1;
      this.#queue.shift()?.();
    }
  }
}

/** A picture is made small here; of a video the server has a frame, so that it need not be fetched. */
const thumbnailOf = (media: Media) =>
  `/v1/media/${encodeURIComponent(media.id)}/${media.kind === 'video' ? 'thumbnail.png' : 'content'}`;

async function shrink(blob: Blob, kind: Media['kind']): Promise<Blob> {
  if (kind === 'picture') {
    const picture = await createImageBitmap(blob);
    return draw(picture, picture.width, picture.height);
  }
  const video = document.createElement('video');
  video.muted = true;
  video.preload = 'auto';
  video.src = URL.createObjectURL(blob);
  try {
    await new Promise((resolve, reject) => {
      video.onloadeddata = resolve;
      video.onerror = () => reject(new Error('the browser cannot play it'));
    });
    return await draw(video, video.videoWidth, video.videoHeight);
  } finally {
    URL.revokeObjectURL(video.src);
    video.removeAttribute('src');
  }
}

/** Filled, as it will stand behind the presenter. */
function draw(source: CanvasImageSource, width: number, height: number): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const scale = Math.max(WIDTH / width, HEIGHT / height);
  const [w, h] = [width * scale, height * scale];
  canvas.getContext('2d')!.drawImage(source, (WIDTH - w) / 2, (HEIGHT - h) / 2, w, h);
  return new Promise((resolve, reject) =>
    canvas.toBlob((small) => (small ? resolve(small) : reject(new Error('no picture'))), 'image/webp', 0.85),
  );
}
