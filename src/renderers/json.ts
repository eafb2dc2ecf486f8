import { jsonText } from '../lib/json.ts';
import type { Renderer } from './renderer.ts';

/** Writes each event as one line of JSON, for programs. */
export function createJsonRenderer(write: (text: string) => void): Renderer {
  return {
    emit: (event) => write(`${jsonText(event)}\n`),
    suspend: () => Promise.resolve(),
    resume: () => undefined,
    close: () => Promise.resolve(),
  };
}
