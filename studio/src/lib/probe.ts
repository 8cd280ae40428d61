import type { Player, PlayerState, PlayerStats, Transport } from './player';

/** What tests and curious people find as `window.compere`. */
export interface Probe {
  readonly transport: Transport | null;
  readonly state: PlayerState | 'none';
  stats(): Promise<PlayerStats | null>;
}

declare global {
  interface Window {
    compere?: Probe;
  }
}

export function exposeProbe(player: () => Player | null): void {
  window.compere = {
    get transport() {
      return player()?.transport ?? null;
    },
    get state() {
      return player()?.state ?? 'none';
    },
    stats: async () => (await player()?.stats()) ?? null,
  };
}
