// The first page: it follows the state that the daemon sends and never asks
// twice for what it has.

import { showBindings, showJobs } from './cards.js';
import { byId, mark, say, show } from './dom.js';
import { copy, Gallery } from './gallery.js';
import { sentence } from './words.js';

const gallery = new Gallery(byId('gallery'));
let state = null;

function draw() {
  const { bindings, jobs, images } = state;
  const empty = !bindings.length && !jobs.length && !images.length;
  say(byId('sentence'), sentence(state));
  say(byId('version'), `pictifyd ${state.version}`.trim());
  show(byId('sign-out'), state.keys);
  show(byId('bindings-section'), bindings.length > 0);
  show(byId('jobs-section'), jobs.length > 0);
  show(byId('gallery-empty'), images.length === 0);
  showBindings(byId('bindings'), bindings, actions);
  showJobs(byId('jobs'), jobs);
  gallery.show(images);
  if (empty && document.body.dataset.phase !== 'empty') begin();
  show(byId('begin'), empty);
  document.body.dataset.phase = empty ? 'empty' : 'here';
}

// begin writes the command that makes the first image.
async function begin() {
  let why = 'There is no template yet. This makes an example with images of its own.';
  let command = 'make demo';
  try {
    const { templates } = await get('/templates');
    if (templates.length) {
      const name = templates[0].name;
      const { variables } = await get(`/templates/${encodeURIComponent(name)}/variables`);
      const row = Object.fromEntries(variables.map((v) => [v.name, v.example ?? v.default ?? (v.type === 'number' ? 1 : v.name)]));
      const body = JSON.stringify({ variables: [row] }).replaceAll("'", "'\\''");
      why = `It renders the template ${name} once. A binding in pictifyd.yaml does so for each row of a source.`;
      command = `curl ${location.origin}/templates/${encodeURIComponent(name)}/batch-render \\\n  --json '${body}'`;
      if (state.keys) command += ' \\\n  --oauth2-bearer "$PICTIFYD_KEY"';
    }
  } catch {
    // without an answer the first command stands
  }
  say(byId('begin-why'), why);
  say(byId('begin-command'), command);
}

byId('begin-copy').addEventListener('click', (e) => copy(e.currentTarget, byId('begin-command').textContent));

// live

const live = byId('live');

function setLive(kind, text) {
  mark(live, 'data-live', kind);
  say(live.lastElementChild, text);
}

function connect() {
  const events = new EventSource('/events');
  events.addEventListener('open', () => setLive('live', 'Live'));
  events.addEventListener('state', (e) => {
    state = JSON.parse(e.data);
    draw();
  });
  events.addEventListener('error', async () => {
    setLive('lost', 'Reconnecting');
    if (events.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    events.close();
    if (await signedOut()) location.reload(); // shows the field for a key
    else setTimeout(connect, 3000);
  });
}

async function signedOut() {
  try {
    return (await fetch('/events', { method: 'HEAD' })).status === 401;
  } catch {
    return false;
  }
}

setInterval(() => {
  if (!state || document.hidden) return;
  showBindings(byId('bindings'), state.bindings, actions);
  showJobs(byId('jobs'), state.jobs);
  gallery.tick();
}, 1000);

// actions

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// act posts, and says on the button how it went.
async function act(button, path, body, done) {
  const before = button.textContent;
  button.disabled = true;
  try {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` },
      body: JSON.stringify(body),
    });
    say(button, answer.ok ? done : (await answer.json()).detail);
  } catch {
    say(button, 'Not reached');
  }
  setTimeout(() => {
    say(button, before);
    button.disabled = false;
    if (state) draw();
  }, 1500);
}

const actions = {
  refresh: (b, button) => act(button, `/bindings/${encodeURIComponent(b.name)}/refresh`, {}, 'Asked'),
  accept: (b, button) => act(button, `/bindings/${encodeURIComponent(b.name)}/guard/accept`,
    { changes: b.held.changes, removals: b.held.removals }, 'Accepted'),
};

byId('sign-out').addEventListener('click', async () => {
  await fetch('/session', { method: 'DELETE' });
  location.reload();
});

connect();
