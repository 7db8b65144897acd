// A picture: where it comes from, how it fills its box, which part of it is
// shown, and what stands in for it.

import { useRef, useState } from 'preact/hooks';

import { Field, Input, Select } from '../../ui/field.tsx';
import { tell } from '../../ui/toast.tsx';
import { NumberField } from '../fields/number.tsx';
import { Popover } from '../fields/popover.tsx';
import type { Edit } from './edit.ts';
import { Property, Section } from './property.tsx';
import { assetURL, upload } from './uploads.ts';
import { Focus } from './focus.tsx';

const isPicture = (asset: string): boolean => /\.(png|jpe?g|webp|gif|svg|avif)$/i.test(asset);

/** PictureSource is an address, a file of the template, or one that is uploaded now. */
export function PictureSource({ edit, label, name }: { edit: Edit; label: string; name: string }) {
  const { value, mixed } = edit.attr(name);
  const [draft, setDraft] = useState<string>();
  const [busy, setBusy] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const { doc } = edit;
  const set = (to: string | null) => {
    setDraft(undefined);
    if (to !== (value ?? null)) void edit.setAttr(label, name, to || null);
  };
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    setBusy(true);
    try {
      set((await upload(doc, chosen)).path);
    } catch (e) {
      tell(e);
    } finally {
      setBusy(false);
    }
  };
  const files = Object.keys(doc.assets.value).filter(isPicture);
  return (
    <div class="source-field">
      <Input aria-label={label} placeholder={mixed ? 'mixed' : 'https://… or a file'} value={draft ?? value ?? ''} disabled={!edit.can('set_attr')} change={setDraft} onBlur={() => draft !== undefined && set(draft.trim())}
        onKeyDown={(e) => { if (e.key === 'Enter') set((draft ?? '').trim()); e.stopPropagation(); }} />
      <input ref={file} type="file" hidden accept="image/*" onChange={(e) => { void take(e.currentTarget.files?.[0]); e.currentTarget.value = ''; }} />
      <button type="button" class="button" disabled={busy} onClick={() => file.current!.click()}>{busy ? 'Sending …' : 'Upload'}</button>
      {files.length > 0 && (
        <Popover label={`${label}: choose a file`} kind="button" button="Files">
          {(close) => (
            <div class="asset-pick">
              {files.map((f) => <button key={f} type="button" aria-pressed={f === value} title={f} onClick={() => { set(f); close(); }}><img src={assetURL(doc, f)} alt={f} loading="lazy" /></button>)}
            </div>
          )}
        </Popover>
      )}
    </div>
  );
}

const fits = [{ value: '', label: 'Stretch (fill)' }, { value: 'cover', label: 'Cover the box' }, { value: 'contain', label: 'Contain' }, { value: 'none', label: 'Own size' }, { value: 'scale-down', label: 'At most its own size' }];
const onerror = [{ value: '', label: 'The fallback, else the row fails' }, { value: 'fallback', label: 'The fallback' }, { value: 'hide', label: 'It is hidden' }, { value: 'fail', label: 'The row fails' }];

export function Picture({ edit }: { edit: Edit }) {
  const fit = edit.read('object-fit');
  const failing = edit.attr('p-onerror'), alt = edit.attr('alt');
  const crop = edit.attr('p-crop');
  const parts = (crop.value ?? '0 0 1 1').trim().split(/\s+/).map(Number);
  const cut = parts.length === 4 && parts.every(Number.isFinite) ? parts as [number, number, number, number] : [0, 0, 1, 1] as [number, number, number, number];
  const disabled = !edit.can('set_attr');
  const setCrop = (i: number, n: number | null) => {
    const next = cut.map((v, j) => (i === j ? (n ?? (i < 2 ? 0 : 100)) / 100 : v));
    const text = next.map((v) => Math.round(v * 10000) / 10000).join(' ');
    void edit.setAttr('Crop', 'p-crop', text === '0 0 1 1' ? null : text);
  };
  const [alternative, setAlternative] = useState<string>();
  return (
    <Section title="Picture">
      <Property edit={edit} label="Source" place="src" wide hint="photo"><PictureSource edit={edit} label="Picture" name="src" /></Property>
      <Property edit={edit} label="Fit" properties={['object-fit']} place="style:object-fit" wide>
        <Select aria-label="Fit of the picture" value={fit.value === 'fill' ? '' : fit.value ?? ''} disabled={!edit.can('set_style')} choices={fits} change={(value) => void edit.style('Fit of the picture', { 'object-fit': value || null })} />
      </Property>
      {edit.nodes.length === 1 && <Focus edit={edit} crop={cut} />}
      <div class="property" data-wide role="group" aria-label="Crop">
        <div class="property-head"><span class="property-label">Crop</span>{crop.value && <button type="button" class="button plain" onClick={() => void edit.setAttr('Crop', 'p-crop', null)}>Whole picture</button>}</div>
        <div class="quad">
          {(['X', 'Y', 'W', 'H'] as const).map((short, i) => <NumberField key={short} label={['Crop from the left', 'Crop from the top', 'Crop width', 'Crop height'][i]!} short={short} unit="%" min={i < 2 ? 0 : 1} max={100} value={Math.round(cut[i]! * 10000) / 100} disabled={disabled} change={(n) => setCrop(i, n)} />)}
        </div>
      </div>
      <Property edit={edit} label="Fallback" place="fallback" wide><PictureSource edit={edit} label="Fallback" name="p-fallback" /></Property>
      <Field label="When it can't be had"><Select value={failing.value ?? ''} disabled={disabled} choices={onerror} change={(value) => void edit.setAttr('When it fails', 'p-onerror', value || null)} /></Field>
      <Property edit={edit} label="Words for it (alt)" place="attr:alt" wide>
        <Input aria-label="Words for the picture" value={alternative ?? alt.value ?? ''} disabled={disabled} change={setAlternative} onKeyDown={(e) => e.stopPropagation()} onBlur={() => { if (alternative !== undefined && alternative !== (alt.value ?? '')) void edit.setAttr('Words for it', 'alt', alternative || null); setAlternative(undefined); }} />
      </Property>
    </Section>
  );
}
