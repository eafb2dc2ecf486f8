import { styleText } from 'node:util';
import { carryPlaces, type Places } from '../errors/carry-places.ts';

type Format = Parameters<typeof styleText>[0];
type Brush = (text: string) => string;

/** The few colours Ferry uses, named by what they mean. */
export interface Paint {
  readonly good: Brush;
  readonly bad: Brush;
  readonly warn: Brush;
  readonly quiet: Brush;
  readonly strong: Brush;
  readonly accent: Brush;
  /** For commands to type: they carry the places that were typed. */
  readonly command: Brush;
}

/** Where text goes: its width in characters, and how it looks there. */
export interface Page extends Look {
  readonly width: number;
}

/** Whether text may be coloured, and the places its commands carry. The caller knows the stream, NO_COLOR and what was typed. */
export interface Look {
  readonly colour: boolean;
  readonly places?: Places;
}

/** Makes brushes that colour, or that leave text as it is. */
export function createPaint({ colour, places }: Look): Paint {
  const brush =
    (format: Format): Brush =>
    (text) =>
      colour && text !== '' ? styleText(format, text, { validateStream: false }) : text;
  return {
    good: brush('green'),
    bad: brush('red'),
    warn: brush('yellow'),
    quiet: brush('dim'),
    strong: brush('bold'),
    accent: brush('cyan'),
    command: (text) => brush('cyan')(carryPlaces(text, places)),
  };
}
