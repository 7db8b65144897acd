package api

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// canvasCache keeps the canvases of the drafts that are worked on: each edit needs
// that of the draft as it was, which the edit before it has made.
type canvasCache struct {
	mu   sync.Mutex
	kept []keptCanvas // the last used at the end

	hits, misses int64
}

type keptCanvas struct {
	of     string
	canvas *template.Canvas
}

const maxCanvases = 16

// canvasOf is the draft compiled for an editor. What is wrong with it is no
// mistake in the request's own path.
func (c *canvasCache) canvasOf(d draft.Draft) (*template.Canvas, error) {
	of := canvasKey(d)
	if found := c.find(of); found != nil {
		return found, nil
	}
	canvas, err := template.ParseCanvas(d.Name, d.Source, d.Assets)
	if err != nil {
		problems := problem.All(err)
		for i, p := range problems {
			wrong := *p
			if p.Code == problem.NotFound {
				wrong.Code = problem.Invalid
			}
			problems[i] = &wrong
		}
		return nil, problems
	}
	c.keep(of, canvas)
	return canvas, nil
}

func canvasKey(d draft.Draft) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %d\n", d.Name, len(d.Source))
	h.Write(d.Source)
	for _, path := range slices.Sorted(maps.Keys(d.Assets)) {
		fmt.Fprintf(h, "%q %s\n", path, d.Assets[path])
	}
	return string(h.Sum(nil))
}

func (c *canvasCache) find(of string) *template.Canvas {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.kept, func(k keptCanvas) bool { return k.of == of })
	if i < 0 {
		c.misses++
		return nil
	}
	c.hits++
	found := c.kept[i]
	c.kept = append(slices.Delete(c.kept, i, i+1), found)
	return found.canvas
}

func (c *canvasCache) keep(of string, canvas *template.Canvas) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= maxCanvases {
		c.kept = slices.Delete(c.kept, 0, 1)
	}
	c.kept = append(c.kept, keptCanvas{of, canvas})
}

func (c *canvasCache) state() CacheState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return CacheState{Name: "canvases of drafts", Entries: len(c.kept), Hits: c.hits, Misses: c.misses}
}
