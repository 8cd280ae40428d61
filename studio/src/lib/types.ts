// The shapes of the HTTP API that the pages use (the whole of it: /v1/openapi.json).

export type CueState = 'queued' | 'preparing' | 'ready' | 'speaking' | 'done' | 'cut' | 'failed';

/** What a cue says and how: sent by the studio, kept in rundowns. */
export interface CueSpec {
  text?: string;
  ssml?: string;
  presenter?: string;
  voice?: string;
  language?: string;
  rate?: number;
  pitch?: number;
  volume?: number;
  emotion?: string;
  action?: string;
  camera?: string;
  set?: string;
  background?: string;
  card?: string;
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

export interface Channel {
  id: string;
  title?: string;
  presenter?: string;
  voice?: string;
  set?: string;
  camera?: string;
  language?: string;
  rundown?: Rundown;
  state?: ChannelState;
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

export interface StageSet {
  name: string;
  title?: string;
  cameras?: { name: string; title?: string }[];
}

export interface Presenter {
  id: string;
  title?: string;
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
  speaking?: boolean;
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
