// The newest images.

import { query } from '../../api/client.ts';
import type { Overview } from '../../api/types.ts';
import { When } from '../../ui/show.tsx';

type Image = Overview['images'][number];

const shown = 12;

// place is where the gallery shows an image among its like.
const place = (i: Image) => `/studio/images${query({ binding: i.binding, job: i.job, key: i.key })}`;

export function Newest({ images }: { images: Image[] }) {
  if (images.length === 0) return <p class="soft">The first image appears here as soon as it is made.</p>;
  return (
    <section aria-labelledby="newest">
      <h2 id="newest" class="spread">Newest images <a class="small" href="/studio/images">Gallery</a></h2>
      <ul class="newest">
        {images.slice(0, shown).map((i) => (
          <li key={`${i.binding ?? ''}/${i.job ?? ''}/${i.key}/${i.output}`}>
            <a href={place(i)}>
              <span class="thumb">{i.format === 'pdf' ? <span class="soft">PDF</span> : <img src={i.path} alt="" loading="lazy" decoding="async" />}</span>
              <span class="clip">{i.name}</span>
              <span class="soft small clip">{i.binding ?? 'batch'} · <When time={i.renderedAt} /></span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
