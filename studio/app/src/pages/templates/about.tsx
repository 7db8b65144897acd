// What a template is: its sizes and variables, and what lint says of it.

import { path } from '../../api/client.ts';
import { editOf } from '../../api/templates.ts';
import type { Finding, Template } from '../../api/work.ts';
import { type Loaded, useLoad } from '../../ui/load.ts';
import { Mark } from '../../ui/show.tsx';
import { counted } from '../../ui/words.ts';

/** useTemplate reads a template's newest version; version has it read again. */
export function useTemplate(name: string, version: number): Loaded<Template> {
  const answer = useLoad<{ template: Template }>(path`/templates/${name}`, [version]);
  return { ...answer, data: answer.data?.template, set: () => undefined };
}

interface DraftAnswer {
  draft: { open: boolean; problems: Finding[]; updatedAt: string; author: string };
}

export const useDraft = (name: string, version: number): Loaded<DraftAnswer> => useLoad<DraftAnswer>(path`/templates/${name}/draft`, [version]);

/** LintBadge says in a word whether lint finds anything, and leads to where it is mended. */
export function LintBadge({ name, version }: { name: string; version: number }) {
  const { data, error } = useDraft(name, version);
  if (error !== undefined) return <Mark level="warn">not checked</Mark>;
  if (!data) return <Mark level="quiet">checking</Mark>;
  const { problems, open } = data.draft;
  const fatal = problems.filter((p) => p.fatal).length;
  const word = fatal > 0 ? counted(fatal, 'fault') : problems.length > 0 ? counted(problems.length, 'hint') : 'good';
  const mark = <Mark level={fatal > 0 ? 'error' : problems.length > 0 ? 'warn' : 'ok'}>{word}</Mark>;
  return (
    <span class="row small">
      {open && <span class="chip">draft</span>}
      {problems.length > 0 ? <a href={editOf(name)} title={problems.slice(0, 3).map((p) => p.message).join('\n')}>{mark}</a> : mark}
    </span>
  );
}
