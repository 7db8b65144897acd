// Buttons for what the daemon itself proposes, and its links inside the studio.

import { request } from '../api/client.ts';
import type { Order } from '../api/health.ts';
import { Act } from './act.tsx';

/** within is a link of the API's answers, as an address of the studio. */
export const within = (link: string): string => `/studio${link}`;

/** Proposed is the button of an action that an answer brings with it. */
export function Proposed({ order, kind = '', then }: { order: Order; kind?: 'strong' | ''; then?: () => void }) {
  return (
    <Act act={() => request(order.path, { method: order.method, body: order.body })} done={`${order.label}: done`} kind={kind} then={then}
      confirm={order.confirm ? { title: `${order.label}?`, question: <p>{order.confirm}</p> } : undefined}>
      {order.label}
    </Act>
  );
}
