package daemon

import (
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/render"
)

// encode has r encoded as e says.
func encode(r *render.Request, e bindings.Encoding) {
	e = e.Canonical()
	r.Format, r.Quality, r.MaxBytes = render.Format(e.Format), e.Quality, int64(e.MaxBytes)
	if r.Format == render.PDF {
		r.Print = render.Print{Paper: e.Paper, Landscape: e.Landscape, Margins: e.Margin, Title: e.Title}
		return
	}
	r.Scale, r.Transparent, r.Compression = e.Scale, e.Transparent, render.Compression(e.Compression)
	if e.Animated {
		r.Motion = render.Motion{FPS: e.FPS, Duration: e.Duration.Std(), Loops: e.Loops}
	}
}
