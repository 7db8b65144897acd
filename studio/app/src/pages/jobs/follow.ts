// A job's own events: each says how far it is as a whole.

import { effect } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';

import { path } from '../../api/client.ts';
import { paused } from '../../api/live.ts';
import type { Job } from '../../api/work.ts';

/** useJobEvents follows a job until it has ended; round begins anew. null before the first event. */
export function useJobEvents(id: string, round: number): Job | null {
  const [job, setJob] = useState<Job | null>(null);
  useEffect(() => {
    setJob((j) => (j?.jobId === id ? j : null));
    const events = new EventSource(path`/jobs/${id}/events`);
    let newest: Job | null = null;
    const show = () => {
      if (newest && !paused.peek()) setJob(newest);
    };
    const take = (e: Event) => {
      newest = JSON.parse((e as MessageEvent<string>).data) as Job;
      show();
    };
    events.addEventListener('progress', take);
    events.addEventListener('end', (e) => {
      events.close(); // else the browser would ask again
      take(e);
    });
    const resume = effect(() => {
      if (!paused.value) show();
    });
    return () => {
      events.close();
      resume();
    };
  }, [id, round]);
  return job;
}
