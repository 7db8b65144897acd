package httppoll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// maxInARow is how many requests may fail one after the other before a reading
// gives up: then it is not the rows.
const maxInARow = 10

// An origin is the row of another source that a request is for.
type origin struct {
	source, key string
	keep        map[string]any
}

// String names it for a person.
func (o *origin) String() string { return o.source + " " + o.key }

// A visit is the request for one row.
type visit struct {
	origin *origin
	done   chan struct{} // closed when the rest is there

	request *request
	answer  answer
	spill   spill
	err     error
}

// visits counts how the requests ended.
type visits struct{ all, failed, inARow int }

// each reads the answers of one request for each row of another source, in the
// order of those rows. A few are under way at a time.
func (p *pass) each(ctx context.Context) error {
	if p.s.rowsFunc == nil {
		return problem.New(problem.Unsupported, "there are no rows of %q to ask for", p.s.cfg.ForEach)
	}
	asking, cancel := context.WithCancel(ctx)
	queue := make(chan *visit, p.s.cfg.PerHost)
	var listed error
	var under sync.WaitGroup
	under.Go(func() {
		defer close(queue)
		listed = p.s.rowsFunc(asking, p.s.cfg.ForEach, func(key string, values map[string]any) error {
			v := &visit{origin: p.originOf(key, values), done: make(chan struct{})}
			select {
			case queue <- v:
			case <-asking.Done():
				return asking.Err()
			}
			v.request, v.err = p.s.form.fill(map[string]any{rowName: values, runName: connectors.RunValues(p.at)}, env(p.at))
			under.Go(func() { p.s.visit(asking, v) })
			return nil
		})
	})
	err := p.takeAll(asking, queue)
	cancel()
	for v := range queue { // what was under way when the reading died
		<-v.done
		err = errors.Join(err, v.spill.Close())
	}
	under.Wait()
	if err == nil {
		err = listed
	}
	if err != nil {
		return err
	}
	return p.close(ctx)
}

func (p *pass) originOf(key string, values map[string]any) *origin {
	o := &origin{source: p.s.cfg.ForEach, key: key, keep: map[string]any{}}
	for _, column := range p.s.cfg.Keep {
		o.keep[column] = values[column]
	}
	return o
}

// visit sends the request of v. Lists in pages are left to who takes it.
func (s *source) visit(ctx context.Context, v *visit) {
	defer close(v.done)
	if v.err == nil && s.cfg.Pages == nil {
		v.answer, v.err = s.patient(ctx, v.request, &v.spill)
	}
}

// takeAll takes the answers as they stand in line.
func (p *pass) takeAll(ctx context.Context, queue <-chan *visit) error {
	for v := range queue {
		select {
		case <-v.done:
		case <-ctx.Done():
			<-v.done
		}
		err := errors.Join(p.take(ctx, v), v.spill.Close())
		if err != nil {
			return err
		}
	}
	switch n := p.visits; {
	case ctx.Err() != nil:
		return ctx.Err()
	case n.all == 0:
		p.miss(fmt.Sprintf("the source %q has no rows to ask for", p.s.cfg.ForEach))
	case n.failed == n.all:
		return p.firstFailure
	case n.failed > 0:
		p.gap = fmt.Sprintf("%d of %d requests failed, the first: %v", n.failed, n.all, p.firstFailure)
	}
	return nil
}

func (p *pass) take(ctx context.Context, v *visit) error {
	p.visits.all++
	keep, err := json.Marshal(v.origin.keep)
	if err != nil {
		return err
	}
	p.mark(v.origin.key + string(keep))
	failed := p.visits.failed
	err = v.err
	switch {
	case err != nil:
	case p.s.cfg.Pages != nil:
		err = p.walk(ctx, v.request, v.origin)
	default:
		if err = p.move(v); err == nil {
			err = p.add(ctx, sheet{answer: v.answer, row: v.origin, keep: v.origin.keep})
		}
	}
	switch status := statusOf(err); {
	case ctx.Err() != nil:
		return ctx.Err()
	case p.emitErr != nil:
		return err
	case status == http.StatusNotFound || status == http.StatusGone:
		p.mark("none")
	case err != nil:
		return p.fail(v.origin, err)
	case p.visits.failed == failed:
		p.visits.inARow = 0
	}
	return nil
}

// move appends the body of v to those of the reading.
func (p *pass) move(v *visit) error {
	begin := p.spill.size
	_, err := io.Copy(&p.spill, v.spill.reader(v.answer.offset, v.answer.size))
	v.answer.offset = begin
	return err
}

// fail notes that a request failed. What every other one would fail by too is
// an error of the reading.
func (p *pass) fail(o *origin, err error) error {
	err = fmt.Errorf("%s: %w", o, err)
	if p.firstFailure == nil {
		p.firstFailure = err
	}
	p.mark("failed")
	p.visits.failed++
	p.visits.inARow++
	_, asked := retry.Wait(err)
	switch {
	case asked || problem.CodeOf(err) == problem.Unauthorized:
		return err
	case p.visits.inARow >= maxInARow:
		return fmt.Errorf("%d requests in a row failed: %w", maxInARow, err)
	}
	return nil
}
