// The studio: what people see of pictifyd. It talks to the HTTP API and to
// nothing else.

import { render } from 'preact';
import { ErrorBoundary, LocationProvider, Route, Router } from 'preact-iso';

import { connect } from './api/live.ts';
import { NotFound } from './pages/notfound.tsx';
import { Overview } from './pages/overview.tsx';
import { routes } from './routes.ts';
import { Shell } from './shell/shell.tsx';
import { tell } from './ui/toast.tsx';
import './ui/base.css';
import './ui/controls.css';
import './ui/show.css';
import './ui/lists.css';

function Studio() {
  return (
    <LocationProvider scope={/^\/(studio(\/(?!.*\.)|$)|$)/}>
      <ErrorBoundary onError={tell}>
        <Shell>
          <Router>
            <Route path="/" component={Overview} />
            <Route path="/studio" component={Overview} />
            {routes.map(([path, page]) => <Route key={path} path={path} component={page} />)}
            <Route default component={NotFound} />
          </Router>
        </Shell>
      </ErrorBoundary>
    </LocationProvider>
  );
}

connect();
render(<Studio />, document.getElementById('studio')!);
