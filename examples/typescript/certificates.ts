// Certificates for a cohort in one request, with a client whose types are made
// from the daemon's own description of its API. See README.md.
import createClient from 'openapi-fetch';
import type { components, paths } from './pictifyd.d.ts';

type JobPage = components['schemas']['JobPage'];

const api = createClient<paths>({
  baseUrl: process.env.PICTIFYD_URL ?? 'http://127.0.0.1:8080',
  headers: { Authorization: `Bearer ${process.env.PICTIFYD_KEY ?? ''}` },
});

const graduates = [
  { id: 'C-1001', full_name: 'Ada Lovelace', course: 'Analytical engines', completed_at: '2026-11-24' },
  { id: 'C-1002', full_name: 'Grace Hopper', course: 'Compilers', completed_at: '2026-11-24' },
  { id: 'C-1003', full_name: '山田 花子', course: 'Typography', completed_at: '2026-11-24' },
];

/** Render a certificate for every graduate in one request. */
async function order(template: string) {
  const { data, error } = await api.POST('/templates/{id}/batch-render', {
    params: { path: { id: template }, header: { 'Idempotency-Key': `cohort-7-${template}` } },
    body: {
      variables: graduates.map((g) => ({
        recipient_name: g.full_name,
        course_name: g.course,
        completion_date: g.completed_at,
        certificate_id: g.id,
      })),
      rowKey: 'certificate_id',
      metadata: { cohort: 7 },
      ...(process.env.WEBHOOK_URL ? { webhookUrl: process.env.WEBHOOK_URL } : {}),
    },
  });
  // What is wrong comes as a value: a stable word, a sentence, and the next step.
  if (error) throw new Error(`${error.code}: ${error.detail} (${error.hint ?? 'no hint'})`);
  if (!('jobId' in data)) throw new Error('this was a dry run'); // dryRun: true has another answer
  return data;
}

/** The job, when its last row has ended. Whoever runs a server needs none of this: the webhook says it. */
async function ended(id: string): Promise<JobPage> {
  for (;;) {
    const { data, error } = await api.GET('/jobs/{id}', { params: { path: { id }, query: { limit: 1000 } } });
    if (error) throw new Error(`${error.code}: ${error.detail}`);
    if (data.completedAt !== null) return data;
    await new Promise((again) => setTimeout(again, 200));
  }
}

/** Every result, page after page. */
async function* results(first: JobPage) {
  for (let page = first; ; ) {
    yield* page.results;
    if (page.nextAfter === null) return;
    const { data, error } = await api.GET('/jobs/{id}', {
      params: { path: { id: page.jobId }, query: { limit: 1000, after: page.nextAfter } },
    });
    if (error) throw new Error(`${error.code}: ${error.detail}`);
    page = data;
  }
}

const { jobId, totalItems } = await order(process.argv[2] ?? 'tpl_certificate');
console.log(`${totalItems} certificates are being made as ${jobId}`);
const job = await ended(jobId);
for await (const certificate of results(job)) console.log(`${certificate.key}  ${certificate.url}`);
for (const failure of job.errors) console.log(`${failure.key}  ${failure.code}: ${failure.error}`);
console.log(job.status);
