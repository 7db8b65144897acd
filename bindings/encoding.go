package bindings

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/paper"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Encoding is how a page becomes a file. What is zero is the format's
// default. Only the formats of an option may have it; a quality may stand
// anywhere, and counts where the format loses something.
type Encoding struct {
	Format  string `yaml:"format" json:"format"`             // png, jpeg (jpg), webp, gif or pdf; default: png
	Quality int    `yaml:"quality" json:"quality,omitempty"` // 1 to 100, for jpeg and webp; 0 is DefaultQuality

	Scale       float64      `yaml:"scale" json:"scale,omitempty"`             // pixels per CSS pixel, 1 to 3; 0 is 1
	Transparent bool         `yaml:"transparent" json:"transparent,omitempty"` // what the page does not paint stays clear; otherwise it is white
	Compression string       `yaml:"compression" json:"compression,omitempty"` // of a PNG: fast, small or palette; empty is fast
	MaxBytes    config.Bytes `yaml:"max_bytes" json:"max_bytes,omitempty"`     // quality is given up to stay within it; 0 is no limit

	Animated bool            `yaml:"animated" json:"animated,omitempty"` // a WebP that moves; a GIF always does
	FPS      int             `yaml:"fps" json:"fps,omitempty"`           // frames a second, 1 to 50; 0 is DefaultFPS
	Duration config.Duration `yaml:"duration" json:"duration,omitempty"` // of one round, at most 30s; 0 is as long as the page's animations
	Loops    int             `yaml:"loops" json:"loops,omitempty"`       // rounds; 0 is for ever

	Paper     string `yaml:"paper" json:"paper,omitempty"`         // of a PDF: a4, letter, …; empty is the page's own size
	Landscape bool   `yaml:"landscape" json:"landscape,omitempty"` // the paper lies on its side
	Margin    Margin `yaml:"margin" json:"margin,omitzero"`        // of the paper: "10mm"
	Title     string `yaml:"title" json:"title,omitempty"`         // in the properties of a PDF; empty is the document's own
}

// Defaults of encodings that name none.
const (
	DefaultQuality = 85 // of a JPEG or WebP picture
	DefaultFPS     = 15 // of a moving picture
)

// The formats.
const (
	png  = "png"
	jpeg = "jpeg"
	webp = "webp"
	gif  = "gif"
	pdf  = "pdf"
)

// formats are the words for a format, each with the one that is used inside.
var formats = map[string]string{png: png, jpeg: jpeg, "jpg": jpeg, webp: webp, gif: gif, pdf: pdf}

// formatNames are the formats for people.
var formatNames = []string{png, jpeg, webp, gif, pdf}

// compressions are the ways to write a PNG.
var compressions = []string{fast, "small", "palette"}

const fast = "fast"

// The limits of encodings.
const (
	maxScale    = 3
	maxFPS      = 50
	maxDuration = config.Duration(30 * time.Second)
	maxFrames   = 300
	maxLoops    = 65535
	minBudget   = config.Bytes(1000)
	maxTitle    = 250
)

// An option is what only some formats have. text is its value, "" where it is
// the default.
type option struct {
	name    string
	formats []string
	text    func(e Encoding) string
}

var (
	rasters = []string{png, jpeg, webp, gif}
	moving  = []string{webp, gif}
)

// options are in the order in which they are hashed.
var options = []option{
	{"scale", rasters, func(e Encoding) string { return e.scale() }},
	{"transparent", []string{png, webp, gif}, func(e Encoding) string { return flag(e.Transparent) }},
	{"compression", []string{png}, func(e Encoding) string { return e.Compression }},
	{"max_bytes", rasters, func(e Encoding) string { return whole(e.MaxBytes) }},
	{"animated", moving, func(e Encoding) string { return flag(e.Animated) }},
	{"fps", moving, func(e Encoding) string { return whole(e.FPS) }},
	{"duration", moving, func(e Encoding) string { return whole(e.Duration) }},
	{"loops", moving, func(e Encoding) string { return whole(e.Loops) }},
	{"paper", []string{pdf}, func(e Encoding) string { return e.Paper }},
	{"landscape", []string{pdf}, func(e Encoding) string { return flag(e.Landscape) }},
	{"margin", []string{pdf}, func(e Encoding) string { return e.margin() }},
	{"title", []string{pdf}, func(e Encoding) string { return e.Title }},
}

