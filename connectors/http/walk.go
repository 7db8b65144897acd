package httppoll

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
)

// one reads a source of one list.
func (p *pass) one(ctx context.Context) error {
	r, err := p.s.form.fill(map[string]any{runName: connectors.RunValues(p.at)}, env(p.at))
	if err != nil {
		return err
	}
	if p.s.cfg.Pages != nil {
		if err := p.walk(ctx, r, nil); err != nil {
			return err
		}
		return p.close(ctx)
	}
	last := p.last.validator
	if !p.known || time.Since(p.last.Full) > fullEvery {
		last = validator{}
	}
	a, err := p.s.fetch(ctx, r, last, &p.spill)
	if err != nil {
		return err
	}
	if a.notModified {
		return poll.Unchanged(ctx, p.emit, nil)
	}
	p.validator = a.validator
	if err := p.add(ctx, sheet{answer: a}); err != nil {
		return err
	}
	return p.close(ctx)
}

// walk reads the pages of the list that r asks for. What begins with is its
// first page, if that was asked for already.
func (p *pass) walk(ctx context.Context, r *request, from *origin) error {
	pages := p.s.cfg.Pages
	t := newTrail(pages, p.s.cfg.Key, r)
	ask := p.s.fetch1
	if from != nil {
		ask = p.s.patient
	}
	firstRows := ""
	for next := t.first; next != nil; ask = p.s.patient {
		if t.number == pages.maxPages() {
			p.miss(fmt.Sprintf("there are more than %d pages: raise pages.max_pages", t.number))
			return nil
		}
		a, err := ask(ctx, next, &p.spill)
		if err != nil {
			return fmt.Errorf("page %d: %w", t.number+1, err)
		}
		sh := sheet{answer: a, page: t.number + 1, row: from}
		if from != nil {
			sh.keep = from.keep
		}
		page, err := p.s.tally(a, &p.spill)
		if err != nil {
			return p.place(sh, err)
		}
		to, err := t.follow(a, page)
		if err != nil {
			return p.place(sh, err)
		}
		if to.drift != "" && p.drift == "" {
			p.drift = to.drift
		}
		if firstRows == "" {
			firstRows = page.rows
		}
		sh.skip = to.skip
		if err := p.add(ctx, sh); err != nil {
			return err
		}
		next = to.next
	}
	if missing := t.missing(); missing != "" {
		p.miss(missing)
	}
	return p.again(ctx, t, firstRows)
}

// again asks for the first page of a list that may have moved once more: rows
// that come or go before it show there. Two readings that are the same need no
// such proof.
func (p *pass) again(ctx context.Context, t *trail, firstRows string) error {
	if !t.pages.drifting() || t.number == 1 || p.drift != "" || p.same() {
		return nil
	}
	a, err := p.s.patient(ctx, t.first, &p.spill)
	if err != nil {
		return fmt.Errorf("page 1 again: %w", err)
	}
	page, err := p.s.tally(a, &p.spill)
	if err != nil {
		return p.place(sheet{answer: a, page: 1}, err)
	}
	p.spill.cut(a.offset)
	if page.rows != firstRows {
		p.drift = fmt.Sprintf("page 1 changed while the %d pages were read", t.number)
	}
	return nil
}

// miss notes what did not come, the first of it.
func (p *pass) miss(what string) {
	if p.gap == "" {
		p.gap = what
	}
}

// fetch1 is fetch for the first request of a reading: when it fails the reading
// does, and is begun again by whoever began it.
func (s *source) fetch1(ctx context.Context, r *request, into *spill) (answer, error) {
	return s.fetch(ctx, r, validator{}, into)
}

func revealed(secrets map[string]config.Secret) map[string]string {
	texts := make(map[string]string, len(secrets))
	for name := range maps.Keys(secrets) {
		texts[name] = secrets[name].Reveal()
	}
	return texts
}
