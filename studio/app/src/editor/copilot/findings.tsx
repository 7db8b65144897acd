// What the checks found, with the way to each layer.

import type { RunFinding } from '../../api/copilot.ts';
import { Mark } from '../../ui/show.tsx';
import type { Doc } from '../document.ts';
import { ratioWords, viewWords } from './words.ts';

/** lookAt shows a size and a theme of the document, as far as it has them. */
export function lookAt(doc: Doc, { size, theme }: { size?: string; theme?: string }): void {
  const { sizes } = doc.manifest.value;
  const known = sizes.some((s) => s.name === size) ? size : doc.order.value.size;
  doc.setOrder({ size: known === sizes[0]?.name ? undefined : known, theme: theme && doc.themes.value.includes(theme) ? theme : undefined });
}

export function Findings({ doc, findings, label }: { doc: Doc; findings: RunFinding[]; label: string }) {
  if (findings.length === 0) return null;
  const sorted = [...findings].sort((a, b) => Number(b.level === 'error') - Number(a.level === 'error'));
  return (
    <ul class="copilot-findings" aria-label={label}>
      {sorted.map((f, i) => {
        const { layer } = f, known = layer !== undefined && doc.node(layer) !== undefined;
        const go = () => {
          lookAt(doc, f);
          doc.select([layer!]);
        };
        return (
          <li key={i}>
            <Mark level={f.level === 'error' ? 'error' : 'warn'}>{f.level === 'error' ? 'Error' : 'Warning'}</Mark>
            <span class="wrap">
              {known && <><button type="button" class="button plain" title="Select this layer" onClick={go}>{doc.title(layer)}</button>: </>}
              {!known && layer && <><code>{layer}</code>: </>}
              {f.message} <span class="soft">{[ratioWords(f), viewWords(f)].filter(Boolean).join('; ')}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
