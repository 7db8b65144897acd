// What differs between sources and sinks in words.

export type Side = 'source' | 'sink';

export interface SideWords {
  one: string; // of its address in the API and in the studio
  many: string;
  title: string;
  about: string;
  yaml: string; // the lines that make one
}

export const sides: Record<Side, SideWords> = {
  source: {
    one: 'source', many: 'sources', title: 'Sources', about: 'A source is where rows come from: a file, an address, a table, a sheet, a topic, or whoever calls.',
    yaml: 'sources:\n  products: { kind: file, path: products.csv, key: sku }',
  },
  sink: {
    one: 'sink', many: 'sinks', title: 'Sinks', about: 'A sink is who is told of an image: a webhook, a table, a bucket, a sheet, a topic or a folder.',
    yaml: 'sinks:\n  folder: { kind: file, path: "out/{{ key }}.{{ ext }}" }',
  },
};
