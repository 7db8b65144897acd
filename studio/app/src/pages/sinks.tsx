// Who is told of images.

import './connection/connection.css';
import { ConnectionList } from './connection/list.tsx';
import { NewConnection } from './connection/new.tsx';
import { ConnectionPage } from './connection/page.tsx';

export const Sinks = () => <ConnectionList side="sink" />;
export const NewSink = () => <NewConnection side="sink" />;
export const Sink = (of: { name: string; tab?: string }) => <ConnectionPage side="sink" name={of.name} tab={of.tab} />;
