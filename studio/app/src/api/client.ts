// The one way to the daemon: requests over its HTTP API, and its errors.

import { signal } from '@preact/signals';

import { unique } from './unique.ts';

/** A Failure is an answer that is no success, in the words of the daemon (RFC 9457). */
export class Failure extends Error {
  constructor(
    readonly status: number, // 0: the daemon was not reached
    readonly slug: string,
    readonly detail: string,
    readonly hint = '',
    readonly errors: { field?: string; message: string; code?: string; line?: number; column?: number }[] = [],
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail);
  }
}

/** signedOut is true from the first answer that no longer knows our key until somebody gives one again. */
export const signedOut = signal(false);

export interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown; // an object is sent as JSON; a Blob, a File or a text as it is
  type?: string; // of a body that is no object
  headers?: Record<string, string>;
  ifMatch?: string;
  signal?: AbortSignal;
}

/** An Answer is what was answered, with the ETag that an If-Match may name. */
export interface Answer<T> {
  data: T;
  etag: string;
  headers: Headers;
}

function bodyOf(ask: Ask, headers: Headers): BodyInit | undefined {
  const { body } = ask;
  if (body === undefined) return undefined;
  if (body instanceof Blob || typeof body === 'string' || body instanceof FormData) {
    if (ask.type) headers.set('Content-Type', ask.type);
    return body;
  }
  headers.set('Content-Type', 'application/json');
  return JSON.stringify(body);
}

async function failure(answer: Response): Promise<Failure> {
  const problem = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (name: string) => (typeof problem[name] === 'string' ? problem[name] : '');
  const slug = text('code') || text('type').split('/').pop() || '';
  const errors = Array.isArray(problem.errors) ? (problem.errors as Failure['errors']) : [];
  return new Failure(answer.status, slug, text('detail') || text('title') || `the daemon answered ${answer.status}`, text('hint'), errors, problem);
}

/** send asks the daemon, and returns its answer as it came. It throws a Failure. */
export async function send(path: string, ask: Ask = {}): Promise<Response> {
  const headers = new Headers({ Accept: 'application/json', ...ask.headers });
  const method = ask.method ?? 'GET';
  if (method === 'POST' && !headers.has('Idempotency-Key')) headers.set('Idempotency-Key', unique());
  if (ask.ifMatch) headers.set('If-Match', ask.ifMatch);
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, body: bodyOf(ask, headers), signal: ask.signal, credentials: 'same-origin' });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new Failure(0, 'unreachable', 'pictifyd was not reached', 'Is the daemon running? What you see stays; it is asked again when it is back.');
  }
  if (answer.status === 401) signedOut.value = true;
  if (!answer.ok) throw await failure(answer);
  return answer;
}

/** request asks the daemon for JSON. It throws a Failure. */
export async function request<T>(path: string, ask: Ask = {}): Promise<Answer<T>> {
  const answer = await send(path, ask);
  const data = answer.status === 204 ? undefined : await answer.json();
  return { data: data as T, etag: answer.headers.get('ETag') ?? '', headers: answer.headers };
}

export const get = async <T>(path: string, signal?: AbortSignal): Promise<T> => (await request<T>(path, { signal })).data;
export const post = async <T>(path: string, body: unknown = {}): Promise<T> => (await request<T>(path, { method: 'POST', body })).data;

/** path makes a path of segments that may hold anything, and of a query without its empty values. */
export function path(segments: TemplateStringsArray, ...values: (string | number)[]): string {
  return segments.reduce((all, part, i) => all + part + (i < values.length ? encodeURIComponent(String(values[i])) : ''), '');
}

export function query(values: Record<string, string | number | boolean | undefined | null>): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== null && value !== '' && value !== false) out.set(name, String(value));
  const text = out.toString();
  return text && `?${text}`;
}
