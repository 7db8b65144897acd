package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/flight"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template"
)

// now is what is drawn at this moment, for callers and for turns. A picture that
// both want is drawn once, whoever began.
type now struct {
	asked    flight.Group[api.Drawn] // by fingerprint, until they are recorded
	pictures flight.Group[picture]   // by fingerprint, until they are drawn
	lately   lately
}

// of is the compiled document of a spec: a version of a template, or what was
// drawn without being one.
func (l *templates) of(ctx context.Context, spec bindings.Spec) (*template.Template, error) {
	if spec.Document == nil {
		return l.at(ctx, spec.Template, spec.Version)
	}
	return l.document(spec.Document)
}

// document compiles doc, or finds it compiled.
func (l *templates) document(doc *bindings.Document) (*template.Template, error) {
	digest := sha256.Sum256(fmt.Appendf(nil, "%d %d %q %q", doc.Width, doc.Height, doc.Assets, doc.Source))
	id := "document " + hex.EncodeToString(digest[:])
	l.mu.Lock()
	t, ok := l.compiled[id]
	l.mu.Unlock()
	if ok {
		return t, nil
	}
	t, err := template.ParseDocument([]byte(doc.Source), doc.Assets, doc.Width, doc.Height)
	if err == nil {
		l.keep(id, t)
	}
	return t, err
}

// An easel draws for callers who wait; the api has it.
type easel struct{ daemon *Daemon }

// Epoch is that of fingerprints.
func (e easel) Epoch(ctx context.Context) (int64, error) { return e.daemon.store.Epoch(ctx) }

// Compile compiles a document that is no version of a template.
func (e easel) Compile(_ context.Context, doc *bindings.Document) (bindings.Template, error) {
	return e.daemon.templates.document(doc)
}

// Draw finds the picture of w or makes it, and keeps it durably. Those who want
// the same at the same time share it, turns of batches among them.
func (e easel) Draw(ctx context.Context, w bindings.Want, may func() error) (api.Drawn, error) {
	d := e.daemon
	drawn, led, err := d.now.asked.Do(ctx, w.Fingerprint, func(ctx context.Context) (api.Drawn, error) {
		return d.findOrDraw(ctx, w, may)
	})
	var refused *refusal
	if !led && errors.As(err, &refused) && ctx.Err() == nil {
		return e.Draw(ctx, w, may) // another caller may no more; this one may
	}
	if refused != nil {
		err = refused.err
	}
	return drawn, err
}

// A refusal is that the caller who leads may have no picture drawn.
type refusal struct{ err error }

func (e *refusal) Error() string { return e.err.Error() }
func (e *refusal) Unwrap() error { return e.err }

func (d *Daemon) findOrDraw(ctx context.Context, w bindings.Want, may func() error) (api.Drawn, error) {
	made, ok, err := d.made(ctx, w.Fingerprint)
	if err != nil {
		return api.Drawn{}, err
	}
	if ok {
		return drawnOf(made, true), nil
	}
	if may != nil {
		if err := may(); err != nil {
			return api.Drawn{}, &refusal{err}
		}
	}
	done, err := d.drawNow(ctx, w)
	if err != nil {
		return api.Drawn{}, err
	}
	if err := d.store.RecordMade(ctx, w.Spec, done); err != nil {
		d.faults.note(d.log, "store", "renders", err)
		return api.Drawn{}, err
	}
	d.crash("asked.recorded")
	return drawnOf(store.Made{Rendered: done, At: time.Now().UTC()}, false), nil
}

// made is how a render ended, if its bytes are still there.
func (d *Daemon) made(ctx context.Context, fingerprint string) (m store.Made, ok bool, err error) {
	if m, ok, err = d.store.Made(ctx, fingerprint); err != nil || !ok || m.Problem != nil {
		return m, ok, err
	}
	file, _, err := d.blobs.Open(ctx, m.Hash)
	if err == nil && m.Marked {
		ok, err := d.store.KeepUsed(ctx, fingerprint, m.Hash)
		return m, ok, errors.Join(err, file.Close())
	}
	if err == nil {
		return m, true, file.Close()
	}
	if problem.CodeOf(err) != problem.NotFound {
		return m, false, err
	}
	_, err = d.store.Remake(ctx, m.Hash) // whoever comes first, we or a turn
	return m, false, err
}

// drawNow makes the picture and keeps its bytes.
func (d *Daemon) drawNow(ctx context.Context, w bindings.Want) (store.Rendered, error) {
	claim := store.Claim{Fingerprint: w.Fingerprint, Spec: w.Spec, Owner: store.AskerOwner, Attempt: 1}
	s, err := d.sheet(ctx, claim)
	if err != nil && machineFault(err) {
		return store.Rendered{}, err
	}
	done, bytes := d.shared(ctx, prepared{claim: claim, sheet: s, err: err})
	if done.Retry != nil {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		return done, retry.After(problem.New(problem.Overloaded, "the picture could not be made now: %w", done.Retry).WithSlug("render_failed").
			WithHint("ask again"), max(done.After, time.Second))
	}
	if bytes == nil {
		return done, nil
	}
	hashes, err := d.blobs.PutMany(ctx, [][]byte{bytes})
	d.faults.note(d.log, "folder", "images", err)
	if err != nil {
		d.now.lately.forget(done.Fingerprint)
		return done, err
	}
	done.Hash = hashes[0]
	d.now.lately.put(done, nil, false)
	return done, nil
}

// shared is picture, or that of whoever draws the same just now.
func (d *Daemon) shared(ctx context.Context, p prepared) (store.Rendered, []byte) {
	turn := p.claim.Owner != store.AskerOwner
	// Neither found anything made, when it claimed or asked; the other may have since.
	if got, ok := d.drawnLately(ctx, p.claim.Fingerprint, !turn); ok {
		return got.done, got.bytes
	}
	got, led, err := d.now.pictures.Do(ctx, p.claim.Fingerprint, func(ctx context.Context) (picture, error) {
		done, bytes := d.picture(ctx, p)
		d.now.lately.put(done, bytes, turn)
		return picture{done: done, bytes: bytes}, nil
	})
	if err != nil || !led && (got.done.Problem != nil || got.done.Retry != nil) {
		return d.picture(ctx, p) // how a failure goes on is a matter of who asked
	}
	if !led && got.bytes != nil {
		if size, ok := d.keeps(ctx, p.claim, got.bytes); ok {
			got.done.Hash, got.done.Bytes, got.bytes = p.claim.Before, size, nil
		}
	}
	return got.done, got.bytes
}

func drawnOf(m store.Made, cached bool) api.Drawn {
	return api.Drawn{
		Hash: m.Hash, Ext: m.Ext, Bytes: m.Bytes, Width: m.Width, Height: m.Height, Duration: m.Duration,
		Fitting: m.Fitting, Problem: m.Problem, At: m.At, Cached: cached,
	}
}
