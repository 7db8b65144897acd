package drafttest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// A Ledger is one in memory. Its zero value has no templates.
type Ledger struct {
	mu       sync.Mutex
	versions map[string][]template.Version
	drafts   map[string]draft.Draft
	steps    map[string][]draft.Step
}

var _ draft.Ledger = (*Ledger)(nil)

// Add makes v the newest version of its template and gives it its number.
func (l *Ledger) Add(v template.Version) template.Version {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.versions == nil {
		l.versions = map[string][]template.Version{}
		l.drafts, l.steps = map[string]draft.Draft{}, map[string][]draft.Step{}
	}
	v.Number = int64(len(l.versions[v.Name]) + 1)
	l.versions[v.Name] = append(l.versions[v.Name], v)
	return v
}

// Template is a version; number 0 is the newest.
func (l *Ledger) Template(_ context.Context, name string, number int64) (template.Version, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.version(name, number)
}

func (l *Ledger) version(name string, number int64) (template.Version, error) {
	all := l.versions[name]
	if number == 0 {
		number = int64(len(all))
	}
	if number < 1 || number > int64(len(all)) {
		return template.Version{}, problem.New(problem.NotFound, "there is no template %q", name).WithSlug("template_not_found")
	}
	return all[number-1], nil
}

// Versions are all versions of a template, the newest first.
func (l *Ledger) Versions(name string) []template.Version {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Clone(l.versions[name])
	slices.Reverse(all)
	return all
}

// Draft is the draft of a template.
func (l *Ledger) Draft(_ context.Context, name string) (draft.Draft, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.draft(name)
}

func (l *Ledger) draft(name string) (draft.Draft, error) {
	v, err := l.version(name, 0)
	if err != nil {
		return draft.Draft{}, err
	}
	d, ok := l.drafts[name]
	if !ok {
		d = draft.Draft{Name: name, Revision: v.Number}
	}
	if !d.Open {
		d.Base, d.Source, d.Assets = v.Number, v.Source, v.Assets
	}
	return d, nil
}

// DraftSteps are the steps behind a revision.
func (l *Ledger) DraftSteps(_ context.Context, name string, after int64) ([]draft.Step, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var behind []draft.Step
	for _, s := range l.steps[name] {
		if s.Revision > after {
			behind = append(behind, s)
		}
	}
	return behind, nil
}

// AppendDraft takes a step.
func (l *Ledger) AppendDraft(_ context.Context, name string, ifRevision int64, s draft.Step, source []byte, assets map[string]string) (draft.Draft, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, err := l.draft(name)
	if err != nil {
		return d, err
	}
	if d.Revision != ifRevision {
		return d, problem.New(problem.Conflict, "the draft of %q has revision %d", name, d.Revision).WithSlug(draft.StaleRevision)
	}
	d.Open, d.Source, d.Assets, d.Author = true, source, assets, s.Author
	return l.take(d, s), nil
}

func (l *Ledger) take(d draft.Draft, s draft.Step) draft.Draft {
	d.Revision++
	d.UpdatedAt = time.Date(2026, 3, 1, 12, 0, int(d.Revision), 0, time.UTC)
	s.Revision, s.At = d.Revision, d.UpdatedAt
	l.drafts[d.Name] = d
	l.steps[d.Name] = append(l.steps[d.Name], s)
	return d
}

// DiscardDraft ends the draft.
func (l *Ledger) DiscardDraft(ctx context.Context, name string, ifRevision int64, _ string) (draft.Draft, error) {
	d, err := l.Draft(ctx, name)
	if err != nil || !d.Open {
		return d, err
	}
	if ifRevision != 0 && d.Revision != ifRevision {
		return d, problem.New(problem.Conflict, "the draft of %q has revision %d", name, d.Revision).WithSlug(draft.StaleRevision)
	}
	return l.Close(name, draft.Discards), nil
}

// Close ends the draft by a step of that kind.
func (l *Ledger) Close(name string, kind draft.Kind) draft.Draft {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, _ := l.draft(name)
	d.Open = false
	s := draft.Step{Kind: kind}
	if kind != draft.Publishes {
		s.Touched = []string{draft.Everything}
	}
	l.take(d, s)
	d, _ = l.draft(name)
	return d
}
