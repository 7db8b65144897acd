// Templates: what may be asked of them from several pages.

import { path, query, request, send } from './client.ts';
import type { Starter, Template } from './work.ts';

/** pictureOf is the address of the picture of a version with the template's own sample row. */
export const pictureOf = (name: string, version: number | 'draft', at: { size?: string; theme?: string } = {}): string => path`/templates/${name}/versions/${version}/picture` + query({ size: at.size, theme: at.theme });

export const editOf = (name: string): string => path`/studio/templates/${name}/edit`;

/** nothing is the document of a template that begins with nothing. */
const nothing = (name: string) => `<!doctype html>
<html lang="en" p-version="1">
<head>
<meta charset="utf-8">
<title>${name}</title>
<script type="application/json" id="p-template">
{
  "name": ${JSON.stringify(name)},
  "sizes": { "default": { "w": 1200, "h": 630 } },
  "vars": {}
}
</script>
<style>
  #page { background: #ffffff; }
</style>
</head>
<body>
<section id="page" class="p-page" p-name="Page"></section>
</body>
</html>
`;

/** create makes a template that begins as a starter, or with nothing. */
export async function create(name: string, from: Starter['name'] | ''): Promise<void> {
  await request('/templates', { method: 'POST', body: from ? { name, from } : { name, html: nothing(name) } });
}

/** duplicate makes a template that begins as another one is now, with its files. */
export async function duplicate(from: string, name: string): Promise<void> {
  const archive = await (await send(path`/templates/${from}/archive.zip`)).blob();
  await request(path`/templates/${name}`, { method: 'PUT', headers: { 'If-None-Match': '*' }, body: archive, type: 'application/zip' });
}

/** freeName is base, or base with the next number where there is one of that name. */
export function freeName(base: string, taken: Pick<Template, 'uid'>[]): string {
  const names = new Set(taken.map((t) => t.uid));
  if (!names.has(base)) return base;
  for (let n = 2; ; n++) if (!names.has(`${base}-${n}`)) return `${base}-${n}`;
}
