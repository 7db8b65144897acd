// The files of a job.

import { path } from '../../api/client.ts';
import type { Job } from '../../api/work.ts';

const files: [name: string, file: string, about: string, needs?: 'failed' | 'made' | 'pdf'][] = [
  ['ZIP', 'results.zip', 'All pictures, and a table of them', 'made'],
  ['CSV', 'results.csv', 'Your columns, with the addresses of the pictures'],
  ['PDF', 'results.pdf', 'All PDFs as one', 'pdf'],
  ['NDJSON', 'results.ndjson', 'All results, a line each'],
  ['Failed rows', 'failed.csv', 'To be corrected and sent again', 'failed'],
];

/** Downloads are links to the files; before the end they have what there is. pdf: it has made some. */
export function Downloads({ job, over, pdf }: { job: Job; over: boolean; pdf: boolean }) {
  const there = { failed: job.failedItems > 0, made: job.completedItems > 0, pdf };
  const shown = files.filter(([, , , needs]) => !needs || there[needs]);
  const partial = over ? '' : '?partial=true';
  return (
    <div class="stack">
      <ul class="downloads">
        {shown.map(([name, file, about]) => <li key={file}><a class="button" href={`${path`/jobs/${job.jobId}/${file}`}${file.endsWith('ndjson') ? '' : partial}`} download>{name}</a><span class="soft small">{about}</span></li>)}
      </ul>
      {!over && <p class="soft small">It has not ended: files have what there is by now.</p>}
    </div>
  );
}
