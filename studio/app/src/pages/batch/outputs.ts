// What rows may be drawn as.

export const formats = [{ value: 'png', label: 'PNG' }, { value: 'jpeg', label: 'JPEG' }, { value: 'webp', label: 'WebP' }, { value: 'avif', label: 'AVIF' }, { value: 'pdf', label: 'PDF' }, { value: 'gif', label: 'GIF' }];

/** sizeChoices are the sizes of a template, and all of them together as "*". The first is "". */
export const sizeChoices = (sizes: { name: string; width: number; height: number }[]) => [
  { value: '', label: `${sizes[0]!.width} × ${sizes[0]!.height}` },
  ...sizes.slice(1).map((s) => ({ value: s.name, label: `${s.name}, ${s.width} × ${s.height}` })),
  { value: '*', label: `Each of the ${sizes.length} sizes` },
];
