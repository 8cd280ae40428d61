// How a channel's words are said: its lexicon as rows that can be changed, heard and put in place together.
import { ApiError, channelPath, type Api } from '../../lib/api';
import type { CueSpec } from '../../lib/types';

/** One way of saying a word: respelled, or in IPA. */
export interface Row {
  grapheme: string;
  alias: string;
  phoneme: string;
}

interface Answer {
  language: string;
  rows: Partial<Row>[];
}

const escaped = (text: string) => text.replace(/[&<>'"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A row's word said as the row wants it, whether it is kept already or not. */
export function rowAsLine(row: Row, language: string): CueSpec {
  const word = escaped(row.grapheme);
  const said = row.phoneme.trim()
    ? `<phoneme alphabet="ipa" ph="${escaped(row.phoneme.trim())}">${word}</phoneme>`
    : row.alias.trim()
      ? `<sub alias="${escaped(row.alias.trim())}">${word}</sub>`
      : word;
  return { ssml: `<speak${language ? ` xml:lang="${escaped(language)}"` : ''}>${said}</speak>` };
}

export class Lexicon {
  rows = $state<Row[]>([]);
  language = $state('');
  /** What the server has is known. */
  ready = $state(false);
  #kept = $state('["",[]]');

  constructor(
    readonly api: Api,
    readonly channel: string,
  ) {}

  get changed() {
    return this.#kept !== this.#text();
  }

  /** Rows with a word and a way to say it. */
  #whole() {
    return this.rows
      .map(({ grapheme, alias, phoneme }) => ({ grapheme: grapheme.trim(), alias: alias.trim(), phoneme: phoneme.trim() }))
      .filter((row) => row.grapheme !== '' && (row.alias !== '' || row.phoneme !== ''));
  }

  #text() {
    return JSON.stringify([this.language, this.#whole()]);
  }

  #take({ language, rows }: Answer) {
    this.language = language;
    this.rows = rows.map((row) => ({ grapheme: '', alias: '', phoneme: '', ...row }));
    this.#kept = this.#text();
    this.ready = true;
  }

  get #path() {
    return channelPath(this.channel, '/lexicon');
  }

  async read(): Promise<void> {
    try {
      this.#take(await this.api.get<Answer>(this.#path));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.#take({ language: '', rows: [] });
    }
  }

  async keep(): Promise<void> {
    const rows = this.#whole().map(({ grapheme, alias, phoneme }) => ({ grapheme, ...(alias && { alias }), ...(phoneme && { phoneme }) }));
    if (rows.length > 0) {
      this.#take(await this.api.json<Answer>('PUT', this.#path, { ...(this.language && { language: this.language }), rows }));
      return;
    }
    try {
      await this.api.request('DELETE', this.#path);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
    this.#take({ language: '', rows: [] });
  }

  add(): void {
    this.rows.push({ grapheme: '', alias: '', phoneme: '' });
  }

  remove(index: number): void {
    this.rows.splice(index, 1);
  }
}
