// Names for what the API answers about images, jobs, deliveries and templates.

import type { components } from './schema.ts';

type Schemas = components['schemas'];

export type Job = Schemas['Job'];
export type JobPage = Schemas['JobPage'];
export type JobRow = Schemas['JobRow'];
export type RowResult = Schemas['RowResult'];
export type RowFailure = Schemas['RowFailure'];
export type Warning = Schemas['Warning'];
export type OutputPicture = Schemas['OutputPicture'];
export type Delivery = Schemas['Delivery'];
export type DeliveryDetail = Schemas['DeliveryDetail'];
export type DeliveryAttempt = Schemas['DeliveryAttempt'];
export type LetterGroup = Schemas['LetterGroup'];
export type Template = Schemas['Template'];
export type Version = Schemas['Version'];
export type Comparison = Schemas['Comparison'];
export type Starter = Schemas['Starter'];
export type Variable = Schemas['Variable'];
export type Finding = Schemas['Finding'];
export type DryRun = Schemas['DryRun'];
export type Binding = Schemas['Binding'];
