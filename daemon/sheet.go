package daemon

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/layout"
)

// fittingLimit is of how many texts and images of one picture the store keeps
// something.
const fittingLimit = 100

// A sheet is a claim's page with the row's values in it. Files that can't be
// had or shown it does without, where the template names what to show instead.
type sheet struct {
	claim   store.Claim
	page    *template.Page
	failed  map[string]string // reason by the path of the file
	request render.Request
	shown   []store.Shown // remote files of the request
	instead []template.Instead
	remote  []template.Remote

	boxes, dry bool // of the request
}

// sheet fills the page of a claim and fetches what it refers to.
func (d *Daemon) sheet(ctx context.Context, c store.Claim) (*sheet, error) {
	t, err := d.templates.of(ctx, c.Spec)
	switch {
	case err != nil && machineFault(err):
		return nil, err
	case err != nil:
		return nil, retry.Permanent(err)
	}
	page, err := t.Page(template.View{Size: c.Spec.Size, Theme: c.Spec.Theme, Page: c.Spec.Number})
	if err != nil {
		return nil, retry.Permanent(err)
	}
	if page.Digest != c.Spec.Page {
		return nil, retry.Permanent(problem.New(problem.Conflict, "the picture was planned by another version of pictifyd").
			WithHint("refresh its binding, or send its batch again: that plans it anew"))
	}
	s := &sheet{claim: c, page: page, failed: map[string]string{}}
	return s, d.fill(ctx, s)
}

// fill makes the request of s. Each file that fails and that the page can do
// without makes another one, until all that are left are there.
func (d *Daemon) fill(ctx context.Context, s *sheet) error {
	for {
		filled := s.filled()
		s.take(filled)
		again := false
		for _, remote := range filled.Remote {
			pin, err := d.fetch(ctx, remote, s.claim)
			switch {
			case err == nil:
				s.request.Assets = append(s.request.Assets, render.Asset{Path: remote.Path, Digest: pin.Digest})
				s.shown = append(s.shown, store.Shown{Address: pin.Address, Digest: pin.Digest})
			case machineFault(err):
				return err
			case remote.Optional && !triesAgain(s.claim, err):
				s.failed[remote.Path] = assets.Reason(err)
				again = true
			default:
				return &assetError{variable: remote.Var, err: err}
			}
		}
		if !again {
			return nil
		}
	}
}

// filled is the page with the row's values, and behind it those of further rows.
func (s *sheet) filled() template.Document {
	doc := s.page.FillWithout(s.claim.Spec.Values, s.failed)
	for _, values := range s.claim.Spec.More {
		next := s.page.FillWithout(values, s.failed)
		doc.Sheets = append(append(doc.Sheets, template.Sheet{HTML: next.HTML, Width: next.Width, Height: next.Height}), next.Sheets...)
		doc.Assets = addNew(doc.Assets, next.Assets, func(a template.Asset) string { return a.Path })
		doc.Remote = addNew(doc.Remote, next.Remote, func(r template.Remote) string { return r.Path })
		doc.Instead = append(doc.Instead, next.Instead...)
	}
	return doc
}

// addNew is all with those of more whose path is not in it.
func addNew[T any](all, more []T, path func(T) string) []T {
	for _, one := range more {
		if !slices.ContainsFunc(all, func(other T) bool { return path(other) == path(one) }) {
			all = append(all, one)
		}
	}
	return all
}

func (s *sheet) take(filled template.Document) {
	spec := s.claim.Spec
	s.instead, s.remote, s.shown = filled.Instead, filled.Remote, nil
	s.request = render.Request{
		Page: s.page.Digest, HTML: filled.HTML, Width: filled.Width, Height: filled.Height,
		Urgent: s.claim.Owner == store.AskerOwner, Boxes: s.boxes, Dry: s.dry,
	}
	encode(&s.request, spec.Encoding)
	if s.page.Layout {
		s.request.Layout = layout.Script
	}
	for _, other := range filled.Sheets {
		s.request.Sheets = append(s.request.Sheets, render.Sheet(other))
	}
	for _, a := range filled.Assets {
		s.request.Assets = append(s.request.Assets, render.Asset{Path: a.Path, Digest: a.Digest})
	}
}

func (d *Daemon) fetch(ctx context.Context, remote template.Remote, c store.Claim) (assets.Pin, error) {
	if !d.settings.Render.AllowsRemote() {
		return assets.Pin{}, errRemoteOff
	}
	now := time.Now()
	scope := assetScope(c, now)
	pin, err := d.assets.Fetch(ctx, remote.URL, scope)
	every := d.recheckOf(c.Owner)
	if err != nil || every == 0 || now.Sub(pin.CheckedAt) < every {
		return pin, err
	}
	if now, err := d.assets.Recheck(ctx, remote.URL, scope); err == nil {
		return now, nil
	}
	return pin, nil // shown as it was, until it can be had again
}

// render draws s. What the browser can't show, the page does without where it
// can.
func (d *Daemon) render(ctx context.Context, s *sheet) (render.Output, error) {
	for {
		out, err := d.renderer.Render(ctx, s.request)
		var asset *render.AssetError
		if err == nil || !errors.As(err, &asset) {
			return out, err
		}
		if !s.dispense(asset.Paths) {
			return out, s.blame(err, asset.Paths)
		}
		if err := d.fill(ctx, s); err != nil {
			return render.Output{}, err
		}
	}
}

// blame is err in the words of the row: the first of the paths that a variable
// named, as it named it.
func (s *sheet) blame(err error, paths []string) error {
	for _, remote := range s.remote {
		if !slices.Contains(paths, remote.Path) || remote.Var == "" {
			continue
		}
		return retry.Permanent(problem.New(problem.Invalid, "the image of %s could not be shown: %s is damaged, or of a kind that Chrome cannot read",
			remote.Var, remote.URL).WithSlug("asset_failed").At("variables." + remote.Var))
	}
	return err
}

// dispense notes files that can't be shown. It reports whether all of them are
// new, and the page can do without each.
func (s *sheet) dispense(paths []string) bool {
	before := len(s.instead)
	for _, path := range paths {
		if s.failed[path] != "" {
			return false
		}
	}
	for _, path := range paths {
		s.failed[path] = assets.Undecodable
	}
	filled := s.filled()
	return len(filled.Instead) >= before+len(paths)
}

// fittingOf is what is kept of how texts came out: nothing of those that are as
// they were set.
func fittingOf(out render.Output, instead []template.Instead) (f bindings.Fitting) {
	for _, l := range out.Layout {
		if (l.Changed || l.Clipped) && len(f.Layers) < fittingLimit {
			f.Layers = append(f.Layers, bindings.LayerFit{Layer: l.Layer, FontPx: l.FontPx, Lines: l.Lines, Clipped: l.Clipped, Cut: l.Cut})
		}
	}
	for _, w := range out.Warnings[:min(len(out.Warnings), fittingLimit)] {
		f.Problems = append(f.Problems, bindings.LayerProblem(w))
	}
	for _, i := range instead[:min(len(instead), fittingLimit)] {
		f.Images = append(f.Images, bindings.ImageFit{Layer: i.Layer, URL: i.URL, Reason: i.Reason, Hidden: i.Hidden})
	}
	return f
}
