import { useLocation } from 'preact-iso';

import { Page } from '../shell/shell.tsx';

export function NotFound() {
  const { path } = useLocation();
  return (
    <Page title="There is no such page">
      <p>Nothing stands at <code>{path}</code>. It may have been renamed or deleted; <a href="/studio/">the overview</a> leads to all that there is.</p>
    </Page>
  );
}
