import { carryHint, type Places } from '../errors/carry-places.ts';
import { jsonText } from '../lib/json.ts';
import type { Renderer } from './renderer.ts';

/** Writes each event as one line of JSON, for programs. */
export function createJsonRenderer(write: (text: string) => void, places?: Places): Renderer {
  return {
    emit: (event) => write(`${jsonText('error' in event ? { ...event, error: carryHint(event.error, places) } : event)}\n`),
    suspend: () => Promise.resolve(),
    resume: () => undefined,
    close: () => Promise.resolve(),
  };
}