func (e Encoding) scale() string {
	if e.Scale == 0 {
		return ""
	}
	return strconv.FormatFloat(e.Scale, 'g', -1, 64)
}

func (e Encoding) margin() string {
	if e.Margin == (Margin{}) {
		return ""
	}
	return e.Margin.String()
}

func whole[T ~int | ~int64](n T) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

func flag(set bool) string {
	if !set {
		return ""
	}
	return "true"
}

// FormatsOf is which formats have an option of that name, as it is spelled in
// YAML; nil when any may have it.
func FormatsOf(name string) []string {
	for _, o := range options {
		if o.name == name {
			return o.formats
		}
	}
	return nil
}

// Takes reports whether a format, by name or extension, may have that option.
func Takes(format, name string) bool {
	formats := FormatsOf(name)
	return formats == nil || slices.Contains(formats, canonicalFormat(format))
}

// canonicalFormat is the one word for a format.
func canonicalFormat(word string) string {
	if word == "" {
		return png
	}
	return cmp.Or(formats[word], word)
}

// Canonical is one spelling for all encodings that give the same file, with
// the defaults that a file depends on written out.
func (e Encoding) Canonical() Encoding {
	e.Format = canonicalFormat(e.Format)
	switch {
	case e.Format != jpeg && e.Format != webp:
		e.Quality = 0
	case e.Quality == 0:
		e.Quality = DefaultQuality
	}
	if e.Scale == 1 {
		e.Scale = 0
	}
	if e.Compression == fast {
		e.Compression = ""
	}
	e.Paper = strings.ToLower(e.Paper)
	if e.Animated = e.moves(); e.Animated {
		e.FPS = cmp.Or(e.FPS, DefaultFPS)
	}
	return e
}

// moves reports whether e is a moving picture: one that says how it moves, does.
func (e Encoding) moves() bool {
	says := e.Animated || e.FPS != 0 || e.Duration != 0 || e.Loops != 0
	return e.Format == gif || e.Format == webp && says
}

// family is what encodings must share to be made of one loaded page: they are
// stills of one scale, or moving pictures of it, or printed.
func (e Encoding) family() string {
	switch e = e.Canonical(); {
	case e.Format == pdf:
		return "print"
	case e.Animated:
		return "motion" + e.scale()
	}
	return "still" + e.scale()
}

// apart is what sets e apart from the plain encoding of its format and quality,
// names and values in turn: nothing, where nothing does.
func (e Encoding) apart() (texts []string) {
	e = e.Canonical()
	if e == (Encoding{Format: e.Format, Quality: e.Quality}) {
		return nil // as most are, and this is asked for each picture
	}
	for _, o := range options {
		if text := o.text(e); text != "" && slices.Contains(o.formats, e.Format) {
			texts = append(texts, o.name, text)
		}
	}
	return texts
}

// check returns what is wrong with e, with paths that begin with at.
func (e Encoding) check(at string) problem.List {
	c := checker{at: at}
	format, known := formats[canonicalFormat(e.Format)]
	if !known {
		p := problem.New(problem.Invalid, "there is no format %q", e.Format).At(at + "format")
		c.problems = append(c.problems, suggest(p, e.Format, formatNames, "formats"))
	}
	if e.Quality < 0 || e.Quality > 100 {
		c.add("quality", "", "the quality %d is not between 1 and 100", e.Quality)
	}
	if known {
		c.misplaced(e, format)
	}
	c.still(e)
	c.motion(e.Canonical())
	c.print(e.Canonical())
	return c.problems
}

// A checker gathers what is wrong with an encoding.
type checker struct {
	at       string
	problems problem.List
}

