// Where rows come from.

import './connection/connection.css';
import { ConnectionList } from './connection/list.tsx';
import { NewConnection } from './connection/new.tsx';
import { ConnectionPage } from './connection/page.tsx';

export const Sources = () => <ConnectionList side="source" />;
export const NewSource = () => <NewConnection side="source" />;
export const Source = (of: { name: string; tab?: string }) => <ConnectionPage side="source" name={of.name} tab={of.tab} />;
