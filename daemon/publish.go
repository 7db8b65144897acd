package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

var _ api.Publisher = (*publisher)(nil)

// A publisher makes drafts and pushed documents versions, writes them to the
// folder, and has the bindings planned again that show them.
type publisher struct {
	store     *store.Store
	templates *templates
	changed   func(names []string) // hears of templates that have a new version
	forecast  func(ctx context.Context, t *template.Template, version int64) ([]draft.BindingForecast, error)
	crash     func(point string)
}

// PublishDraft makes a draft a version. A file that was saved a moment ago comes
// first: it stands in the way, and so does one that is broken.
func (p *publisher) PublishDraft(ctx context.Context, pub draft.Publication) (draft.Published, error) {
	l := p.templates
	l.door.Lock()
	defer l.door.Unlock()
	file, err := p.settle(ctx, pub.Name)
	if err != nil {
		return draft.Published{}, err
	}
	d, err := p.store.Draft(ctx, pub.Name)
	if err != nil {
		return draft.Published{}, err
	}
	if file != nil && d.Open && file.Digest != pub.Over {
		file.Yours = d.Source
		return draft.Published{}, file
	}
	form, err := compileVersion(d.Name, d.Source, d.Assets)
	if err != nil {
		return draft.Published{}, err
	}
	v, err := p.store.PublishDraft(ctx, pub.Name, pub.Revision, form.Digest(), pub.Over, pub.Author)
	if err != nil {
		return draft.Published{}, p.inTheWay(ctx, d.Name, d.Source, err)
	}
	return p.published(ctx, v, d.Open && v.Number > d.Base)
}

// PublishPush makes a whole document a version.
func (p *publisher) PublishPush(ctx context.Context, push draft.Push) (draft.Published, error) {
	l := p.templates
	l.door.Lock()
	defer l.door.Unlock()
	file, err := p.settle(ctx, push.Name)
	if err != nil {
		return draft.Published{}, err
	}
	if file != nil {
		file.Yours = push.Source
		return draft.Published{}, file
	}
	digests, err := p.keepAssets(ctx, push)
	if err != nil {
		return draft.Published{}, err
	}
	form, err := compileVersion(push.Name, push.Source, digests)
	if err != nil {
		return draft.Published{}, err
	}
	v, err := p.store.ReplaceTemplate(ctx, template.Version{
		Name: push.Name, Digest: form.Digest(), Source: push.Source, Assets: digests, Author: push.Author,
	}, push.IfNumber)
	if err != nil {
		return draft.Published{}, p.inTheWay(ctx, push.Name, push.Source, err)
	}
	return p.published(ctx, v, v.Number > push.IfNumber)
}

// settle takes in the file of a template, if somebody has saved it since the
// folder was read. A file that is broken is returned as what stands in the way.
func (p *publisher) settle(ctx context.Context, name string) (*draft.VersionError, error) {
	l := p.templates
	isNew, err := l.takeFile(ctx, name)
	if isNew {
		p.changed([]string{name})
	}
	if err == nil {
		return nil, nil
	}
	f, broken := l.readFile(name)
	switch code := problem.CodeOf(err); {
	case len(f.source) == 0 && problem.CodeOf(broken) == problem.NotFound: // there is no file, and need not be one
		return nil, nil
	case len(f.source) == 0, code == problem.Internal, code == problem.Surroundings:
		return nil, err
	}
	why := problem.New(problem.Conflict, "the file %s.html in the templates folder is broken: %w", name, err).
		WithSlug(draft.VersionMoved).WithHint("repair the file, or publish over it")
	return &draft.VersionError{Theirs: f.source, Digest: f.digest, Why: why}, nil
}

