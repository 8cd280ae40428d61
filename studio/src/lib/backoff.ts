/** Waits that double up to a limit, each spread by a fifth so that many pages do not come back as one. */
export class Backoff {
  #tries = 0;

  constructor(
    readonly firstMs = 500,
    readonly mostMs = 8000,
  ) {}

  next(): number {
    const wait = Math.min(this.firstMs * 2 ** this.#tries, this.mostMs);
    this.#tries += 1;
    return wait * (0.8 + Math.random() * 0.4);
  }

  reset(): void {
    this.#tries = 0;
  }
}

export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal?.aborted) done();
    else signal?.addEventListener('abort', done);
  });
