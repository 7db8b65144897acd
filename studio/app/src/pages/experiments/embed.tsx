// What is put into a page or a mail, to be copied.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { doorOf, type Experiment } from '../../api/experiments.ts';
import { overview } from '../../api/live.ts';
import { Copy } from '../../ui/show.tsx';

const ways = [['web', 'Web page'], ['mail', 'Mail'], ['rows', 'Batch or binding'], ['events', 'Conversions']] as const;
type Way = (typeof ways)[number][0];

function Code({ label, text }: { label: string; text: string }) {
  return <div class="command"><pre tabIndex={0} aria-label={label}><code>{text}</code></pre><Copy text={text} /></div>;
}

const attribute = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

/** image is the HTML of the image, inside of its link where a click leads somewhere. */
function image(e: Experiment, src: string, href: string): string {
  const img = `<img src="${attribute(src)}" alt="${attribute(e.name)}">`;
  return e.goalConfig.destinationUrl ? `<a href="${attribute(href)}">${img}</a>` : img;
}

function parts(e: Experiment): Record<Way, ComponentChildren> {
  const { urls } = e;
  const mine = location.origin + doorOf(e);
  const key = overview.value?.keys ? ' \\\n  --oauth2-bearer "$PICTIFYD_KEY"' : '';
  return {
    web: (
      <>
        <p>Put the name of who looks in place of <code>{'{unit}'}</code>: a customer number or the id of a session, percent-encoded; never a mail address. The same name gets the same image, always.</p>
        <Code label="HTML with a unit" text={image(e, urls.unitImage, urls.click)} />
        <p>Without a name a cookie of this address stands for it, where the browser lets it. On pages of another site it does not: then fetches are counted, people are not, and no winner is named.</p>
        <Code label="HTML without a unit" text={`<img src="${attribute(urls.image)}" alt="${attribute(e.name)}">`} />
        {e.type === 'smart_link' && <p>What your conditions ask for beside device, country and time stands in the address: <code>?custom.plan=gold</code>.</p>}
        <p class="soft small">Don’t put a cache or a CDN before these addresses: all would get the first one’s image. <code>?mode=redirect</code> leads to an address that may be cached.</p>
      </>
    ),
    mail: (
      <>
        <p>Ask for everybody’s variant before the mail is sent. The answer has an image and a link for each, signed, so that nobody can count for somebody else:</p>
        <Code label="Request for assignments" text={`curl ${mine}/assignments \\\n  --json '{"units": ["customer-1", "customer-2"], "channel": "email"}'${key}`} />
        <p>Put them into the mail by the merge fields of your mailer:</p>
        <Code label="HTML for a mail" text={e.goalConfig.destinationUrl ? `<a href="{{ clickUrl }}"><img src="{{ imageUrl }}" alt="${attribute(e.name)}"></a>` : `<img src="{{ imageUrl }}" alt="${attribute(e.name)}">`} />
        <p class="soft small">Everybody who was sent it counts, opened or not: mail programs fetch images that nobody looks at.</p>
      </>
    ),
    rows: (
      <>
        <p>Each row of a batch or binding is drawn as the variant of its unit. Results and deliveries have <code>variant</code> and <code>clickUrl</code>.</p>
        <Code label="Batch" text={`curl ${location.origin}/templates/${encodeURIComponent(e.variants[0]?.templateUid ?? 'NAME')}/batch-render \\\n  --json '{"experiment": {"slug": "${e.slug}", "unit": "customer_id"}, "variables": [{"customer_id": "c-1"}]}'${key}`} />
        <Code label="Binding" text={`bindings:\n  - name: ${e.slug}\n    source: customers\n    template: ${e.variants[0]?.templateUid ?? 'NAME'}\n    experiment: { slug: ${e.slug}, unit: customer_id }`} />
      </>
    ),
    events: (
      <>
        <p>Say what people did, from a page or a server. The variant is looked up: nobody has to send it. The same <code>id</code> counts once, however often it is sent.</p>
        <Code label="Request for events" text={`curl ${urls.events} -H 'X-Write-Key: ${e.writeKey}' \\\n  --json '{"events": [{"experiment": "${e.slug}", "unit": "customer-1", "event": "conversion", "id": "order-1001"}]}'`} />
        <p class="soft small">The write key may stand in a web page: it can only report events of this experiment. Events of people who never got the image count for nobody.</p>
      </>
    ),
  };
}

export function Embed({ of: e }: { of: Experiment }) {
  const [way, setWay] = useState<Way>('web');
  return (
    <section class="card stack part embed" aria-labelledby="embed">
      <h2 id="embed">Show it</h2>
      {e.status === 'draft' && <p class="soft small">The addresses answer 404 until it is started. They stay the same for ever.</p>}
      <div class="row" role="group" aria-label="Where">
        {ways.map(([name, label]) => <button key={name} type="button" class="button" aria-pressed={way === name} onClick={() => setWay(name)}>{label}</button>)}
      </div>
      <div>{parts(e)[way]}</div>
    </section>
  );
}