// keepAssets are the digests of a push's assets, which are kept.
func (p *publisher) keepAssets(ctx context.Context, push draft.Push) (map[string]string, error) {
	if push.Assets == nil {
		v, err := p.store.Template(ctx, push.Name, 0)
		if problem.CodeOf(err) == problem.NotFound {
			return nil, nil
		}
		return v.Assets, err
	}
	digests := make(map[string]string, len(push.Assets))
	for _, path := range slices.Sorted(maps.Keys(push.Assets)) {
		digest, err := p.templates.assets.Put(ctx, push.Assets[path], "")
		if err != nil {
			return nil, within(err, path)
		}
		digests[path] = digest
	}
	return digests, nil
}

// within says to which of several files a problem belongs.
func within(err error, path string) error {
	var p *problem.Error
	if !errors.As(err, &p) || p.Path != "" {
		return fmt.Errorf("keep %s: %w", path, err)
	}
	placed := *p
	placed.Path = path
	return &placed
}

// inTheWay adds to the problem that a version came in between what both say.
func (p *publisher) inTheWay(ctx context.Context, name string, yours []byte, err error) error {
	var moved *problem.Error
	if !errors.As(err, &moved) || moved.Slug != draft.VersionMoved {
		return err
	}
	newest, readErr := p.store.Template(ctx, name, 0)
	if problem.CodeOf(readErr) == problem.NotFound { // a version was named, and there is none
		return err
	}
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	return &draft.VersionError{Theirs: newest.Source, Yours: yours, Number: newest.Number, Digest: newest.Digest, Why: moved}
}

// published writes a version to the folder and has it planned. It is a version
// whatever becomes of that: the folder is brought up to date later as well, and
// so are the bindings.
func (p *publisher) published(ctx context.Context, v template.Version, changed bool) (draft.Published, error) {
	p.crash("template.published")
	out := draft.Published{Version: v, Changed: changed}
	if !changed {
		return out, nil
	}
	l := p.templates
	ctx = context.WithoutCancel(ctx)
	if l.write {
		out.File = l.writeFile(ctx, v)
		l.faults.note(l.log, "template file", v.Name, out.File)
	}
	p.changed([]string{v.Name})
	return out, nil
}

// Forecast counts what publishing the draft would do, in pages of stored rows.
func (p *publisher) Forecast(ctx context.Context, name string) (draft.Forecast, error) {
	d, err := p.store.Draft(ctx, name)
	if err != nil {
		return draft.Forecast{}, err
	}
	form, err := compileDraft(d.Name, d.Source, d.Assets)
	if err != nil {
		return draft.Forecast{}, err
	}
	f := draft.Forecast{Revision: d.Revision, Base: d.Base}
	f.Bindings, err = p.forecast(ctx, form, d.Base+1)
	return f, err
}

// compileVersion is a document that lint allows to be a version.
func compileVersion(name string, src []byte, assets map[string]string) (*template.Template, error) {
	t, err := compileDraft(name, src, assets)
	if err != nil {
		return nil, err
	}
	return t, template.ErrFindings(template.Lint(name, src, assets, nil))
}

// compileDraft is a document as a version would have it. What is wrong with it is
// wrong in the request.
func compileDraft(name string, src []byte, assets map[string]string) (*template.Template, error) {
	if strings.IndexByte(string(src), 0) >= 0 {
		return nil, problem.New(problem.Invalid, "the document has a NUL character")
	}
	t, err := template.Parse(name, src, assets)
	if err == nil {
		return t, nil
	}
	return nil, asRequest(err)
}

// asRequest makes what is wrong with a document wrong in the request.
func asRequest(err error) error {
	problems := problem.All(err)
	for i, p := range problems {
		wrong := *p
		if p.Code != problem.Internal {
			wrong.Code = problem.Invalid
		}
		problems[i] = &wrong
	}
	return problems
}

// checkDraft says what keeps a document from being a version, and of expressions
// in which place of which node.
func checkDraft(name string, src []byte, assets map[string]string) error {
	_, err := compileDraft(name, src, assets)
	if err == nil {
		return nil
	}
	if _, located := template.ParseCanvas(name, src, assets); located != nil {
		return asRequest(located)
	}
	return err
}
