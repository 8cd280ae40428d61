// The HTTP API, with errors as people can use them: what happened, what is safe, what to do next.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** What happened. */
    readonly what: string,
    /** The server's own words on the case, or "". */
    readonly detail: string,
    /** What to do now. */
    readonly next: string,
  ) {
    super(detail ? `${what}: ${detail}` : what);
  }
}

/** What an answer with an error means; `words` has other ones for a status where the usual do not fit. */
function explain(
  status: number,
  title: string,
  detail: string,
  words: Record<number, [string, string]> = {},
): ApiError {
  const known: Record<number, [string, string]> = {
    400: ['The server did not accept this', 'Change what it names and send again.'],
    401: ['This key is not known here', 'Sign out and sign in with a key of this server.'],
    403: ['This key may not do that', 'Ask for a key with the operator role.'],
    404: ['It is no longer there', 'Reload the page to see what is.'],
    409: ['It has moved on meanwhile', 'Look at its state, then try again.'],
    413: ['This is too long', 'Split it into several lines.'],
    429: ['Too many requests at once', 'Wait a few seconds and try again.'],
    503: ['The server is busy or stopping', 'Try again in a few seconds.'],
  };
  const [what, next] = words[status] ?? known[status] ?? [
    title || `The server answered ${status}`,
    status >= 500 ? 'Try again; if it stays, look at the server’s log.' : 'Change it and try again.',
  ];
  return new ApiError(status, what, detail, next);
}

/** The error that an answer's problem+json tells; where it is none, the status has to do. */
export function problemOf(status: number, body: string, words?: Record<number, [string, string]>): ApiError {
  let title = '';
  let detail = '';
  try {
    const problem = JSON.parse(body) as { title?: unknown; detail?: unknown };
    if (typeof problem.title === 'string') title = problem.title;
    if (typeof problem.detail === 'string') detail = problem.detail;
  } catch {
    // Not problem+json.
  }
  return explain(status, title, detail || title, words);
}

export const unreachable = () =>
  new ApiError(
    0,
    'The server cannot be reached',
    '',
    'Check that it runs and that this device is on its network. What is on air goes on without the studio.',
  );

/** What the page shows of any error: those of the API as they are, others as a fault of the page. */
export const asApiError = (error: unknown) =>
  error instanceof ApiError ? error : new ApiError(0, 'Something went wrong in this page', '', 'Reload the page.');

export class Api {
  constructor(readonly key: string) {}

  headers(extra: Record<string, string> = {}): Record<string, string> {
    return { Authorization: `Bearer ${this.key}`, ...extra };
  }

  /** A body is sent as JSON, unless it is a Blob: that goes as it is, with its own type. */
  async request(method: string, path: string, body?: unknown, extra?: Record<string, string>): Promise<Response> {
    const headers = this.headers(extra);
    const asItIs = body instanceof Blob;
    if (body !== undefined && !asItIs) headers['Content-Type'] = 'application/json';
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: body === undefined || asItIs ? (body as Blob | undefined) : JSON.stringify(body),
        cache: 'no-store',
      });
    } catch {
      throw unreachable();
    }
    if (!response.ok) throw problemOf(response.status, await response.text().catch(() => ''));
    return response;
  }

  async json<T>(method: string, path: string, body?: unknown, extra?: Record<string, string>): Promise<T> {
    const response = await this.request(method, path, body, extra);
    if (response.status === 204) return undefined as T;
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }

  get<T>(path: string): Promise<T> {
    return this.json<T>('GET', path);
  }

  /** A POST that may be repeated without being done twice. */
  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.json<T>('POST', path, body, { 'Idempotency-Key': randomKey() });
  }
}

/** crypto.randomUUID() exists on secure pages only; a desk on the house network may be plain http. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What lets one play a channel that is not public: a playback token in the address, or a key in a header. */
export interface Admission {
  token?: string;
  key?: string;
}

/** A path that viewers ask for, with their token. */
export const withToken = (path: string, token?: string | null) =>
  token ? `${path}?token=${encodeURIComponent(token)}` : path;

export const channelPath = (channel: string, rest = '') => `/v1/channels/${encodeURIComponent(channel)}${rest}`;
