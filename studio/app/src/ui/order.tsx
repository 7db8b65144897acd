// Buttons for what the daemon itself proposes, and its links inside the studio.

import { Failure, request } from '../api/client.ts';
import type { Order } from '../api/health.ts';
import { Act } from './act.tsx';

/** within is a link of the API's answers, as an address of the studio. */
export const within = (link: string): string => `/studio${link}`;

// carry sends what was proposed. A test that fails is an answer like another: it is told as what it is.
async function carry(order: Order): Promise<void> {
  const { data } = await request<{ ok?: boolean; error?: string; hint?: string } | undefined>(order.path, { method: order.method, body: order.body });
  if (data?.ok === false) throw new Failure(200, 'not_ok', data.error ?? `${order.label}: it did not work`, data.hint);
}

/** Proposed is the button of an action that an answer brings with it. */
export function Proposed({ order, kind = '', then }: { order: Order; kind?: 'strong' | ''; then?: () => void }) {
  return (
    <Act act={() => carry(order)} done={`${order.label}: done`} kind={kind} then={then}
      confirm={order.confirm ? { title: `${order.label}?`, question: <p>{order.confirm}</p> } : undefined}>
      {order.label}
    </Act>
  );
}
