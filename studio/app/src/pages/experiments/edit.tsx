// A new experiment, and one that is changed.

import { useLocation } from 'preact-iso';

import { request } from '../../api/client.ts';
import { addressOf, doorOf, type Experiment } from '../../api/experiments.ts';
import { Page } from '../../shell/shell.tsx';
import { useFilters } from '../../ui/filters.ts';
import { useLoad } from '../../ui/load.ts';
import { Note, Trouble } from '../../ui/show.tsx';
import { toast } from '../../ui/toast.tsx';
import { changesOf, definitionOf, type Draft, draftOf, fresh } from './form/draft.ts';
import { ExperimentForm } from './form/form.tsx';

const over = <a href="/studio/experiments">Experiments</a>;

export function NewExperiment() {
  const { route } = useLocation();
  const [{ template }] = useFilters();
  const save = async (d: Draft) => {
    const { data } = await request<{ experiment: Experiment }>('/experiments', { method: 'POST', body: definitionOf(d) });
    toast(`${data.experiment.name} is there, and not started yet`);
    route(addressOf(data.experiment));
  };
  return <Page title="New experiment" over={over}><ExperimentForm begin={fresh(template)} save={save} verb="Make the experiment" /></Page>;
}

export function EditExperiment({ id }: { id: string }) {
  const { route } = useLocation();
  const { data, error, again } = useLoad<{ experiment: Experiment }>(doorOf({ id }));
  const e = data?.experiment;
  const save = async (d: Draft) => {
    await request(doorOf(e!), { method: 'PATCH', body: changesOf(d, e!), ifMatch: `"${e!.revision}"` });
    toast(`${d.name} is saved`);
    route(addressOf(e!));
  };
  return (
    <Page title={e ? `Edit ${e.name}` : 'Edit'} over={<>{over}{e && <> · <a href={addressOf(e)}>{e.name}</a></>}</>}>
      {error !== undefined && <Trouble error={error} again={again} />}
      {!e && error === undefined && <p class="soft" role="status">Looking it up …</p>}
      {e?.readOnly && <Note>It stands in pictifyd.yaml under <code>experiments</code>, and is changed there: the file is read again by itself.</Note>}
      {e && !e.readOnly && <ExperimentForm key={e.revision} of={e} begin={draftOf(e)} save={save} verb="Save" />}
    </Page>
  );
}
