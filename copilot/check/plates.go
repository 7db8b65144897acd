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

// plates are the pictures of one document that were drawn last: a view that is
// among them is not drawn again. Safe for use by several goroutines.
type plates struct {
	camera look.Camera
	doc    look.Doc
	names  names

	mu    sync.Mutex
	taken map[string]*plate
	order []string // of taken, the oldest first
}

// mostPlates bounds what is held: a picture of a page has some megabytes.
const mostPlates = 12

type plate struct {
	once sync.Once
	shot look.Shot
	err  error
}

func newPlates(cam look.Camera, d look.Doc) *plates {
	return &plates{camera: cam, doc: d, names: namesOf(d.Source), taken: map[string]*plate{}}
}

func (p *plates) shoot(ctx context.Context, v look.View) (look.Shot, error) {
	key, err := json.Marshal(v)
	if err != nil { // a row that is no JSON is none of the daemon's
		return p.draw(ctx, v)
	}
	p.mu.Lock()
	one := p.taken[string(key)]
	if one == nil {
		one = &plate{}
		p.taken[string(key)] = one
		if p.order = append(p.order, string(key)); len(p.order) > mostPlates {
			delete(p.taken, p.order[0])
			p.order = p.order[1:]
		}
	}
	p.mu.Unlock()
	one.once.Do(func() { one.shot, one.err = p.draw(ctx, v) })
	return one.shot, one.err
}

func (p *plates) draw(ctx context.Context, v look.View) (look.Shot, error) {
	shot, err := p.camera.Shoot(ctx, p.doc, v)
	return p.names.rename(shot), err
}
