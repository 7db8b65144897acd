package bindings

import "time"

// An ImageFilter leaves out images. Its zero value leaves out none.
type ImageFilter struct {
	Owner    Owner
	Key      string // canonical
	Template string
	Format   string
	Size     string
	Warning  string // a code, or AnyWarning

	Since, Until time.Time // of the rendering; Until itself is left out

	Templates []string    // only pictures of these; none is all
	Behind    *ImagePlace // only those that come behind it
}

// AnyWarning is the filter for images with a warning, whichever.
const AnyWarning = "any"

// ByRender reports whether f asks for what only the render of an image knows.
func (f ImageFilter) ByRender() bool {
	return f.Template != "" || f.Size != "" || f.Warning != "" || len(f.Templates) > 0
}

// An ImagePlace is where an image stands in the list of all, newest first.
type ImagePlace struct {
	RenderedAt time.Time
	Owner      Owner
	Index      int64
	Key        string
	Output     string
}

// A Shown is an image with the render that gave its bytes.
type Shown struct {
	Image

	Index int64   // of the row of a job
	Made  *Making // nil: it is kept no longer
}

// Place is where s stands in the list of all.
func (s Shown) Place() ImagePlace {
	return ImagePlace{s.RenderedAt, s.Owner, s.Index, s.Key, s.Output}
}

// Warnings are those of the picture that is shown.
func (s Shown) Warnings() []Warning {
	if s.Made == nil {
		return nil
	}
	return s.Made.Fitting.Warnings(s.Output)
}

// A Making is how a picture was made.
type Making struct {
	Fingerprint string
	Spec        Spec
	Bytes       int64
	Duration    time.Duration // in the engine
	Lane        string        // the way that it took there
	Attempts    int64
	State       string // done, or of one that is made again: waiting, resting, claimed, failed
	Fitting     Fitting

	WantedAt, EndedAt time.Time
}

// A Past is what an image showed before.
type Past struct {
	Hash       string
	Ext        string
	Width      int
	Height     int
	Generation int64 // 0: nobody knows
	RenderedAt time.Time
	Made       *Making // nil: it is kept no longer
}
