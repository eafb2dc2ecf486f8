import type { Event } from '../engine/events.ts';

/** Shows a run as it goes. Never throws: a closed terminal must not stop a run. */
export interface Renderer {
  emit(event: Event): void;
  /** Leaves the screen to a question until `resume`; what happens meanwhile is shown after it. */
  suspend(): Promise<void>;
  resume(): void;
  /** Shows the last state and gives the terminal back. */
  close(): Promise<void>;
}
