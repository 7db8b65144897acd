// The cards of bindings and batches.

import { make, mark, say, show, sync } from './dom.js';
import { ago, count, counted, exact, span, stateName } from './words.js';

const part = (element, name) => element.querySelector(`[data-is=${name}]`);
const slot = (tag, name, attributes = {}) => make(tag, { 'data-is': name, ...attributes });

function bar(...parts) {
  const element = make('div', { class: 'bar', 'data-is': 'bar', role: 'img' });
  for (const name of parts) element.append(make('span', { 'data-part': name }));
  return element;
}

function fill(element, figures, label) {
  for (const [name, n] of Object.entries(figures)) {
    const grow = String(n);
    const piece = element.querySelector(`[data-part=${name}]`);
    if (piece.style.flexGrow !== grow) piece.style.flexGrow = grow;
    show(piece, n > 0);
  }
  mark(element, 'aria-label', label);
}

// counts shows figures that matter: [n, word, class].
function counts(element, figures) {
  const text = figures.map(([n, word, kind]) => `${n}|${word}|${kind ?? ''}`).join();
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  element.replaceChildren(...figures.map(([n, word, kind]) => make('span', kind ? { class: kind } : {}, make('b', {}, count(n)), ` ${word}`)));
}

function age(element, before, time, otherwise) {
  say(element, time ? `${before} ${ago(time)}` : otherwise);
  mark(element, 'title', time ? exact(time) : null);
}

function buildBinding(actions) {
  return (binding) => {
    const card = make('li', { class: 'card' },
      make('div', { class: 'head' }, slot('h3', 'name'), slot('span', 'state', { class: 'state' })),
      slot('p', 'way', { class: 'way' }),
      bar('ready', 'waiting', 'failed'),
      slot('p', 'counts', { class: 'counts' }),
      make('div', { class: 'note bad', 'data-is': 'error', role: 'alert' }, slot('p', 'why'), slot('p', 'next')),
      make('div', { class: 'note warn', 'data-is': 'held' },
        slot('p', 'reason'),
        make('div', { class: 'actions' }, slot('button', 'accept', { type: 'button' }), slot('button', 'leave', { type: 'button', class: 'plain' }))),
      make('div', { class: 'foot' }, slot('span', 'read'), slot('button', 'refresh', { type: 'button', 'aria-label': `Read ${binding.source} now, for ${binding.name}` })));
    say(part(card, 'refresh'), 'Read now');
    say(part(card, 'leave'), 'Leave it');
    part(card, 'refresh').addEventListener('click', (e) => actions.refresh(card.binding, e.currentTarget));
    part(card, 'accept').addEventListener('click', (e) => {
      if (card.dataset.sure) {
        delete card.dataset.sure;
        actions.accept(card.binding, e.currentTarget);
      } else {
        card.dataset.sure = 'asked';
      }
      updateBinding(card, card.binding);
    });
    part(card, 'leave').addEventListener('click', () => {
      delete card.dataset.sure;
      updateBinding(card, card.binding);
      part(card, 'accept').focus();
    });
    return card;
  };
}

function heldWords({ changes, removals }) {
  const words = [];
  if (changes) words.push(counted(changes, 'change'));
  if (removals) words.push(counted(removals, 'removal'));
  return words.join(' and ') || 'what is held';
}

function updateBinding(card, b) {
  card.binding = b;
  say(part(card, 'name'), b.name);
  say(part(card, 'state'), stateName(b.state));
  mark(part(card, 'state'), 'data-state', b.state);
  say(part(card, 'way'), `${b.source} → ${b.template}`);
  fill(part(card, 'bar'), { ready: b.ready, waiting: b.waiting, failed: b.failed },
    `${count(b.ready)} of ${counted(b.items, 'row')} ready, ${count(b.waiting)} waiting, ${count(b.failed)} failed`);
  const figures = [[b.ready, 'ready']];
  if (b.waiting) figures.push([b.waiting, 'waiting']);
  if (b.failed) figures.push([b.failed, 'failed', 'is-bad']);
  if (b.quarantined) figures.push([b.quarantined, 'kept out', 'is-warn']);
  counts(part(card, 'counts'), figures);
  show(part(card, 'error'), !!b.error);
  if (b.error) {
    say(part(card, 'why'), b.error);
    say(part(card, 'next'), b.ready
      ? `The ${counted(b.ready, 'image')} made before stay as they are. It is tried again by itself.`
      : 'It is tried again by itself.');
  }
  age(part(card, 'read'), b.complete ? 'read' : 'read in part', b.readAt, 'not read yet');
  show(part(card, 'held'), !!b.held);
  if (b.held) {
    const sure = !!card.dataset.sure;
    say(part(card, 'reason'), b.held.reason);
    if (part(card, 'accept').disabled) return; // it says how it went
    say(part(card, 'accept'), sure ? `Yes, let ${heldWords(b.held)} through` : `Accept ${heldWords(b.held)} …`);
    mark(part(card, 'accept'), 'aria-label', `${part(card, 'accept').textContent} for ${b.name}`);
    mark(part(card, 'accept'), 'class', sure ? 'strong' : '');
    show(part(card, 'leave'), sure);
  }
}

export function showBindings(list, bindings, actions) {
  sync(list, bindings, (b) => b.name, buildBinding(actions), updateBinding);
}

function buildJob(job) {
  return make('li', { class: 'card' },
    make('div', { class: 'head' }, slot('h3', 'name'), slot('span', 'state', { class: 'state' })),
    bar('ready', 'failed', 'rest'),
    slot('p', 'counts', { class: 'counts' }),
    make('div', { class: 'foot' }, slot('span', 'when'), make('a', { href: `/jobs/${job.jobId}`, 'aria-label': `Results of batch ${job.jobId}` }, 'Results')));
}

function updateJob(card, j) {
  const ended = j.completedItems + j.failedItems;
  const running = j.status === 'pending' || j.status === 'processing';
  say(part(card, 'name'), j.templateUid);
  mark(part(card, 'name'), 'title', j.jobId);
  say(part(card, 'state'), j.status === 'processing' ? `${j.progress} %` : stateName(j.status));
  mark(part(card, 'state'), 'data-state', j.status);
  fill(part(card, 'bar'), { ready: j.completedItems, failed: j.failedItems, rest: Math.max(0, j.totalItems - ended) },
    `${count(ended)} of ${counted(j.totalItems, 'row')} done`);
  const figures = [[j.completedItems, `of ${count(j.totalItems)}`]];
  if (j.failedItems) figures.push([j.failedItems, 'failed', 'is-bad']);
  if (j.dedupedItems) figures.push([j.dedupedItems, 'known already']);
  counts(part(card, 'counts'), figures);
  const when = part(card, 'when');
  if (running && j.etaSeconds !== null) {
    say(when, `${Math.round(j.ratePerSecond)} a second, ${span(j.etaSeconds)} left`);
    mark(when, 'title', exact(j.createdAt));
  } else if (running) {
    age(when, 'came', j.createdAt, '');
  } else {
    age(when, 'ended', j.completedAt, '');
  }
}

export function showJobs(list, jobs) {
  sync(list, jobs, (j) => j.jobId, buildJob, updateJob);
}