func (c *checker) add(name, hint, format string, args ...any) {
	c.problems = append(c.problems, problem.New(problem.Invalid, format, args...).At(c.at+name).WithHint("%s", hint))
}

// misplaced finds the options that are of other formats.
func (c *checker) misplaced(e Encoding, format string) {
	if e.Scale == 1 { // whatever a format is, it is not larger
		e.Scale = 0
	}
	for _, o := range options {
		if o.text(e) != "" && !slices.Contains(o.formats, format) {
			c.add(o.name, "it is for "+strings.Join(o.formats, ", "), "the format %s has no option %s", format, o.name)
		}
	}
}

func (c *checker) still(e Encoding) {
	if e.Scale != 0 && !(e.Scale >= 1 && e.Scale <= maxScale) { // NaN is in no range
		c.add("scale", "2 has twice as many pixels in both directions", "the scale %v is not between 1 and %d", e.Scale, maxScale)
	}
	if e.Compression != "" && !slices.Contains(compressions, e.Compression) {
		p := problem.New(problem.Invalid, "there is no compression %q", e.Compression).At(c.at + "compression")
		c.problems = append(c.problems, suggest(p, e.Compression, compressions, "compressions"))
	}
	if e.MaxBytes != 0 && e.MaxBytes < minBudget {
		c.add("max_bytes", "write it with its unit: 200KB", "no picture fits into %d bytes", int64(e.MaxBytes))
	}
}

// motion looks at a canonical encoding, where it has a number of frames a second.
func (c *checker) motion(e Encoding) {
	frames := int(math.Round(float64(e.FPS) * e.Duration.Std().Seconds()))
	switch {
	case e.FPS < 0 || e.FPS > maxFPS:
		c.add("fps", "", "%d frames a second are not between 1 and %d", e.FPS, maxFPS)
	case e.Duration > maxDuration:
		c.add("duration", "", "%s is longer than the %s that a moving picture may take", e.Duration, maxDuration)
	case frames > maxFrames:
		c.add("duration", fmt.Sprintf("make it shorter, or take fewer frames a second: fps: %d", max(1, maxFrames*int64(time.Second)/int64(e.Duration))),
			"%d frames a second for %s are %d frames, and at most %d are made", e.FPS, e.Duration, frames, maxFrames)
	case e.Duration > 0 && e.FPS > 0 && frames < 1:
		c.add("duration", "make it longer", "%s is shorter than one of %d frames a second", e.Duration, e.FPS)
	}
	if e.Loops < 0 || e.Loops > maxLoops {
		c.add("loops", "0 goes on for ever", "%d rounds are not between 1 and %d", e.Loops, maxLoops)
	}
}

func (c *checker) print(e Encoding) {
	size, known := paper.Named(e.Paper)
	if e.Landscape {
		size.Width, size.Height = size.Height, size.Width
	}
	switch {
	case e.Paper != "" && !known:
		p := problem.New(problem.Invalid, "there is no paper %q", e.Paper).At(c.at + "paper")
		c.problems = append(c.problems, suggest(p, e.Paper, paper.Names(), "papers"))
	case known && (e.Margin[0]+e.Margin[2] >= size.Height || e.Margin[1]+e.Margin[3] >= size.Width):
		c.add("margin", "make it smaller", "the margin leaves nothing of the paper, which is %.0f by %.0f pixels", size.Width, size.Height)
	case e.Landscape && e.Paper == "" && e.Format == pdf:
		c.add("landscape", "name the paper, as in paper: a4; without one a page has the template's own size", "there is no paper that could lie on its side")
	}
	if strings.Contains(e.Title, "{{") {
		c.add("title", "for a title of each row, write it into the <title> of the template", "a title holds no expressions")
	} else if n := len([]rune(e.Title)); n > maxTitle || strings.ContainsFunc(e.Title, unicode.IsControl) {
		c.add("title", "", "a title is one line of at most %d characters", maxTitle)
	}
}

// Formats are the words for a format.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// Compressions are the words for how a PNG is written.
func Compressions() []string { return slices.Clone(compressions) }
