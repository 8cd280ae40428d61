// Files on their way to the server, with their progress. fetch() cannot tell how far a body is; XMLHttpRequest can.
import { ApiError, problemOf, unreachable, type Api } from './api';
import type { KnownDocument, VoiceFile } from './types';

/** What the server takes of one file (its CP_ASSET_MAX_BYTES); a larger one is not even sent. */
export const UPLOAD_MAX_BYTES = 64 << 20;

const WORDS: Record<number, [string, string]> = {
  409: ['The name is taken', 'Delete the other one first, or rename the file.'],
  413: ['The file is too large', 'Make it smaller and upload it again.'],
  422: ['The server cannot use this file', 'Choose another file, or export this one anew.'],
  503: ['The server is looking through other uploads', 'Try again in a few seconds.'],
};

export interface Sending {
  /** 0 to 1; 1: all of it is there and the server looks it through. */
  progress(share: number): void;
  signal: AbortSignal;
}

/** Answers the server's record of the file. Rejects with an ApiError; a stopped upload with status 0 and no words. */
export function upload<T>(
  api: Api,
  path: string,
  file: File,
  sending: Sending,
  name = nameOf(file).slice(0, 60),
): Promise<T> {
  return send<T>(api, `${path}?name=${encodeURIComponent(name)}`, file, file.type, sending);
}

/** By the name's ending, as browsers do not know all of them. */
const DOCUMENT_TYPES: Record<string, string> = {
  md: 'text/markdown',
  html: 'text/html',
  htm: 'text/html',
  csv: 'text/csv',
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
};

/** A document for the knowledge base; one of the same name is replaced. */
export function uploadDocument(api: Api, file: File, sending: Sending): Promise<KnownDocument> {
  const ending = file.name.toLowerCase().split('.').pop() ?? '';
  const title = encodeURIComponent(nameOf(file).slice(0, 60));
  return send(api, `/v1/documents?title=${title}`, file, DOCUMENT_TYPES[ending] ?? 'text/plain', sending);
}

/** A recording, which becomes a voice file; with the text that is said in it, or "". */
export function uploadRecording(api: Api, file: File, text: string, sending: Sending): Promise<VoiceFile> {
  const words = text ? `&text=${encodeURIComponent(text)}` : '';
  return send(api, `/v1/speech/recordings?title=${encodeURIComponent(nameOf(file).slice(0, 60))}${words}`, file, file.type, sending);
}

function send<T>(api: Api, path: string, file: File, type: string, { progress, signal }: Sending): Promise<T> {
  return new Promise((resolve, reject) => {
    if (file.size > UPLOAD_MAX_BYTES) {
      const detail = `${megabytes(file.size)} of at most ${megabytes(UPLOAD_MAX_BYTES)}`;
      reject(new ApiError(413, WORDS[413]![0], detail, WORDS[413]![1]));
      return;
    }
    const request = new XMLHttpRequest();
    request.open('POST', path);
    for (const [header, value] of Object.entries(api.headers())) request.setRequestHeader(header, value);
    request.setRequestHeader('Content-Type', type || 'application/octet-stream');
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new ApiError(0, '', '', ''));
    request.onload = () => {
      if (request.status !== 201) reject(problemOf(request.status, request.responseText, WORDS));
      else resolve(JSON.parse(request.responseText) as T);
    };
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

export const nameOf = (file: File) => file.name.replace(/\.[^.]*$/, '');

export const megabytes = (bytes: number) => `${(bytes / (1 << 20)).toFixed(bytes < 10 << 20 ? 1 : 0)} MB`;
