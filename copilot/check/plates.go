package check

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/pictifyd/pictifyd/copilot/look"
)

// A shooter draws views of one document.
type shooter interface {
	shoot(ctx context.Context, v look.View) (look.Shot, error)
}

// plates are the pictures of one document that were drawn already: each view is
// drawn once. Safe for use by several goroutines.
type plates struct {
	camera look.Camera
	doc    look.Doc

	mu    sync.Mutex
	taken map[string]*plate
}

type plate struct {
	once sync.Once
	shot look.Shot
	err  error
}

func newPlates(cam look.Camera, d look.Doc) *plates {
	return &plates{camera: cam, doc: d, taken: map[string]*plate{}}
}

func (p *plates) shoot(ctx context.Context, v look.View) (look.Shot, error) {
	key, err := json.Marshal(v)
	if err != nil { // a row that is no JSON is none of the daemon's
		return p.camera.Shoot(ctx, p.doc, v)
	}
	p.mu.Lock()
	one := p.taken[string(key)]
	if one == nil {
		one = &plate{}
		p.taken[string(key)] = one
	}
	p.mu.Unlock()
	one.once.Do(func() { one.shot, one.err = p.camera.Shoot(ctx, p.doc, v) })
	return one.shot, one.err
}
