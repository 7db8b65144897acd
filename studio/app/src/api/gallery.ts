// Images: the list of all that there are, and what one of them is made of.

import type { components } from './schema.ts';
import type { Warning } from './work.ts';

export type GalleryImage = components['schemas']['Image'] & {
  id: string; // of the place: it stays when the image is made anew
  index?: number;
  waiting: boolean;
  template: string;
  version: number;
  size: string;
  theme?: string;
  page?: number;
  bytes: number;
  renderMs: number;
  warnings: Warning[];
};

export interface GalleryPage {
  images: GalleryImage[];
  nextCursor: string | null;
}

export interface AboutImage {
  image: GalleryImage;
  fingerprint?: string;
  texts: { variable?: string; text: string }[];
  row: Record<string, unknown> | null;
  render: {
    state: string; attempts: number; durationMs?: number; lane?: string; wantedAt: string | null; endedAt: string | null;
    changedBy?: string; changed?: { variable?: string; before: string; after: string }[];
  } | null;
  previous: { path: string; generation: number; renderedAt: string | null; template?: string; version?: number; width: number; height: number } | null;
  source?: { name: string; state?: string; cause?: string; position?: string; readAt: string | null; confirmedAt: string | null };
  places: number;
}

/** warningNames are the codes of warnings in a few words. */
export const warningNames: Record<string, string> = {
  text_clipped: 'Text cut off',
  image_fallback: 'Stand-in image',
  layout_ignored: 'Layout ignored',
  glyph_missing: 'Letter missing',
};
export const warningName = (code: string): string => warningNames[code] ?? code;

// Which image is open stands in the address: its file, and which of the places
// that show the same bytes is meant.

export interface Place {
  file: string;
  binding: string;
  job: string;
  key: string;
  output: string;
}

export const placeOf = (i: GalleryImage): Place => ({ file: i.path.split('/').pop()!, binding: i.binding ?? '', job: i.job ?? '', key: i.key, output: i.output });

/** writePlace is a place as one word of an address. */
export const writePlace = (p: Place): string => [p.file, p.binding, p.job, p.key, p.output].map(encodeURIComponent).join('/');

/** readPlace is the place that writePlace wrote; null where the word is none. */
export function readPlace(text: string | undefined): Place | null {
  const parts = (text ?? '').split('/');
  if (parts.length !== 5) return null;
  try {
    const [file, binding, job, key, output] = parts.map(decodeURIComponent) as [string, string, string, string, string];
    return file ? { file, binding, job, key, output } : null;
  } catch {
    return null; // somebody changed the address by hand
  }
}
