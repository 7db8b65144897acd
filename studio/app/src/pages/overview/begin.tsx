// Nothing is here yet: the one command that makes the first image.

import { get, path } from '../../api/client.ts';
import { Empty } from '../../ui/show.tsx';
import { useEffect, useState } from 'preact/hooks';

interface Variable { name: string; type: string; example?: unknown; default?: unknown }

const demo = { why: 'There is no template yet. This makes an example with images of its own.', command: 'make demo' };

// once renders a template of this daemon, with its own examples.
function once(name: string, variables: Variable[], keys: boolean): typeof demo {
  const row = Object.fromEntries(variables.map((v) => [v.name, v.example ?? v.default ?? (v.type === 'number' ? 1 : v.name)]));
  const body = JSON.stringify({ variables: [row] }).replaceAll("'", "'\\''");
  return {
    why: `It renders the template ${name} once. A binding does so for each row of a source.`,
    command: `curl ${location.origin}${path`/templates/${name}/batch-render`} \\\n  --json '${body}'${keys ? ' \\\n  --oauth2-bearer "$PICTIFYD_KEY"' : ''}`,
  };
}

export function Begin({ keys }: { keys: boolean }) {
  const [words, setWords] = useState(demo);
  useEffect(() => {
    const stop = new AbortController();
    const look = async () => {
      const { templates } = await get<{ templates: { name: string }[] }>('/templates', stop.signal);
      const first = templates[0];
      if (!first) return;
      const { variables } = await get<{ variables: Variable[] }>(path`/templates/${first.name}/variables`, stop.signal);
      setWords(once(first.name, variables, keys));
    };
    look().catch(() => undefined); // the command that needs nothing stands there already
    return () => stop.abort();
  }, [keys]);
  return (
    <Empty title="One command to begin" command={words.command}>
      <p>{words.why}</p>
      <p class="row"><a class="button" href="/studio/batch">Drop a file of rows instead</a><a class="button" href="/studio/sources/new">Connect a source</a></p>
    </Empty>
  );
}
