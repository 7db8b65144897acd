// The versions of a template, and how two of them differ: in their source and in
// their picture.

import { useLocation } from 'preact-iso';

import { path, post, query } from '../../api/client.ts';
import { editOf, pictureOf } from '../../api/templates.ts';
import type { Comparison, Template, Version } from '../../api/work.ts';
import { Act } from '../../ui/act.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { usePages } from '../../ui/paged.ts';
import { Trouble, When } from '../../ui/show.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Compare } from '../gallery/compare.tsx';
import '../gallery/gallery.css';
import { Diff } from './diff.tsx';

interface VersionList {
  versions: Version[];
  next?: number;
}

const read = (p: VersionList) => ({ items: p.versions, next: p.next === undefined ? null : String(p.next) });
const idOf = (v: Version) => String(v.version);

export function Versions({ template, size }: { template: Template; size: string }) {
  const { route } = useLocation();
  const [filters, set] = useFilters();
  const name = template.uid;
  const list = usePages<VersionList, Version>(path`/templates/${name}/versions` + query({ limit: 50 }), read, idOf, 'before');
  const from = Number(filters.from) || Math.max(1, template.version - 1);
  const to = Number(filters.to) || template.version;
  const pick = (what: 'from' | 'to', v: Version) => <input type="radio" name={what} aria-label={`${what === 'from' ? 'Before' : 'After'}: version ${v.version}`} checked={(what === 'from' ? from : to) === v.version} onChange={() => set({ [what]: String(v.version) })} />;
  const restore = (v: Version) => post(path`/templates/${name}/versions/${v.version}/restore`);
  const columns: Column<Version>[] = [
    { name: 'Before', cell: (v) => pick('from', v) },
    { name: 'After', cell: (v) => pick('to', v) },
    { name: 'Version', number: true, cell: (v) => <>{v.version}{v.version === template.version && <> <span class="chip" data-level="ok">newest</span></>}</> },
    { name: 'By', cell: (v) => v.author },
    { name: 'Made', cell: (v) => <When time={v.createdAt} /> },
    { name: 'Do', cell: (v) => <div class="row"><a class="button plain" href={path`/templates/${name}/archive.zip` + query({ version: v.version })} download={`${name}-${v.version}.zip`}>Export</a>{v.version !== template.version && <Act act={() => restore(v)} done={`The draft is what version ${v.version} was`} then={() => route(editOf(name))} confirm={{ title: `Bring back version ${v.version}?`, question: <p>The draft becomes what version {v.version} was; nothing is published until you publish it. It can be undone in the editor.</p> }}>Bring back</Act>}</div> },
  ];
  return (
    <section class="stack" aria-label="Versions">
      <h2>Versions</h2>
      {list.error !== undefined && <Trouble error={list.error} again={list.again} />}
      {list.items.length > 0 && <Table label="Versions" columns={columns} rows={list.items} id={idOf} more={list.more} />}
      {template.version === 1 ? <p class="soft small">It has one version. The next one is made by publishing in the editor, or when its file changes.</p> : <Differences name={name} from={from} to={to} size={size} />}
    </section>
  );
}

function Differences({ name, from, to, size }: { name: string; from: number; to: number; size: string }) {
  const answer = useLoad<Comparison>(path`/templates/${name}/versions/${from}/compare` + query({ to }));
  const c = answer.data;
  if (answer.error !== undefined) return <Trouble error={answer.error} again={answer.again} />;
  if (!c) return <p class="soft" role="status">Comparing …</p>;
  if (from === to || c.same) return <p class="soft">Version {from} and version {to} are the same.</p>;
  const parts: [string, Comparison['variables']][] = [['Variables', c.variables], ['Sizes', c.sizes], ['Files', c.assets]];
  return (
    <div class="differences">
      <section class="card stack" aria-label="Pictures">
        <h3>Pictures of version {from} and {to}, with the same row</h3>
        <Compare before={{ src: pictureOf(name, from, { size }), name: `version ${from}` }} after={{ src: pictureOf(name, to, { size }), name: `version ${to}` }} />
      </section>
      <section class="card stack" aria-label="Source">
        <h3>Source of version {from} and {to}</h3>
        {parts.map(([title, d]) => d.added.length + d.removed.length + d.changed.length > 0 && (
          <p key={title} class="row small"><span>{title}:</span>{d.added.map((n) => <span key={n} class="chip" data-level="ok">+ {n}</span>)}{d.removed.map((n) => <span key={n} class="chip" data-level="error">− {n}</span>)}{d.changed.map((n) => <span key={n} class="chip">{n} changed</span>)}</p>
        ))}
        {c.diff ? <Diff text={c.diff} /> : <p class="soft small">The text is the same.</p>}
      </section>
    </div>
  );
}
