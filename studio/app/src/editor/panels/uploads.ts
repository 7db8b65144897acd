// Files of the template: sent as they are, checked by the daemon.

import { path, request } from '../../api/client.ts';
import type { Doc } from '../document.ts';
import type { Op } from '../model.ts';

export interface Asset {
  path: string; // assets/…
  digest: string;
  size: number;
  contentType: string;
  url: string;
}

/** assetName is a file's name as documents can have it. */
export const assetName = (name: string): string => name.normalize('NFKD').replace(/[^\w.-]+/g, '-').replace(/^[-.]+|-+(?=\.)|-+$/g, '').toLowerCase() || 'file';

/** freeName is a name that no file of the template has. */
export function freeName(name: string, taken: Record<string, unknown>): string {
  if (!(`assets/${name}` in taken)) return name;
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/.exec(name)!;
  for (let i = 2; ; i++) if (!(`assets/${stem}-${i}${ending ?? ''}` in taken)) return `${stem}-${i}${ending ?? ''}`;
}

/** assetURL is where a file of the draft is served. */
export const assetURL = (doc: Doc, asset: string): string => `/templates/${encodeURIComponent(doc.id)}/draft/${asset.split('/').map(encodeURIComponent).join('/')}?v=${doc.assets.value[asset] ?? ''}`;

/** upload puts a file into the draft; undo takes it back. */
export async function upload(doc: Doc, file: File, name = freeName(assetName(file.name), doc.assets.value)): Promise<Asset> {
  const { data } = await request<{ revision: number; inverse: Op[]; asset: Asset }>(path`/templates/${doc.id}/draft/assets/${name}`, {
    method: 'PUT', body: file, type: file.type || 'application/octet-stream', ifMatch: `"${doc.revision.value}"`,
  });
  await doc.pushed(`Upload ${name}`, data.revision, data.inverse);
  return data.asset;
}
