// What the API answers, as the API itself describes it: schema.ts is made of
// GET /openapi.json by `npm run types`, and types here only give names to it.

import type { components } from './schema.ts';

type Schemas = components['schemas'];

export type Binding = Schemas['Binding'];
export type Job = Schemas['Job'];

export type Overview = Schemas['Overview'];
