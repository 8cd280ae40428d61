// The shapes of the HTTP API that the pages use (the whole of it: /v1/openapi.json).

export type CueState = 'queued' | 'preparing' | 'ready' | 'speaking' | 'done' | 'cut' | 'failed';

/** What lies over the picture while a cue is said: a lower third, or a product with price and picture. */
export interface Card {
  title?: string;
  text?: string;
  price?: string;
  /** An upload's id. */
  picture?: string;
  side?: 'left' | 'right';
}

/** Where something is performed: of a cue, and of a channel. "" is the set's own; absent is the channel's. */
export interface Scene {
  set?: string;
  light?: string;
  /** An upload's id, or #rrggbb on the sets plain and key. */
  background?: string;
  /** An upload's id, or "card": the line's card stands there. */
  screen?: string;
}

/** What a cue says and how: sent by the studio, kept in rundowns. */
/** Speech that is kept: GET /v1/speech. */
export interface VoiceFile {
  id: string;
  text: string;
  title?: string;
  voice: string;
  duration_ms: number;
  audio: string;
  expires_at: string;
}

export interface Recording {
  id: string;
  channel: string;
  title: string;
  state: 'recording' | 'done' | 'interrupted';
  started_at: string;
  expires_at: string;
  duration_s: number;
  lost_s: number;
  bytes: number;
  error?: string;
}

export interface CueSpec extends Scene {
  text?: string;
  /** A voice file's id, said instead of a text. */
  speech?: string;
  ssml?: string;
  presenter?: string;
  voice?: string;
  language?: string;
  rate?: number;
  pitch?: number;
  volume?: number;
  /** A way of speaking: news, calm ... */
  style?: string;
  emotion?: string;
  emotion_intensity?: number;
  action?: string;
  camera?: string;
  camera_move_s?: number;
  look?: string;
  /** Rows of text, the first of them the title; or its parts. */
  card?: string | Card;
  ttl_s?: number;
}

/** Milliseconds from the request until the first frame of the cue had passed a step. */
export type Timings = Partial<Record<Step, number>>;

export const STEPS = ['answered', 'spoken', 'posed', 'drawn', 'encoded', 'sent'] as const;
export type Step = (typeof STEPS)[number];

export interface Cue extends CueSpec {
  id: string;
  channel?: string;
  state: CueState;
  error?: { code?: string; text?: string } | null;
  /** What its SSML asks for and does not get. */
  warnings?: string[];
  created_at?: string;
  timings_ms?: Timings;
}

export interface Rundown {
  loop: boolean;
  cues: CueSpec[];
}

export interface ChannelState {
  on_air?: boolean;
  attention?: string;
  rundown_item?: number | null;
  cue?: string | null;
}

export interface AudienceRule {
  open: boolean;
  /** Questions of one address. */
  per_minute?: number;
  /** Words by commas that are not taken. */
  blocked?: string;
  /** A reference to what signs a chat's bridge. */
  webhook_secret?: string;
}

/** Who decides that an answer airs, and how it is given. */
export interface AnswerRule {
  mode: 'manual' | 'auto';
  confident?: number;
  /** Said when a language model keeps one waiting, after filler_ms. */
  filler?: string;
  filler_ms?: number;
  /** Questions that nobody answered in so many seconds are put aside. */
  answer_by_s?: number;
  persona?: { name?: string; role?: string; tone?: string; words?: number };
}

export interface Channel extends Scene {
  /** Who decides that an answer airs. */
  answers?: AnswerRule;
  /** What the audience may ask. */
  questions?: AudienceRule;
  id: string;
  title?: string;
  /** One who stands there; or `presenters`, never both. */
  presenter?: string;
  presenters?: string[];
  voice?: string;
  camera?: string;
  language?: string;
  style?: string;
  music?: Music;
  rundown?: Rundown;
  state?: ChannelState;
}

/** What plays behind the voice. media "": nothing. */
export interface Music {
  media?: string;
  volume_db?: number;
  duck_db?: number;
}

/** A way of speaking by scene. */
export interface Style {
  name: string;
  title: string;
  summary: string;
}

export interface Voice {
  id: string;
  name?: string;
  engine?: string;
  language?: string;
  sex?: string;
  usable?: boolean;
  why_not?: string;
}

export interface Named {
  name: string;
  title?: string;
}

export interface StageSet extends Named {
  has_screen?: boolean;
  cameras?: Named[];
  lights?: Named[];
}

export interface Presenter {
  id: string;
  title?: string;
  /** The same person in other clothes or with other hair. */
  variants?: { id: string; title?: string }[];
  uploaded?: boolean;
}

export interface Action {
  name: string;
  /** A motion from a file. Absent where the server takes none. */
  uploaded?: boolean;
}

