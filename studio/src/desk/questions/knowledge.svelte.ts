// The documents that answers come from, their passages, and what is set for their collections.
import type { Api } from '../../lib/api';
import type { Collection, DocumentJob, KnownDocument, Passage } from '../../lib/types';

const documentPath = (id: string, rest = '') => `/v1/documents/${encodeURIComponent(id)}${rest}`;

export class Knowledge {
  documents = $state.raw<KnownDocument[]>([]);
  collections = $state.raw<Collection[]>([]);

  constructor(readonly api: Api) {}

  async read(): Promise<void> {
    const [documents, collections] = await Promise.all([
      this.api.get<{ documents: KnownDocument[] }>('/v1/documents?limit=200'),
      this.api.get<{ collections: Collection[] }>('/v1/collections'),
    ]);
    this.documents = documents.documents;
    this.collections = collections.collections;
  }

  async remove(id: string): Promise<void> {
    await this.api.request('DELETE', documentPath(id));
    await this.read();
  }

  async weigh(id: string, boost: number): Promise<void> {
    const changed = await this.api.json<KnownDocument>('PATCH', documentPath(id), { boost });
    this.documents = this.documents.map((one) => (one.id === id ? changed : one));
  }

  async passages(id: string): Promise<Passage[]> {
    return (await this.api.get<{ passages: Passage[] }>(documentPath(id, '/passages'))).passages;
  }

  async reword(id: string, passage: number, text: string): Promise<Passage[]> {
    return (await this.api.json<{ passages: Passage[] }>('PATCH', documentPath(id, `/passages/${passage}`), { text })).passages;
  }

  async removePassage(id: string, passage: number): Promise<Passage[]> {
    await this.api.request('DELETE', documentPath(id, `/passages/${passage}`));
    const left = await this.passages(id);
    this.documents = this.documents.map((one) => (one.id === id ? { ...one, passages: left.length } : one));
    return left;
  }

  /** Web pages, a line each; told of as they are read. */
  async fetchPages(addresses: string, told: (job: DocumentJob) => void): Promise<void> {
    let job = await this.api.json<DocumentJob>('POST', '/v1/documents', new Blob([addresses], { type: 'text/uri-list' }));
    for (told(job); job.state !== 'done'; told(job)) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      job = await this.api.get<DocumentJob>(`/v1/document-jobs/${encodeURIComponent(job.id)}`);
    }
    await this.read();
  }

  // --- collections ---

  async set(name: string, changes: Partial<Collection>): Promise<void> {
    const changed = await this.api.json<Collection>('PATCH', `/v1/collections/${encodeURIComponent(name)}`, changes);
    this.collections = this.collections.map((one) => (one.name === name ? changed : one));
  }

  /** The questions that a document comes first for. */
  pinsOf(document: string): string[] {
    return this.collections.flatMap(({ pins }) => pins.filter((pin) => pin.document === document).map((pin) => pin.question));
  }

  #pins(document: KnownDocument) {
    return this.collections.find(({ name }) => name === document.collection)?.pins ?? [];
  }

  async pin(document: KnownDocument, question: string): Promise<void> {
    const others = this.#pins(document).filter((pin) => pin.question !== question);
    await this.set(document.collection, { pins: [...others, { question, document: document.id }] });
  }

  async unpin(document: KnownDocument, question: string): Promise<void> {
    await this.set(document.collection, { pins: this.#pins(document).filter((pin) => pin.question !== question || pin.document !== document.id) });
  }
}
