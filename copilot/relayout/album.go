package relayout

import (
	"context"
	"sync"

	"github.com/pictifyd/pictifyd/copilot/look"
)

// An album shoots pages of one document in one size once, several at a time.
type album struct {
	cam   look.Camera
	doc   look.Doc
	size  string
	pages int
	rows  []map[string]any

	shots [][]look.Shot // by row and page
}

// atOnce pictures are made at a time.
const atOnce = 4

// open shoots all pages with all rows. A row that cannot be drawn is left out,
// but for the first.
func (a *album) open(ctx context.Context) error {
	if a.shots != nil {
		return nil
	}
	shots, errs := make([][]look.Shot, len(a.rows)), make([]error, len(a.rows))
	var wait sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i, row := range a.rows {
		shots[i] = make([]look.Shot, a.pages)
		for number := range a.pages {
			wait.Add(1)
			turns <- struct{}{}
			go func() {
				defer wait.Done()
				defer func() { <-turns }()
				shot, err := a.cam.Shoot(ctx, a.doc, look.View{Size: a.size, Page: number + 1, Row: row})
				shots[i][number] = shot
				if number == 0 {
					errs[i] = err
				}
			}()
		}
	}
	wait.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errs[0] != nil {
		return errs[0]
	}
	a.shots = shots
	return nil
}