/** An uploaded picture, video or sound. */
export interface Media {
  id: string;
  name: string;
  kind: 'picture' | 'video' | 'sound';
  bytes: number;
  width?: number;
  height?: number;
  seconds?: number;
  created_at?: string;
}

/** An uploaded character and what was found in it. Lists are words with ", " between them. */
export interface Avatar {
  id: string;
  name: string;
  bytes?: number;
  report?: {
    vertices: number;
    triangles: number;
    textures: number;
    joints: number;
    shapes: number;
    visemes: number;
    bones: number;
    missing_shapes: string;
    missing_bones: string;
    notes: string;
  };
}

export interface Viewers {
  webrtc?: number;
  hls?: number;
}

export interface ChannelStats {
  viewers?: Viewers;
  fps?: number;
  frames?: number;
  dropped?: number;
  av_offset_ms?: number;
  encodes_per_s?: number;
  slow_step?: string | null;
  steps?: { step: string; p50_ms: number; p95_ms: number }[];
  queues?: { name: string; depth: number; max: number; capacity: number; dropped: number }[];
  /** Voices that could not speak just now, and who spoke instead. */
  voices?: { down: string; speaking: string; why: string }[];
  speaking?: boolean;
  music?: { state: 'off' | 'loading' | 'playing' | 'failed'; media: string; problem: string; gain_db: number | null };
  uptime_s?: number;
}

/** One sentence as it goes on air; `start` and `end` are byte offsets into the UTF-8 text. */
export interface Caption {
  text: string;
  channel?: string;
  /** null: a line of the rundown. */
  cue?: string | null;
  start_ms?: number;
  duration_ms?: number;
  /** t_ms counts from the sentence's start. */
  words?: { t_ms: number; start: number; end: number }[];
}

/** What somebody asked, and what may be answered. */
export interface Question {
  id: string;
  channel: string;
  text: string;
  asker?: string;
  state: 'new' | 'suggested' | 'approved' | 'aired' | 'dismissed';
  asked_at: string;
  answer?: string;
  cue?: string;
  /** How many of the audience ask this. */
  votes?: number;
  /** 1 and 2 before others, -1 behind them. */
  priority?: number;
  /** Addresses or numbers were taken out of it. */
  masked?: boolean;
  /** The moderation could not judge it, so it never airs by itself. */
  unmoderated?: boolean;
  /** The pair in the knowledge base that its answer became. */
  taught?: string;
  suggestion?: {
    text: string;
    refused: boolean;
    confidence: number;
    citations: { document: string; title: string; heading: string; link: string }[];
    /** "model" when a language model wrote it. */
    by?: string;
    model?: string;
    /** Why no model did. */
    problem?: string;
    /** Of the model, from asking it: its first bytes, its first sentence that aired, all; without one, of the search. */
    first_ms?: number;
    first_sentence_ms?: number;
    took_ms?: number;
  };
}

/** An ingest that the channel is pushed to. */
export interface Output {
  id: string;
  name: string;
  preset: string;
  url: string;
  backup_url?: string;
  enabled: boolean;
  has_key: boolean;
  health: {
    state: 'idle' | 'connecting' | 'live' | 'retrying' | 'failed';
    error?: string | null;
    on_backup?: boolean;
    failures: number;
    connects: number;
    bytes: number;
    dropped: number;
  };
}

/** How well the documents answer a set of questions; shares from 0 to 1, null where the set has none of the kind. */
export interface EvaluationReport {
  questions: number;
  recall_1: number | null;
  recall_5: number | null;
  recall_10: number | null;
  mrr_10: number | null;
  threshold: number;
  refused_right: number | null;
  refused_wrong: number | null;
  p50_ms: number;
  p99_ms: number;
  curve: { threshold: number; refused_right: number | null; refused_wrong: number | null }[];
  missed: { question: string; wanted: string; found: string }[];
}

/** A document of the knowledge base. */
export interface KnownDocument {
  id: string;
  title: string;
  collection: string;
  language: string;
  passages: number;
  /** How much its passages count beside others'; 1 is usual. */
  boost: number;
}

/** GET /v1/documents/{id}/passages. */
export interface Passage {
  id: number;
  number: number;
  heading: string;
  question: string;
  text: string;
  link: string;
}

/** GET /v1/document-jobs. */
export interface DocumentJob {
  id: string;
  state: 'waiting' | 'running' | 'done';
  total: number;
  done: number;
  problems: { url: string; reason: string }[];
}

/** GET /v1/collections. */
export interface Collection {
  name: string;
  documents: number;
  passages: number;
  /** Its own threshold, where it has one. */
  confident?: number;
  /** A line a family, commas between. */
  synonyms: string;
  pins: { question: string; document: string }[];
}
