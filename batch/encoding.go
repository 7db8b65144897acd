package batch

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// encodingField says what each field of an encoding means, in the words of
// bindings.Encoding.
var encodingField = map[string]string{
	"format": "format", "fileExtension": "format",
	"quality": "quality",
	"scale":   "scale", "deviceScaleFactor": "scale",
	"transparent": "transparent",
	"compression": "compression",
	"maxBytes":    "max_bytes",
	"animated":    "animated",
	"fps":         "fps",
	"duration":    "duration",
	"loops":       "loops",
	"paper":       "paper", "preset": "paper",
	"landscape": "landscape",
	"margin":    "margin", "margins": "margin",
	"title": "title",
}

// readers read the fields of an encoding by meaning.
var readers = map[string]func(path string, value json.RawMessage, e *bindings.Encoding) problem.List{
	"format":      func(p string, v json.RawMessage, e *bindings.Encoding) problem.List { return text(p, v, &e.Format) },
	"quality":     readQuality,
	"scale":       readScale,
	"transparent": func(p string, v json.RawMessage, e *bindings.Encoding) problem.List { return yes(p, v, &e.Transparent) },
	"compression": func(p string, v json.RawMessage, e *bindings.Encoding) problem.List {
		return text(p, v, &e.Compression)
	},
	"max_bytes": readMaxBytes,
	"animated":  func(p string, v json.RawMessage, e *bindings.Encoding) problem.List { return yes(p, v, &e.Animated) },
	"fps":       func(p string, v json.RawMessage, e *bindings.Encoding) problem.List { return whole(p, v, &e.FPS) },
	"duration":  readDuration,
	"loops":     func(p string, v json.RawMessage, e *bindings.Encoding) problem.List { return whole(p, v, &e.Loops) },
	"paper":     func(p string, v json.RawMessage, e *bindings.Encoding) problem.List { return text(p, v, &e.Paper) },
	"landscape": func(p string, v json.RawMessage, e *bindings.Encoding) problem.List { return yes(p, v, &e.Landscape) },
	"margin":    readMargin,
	"title":     func(p string, v json.RawMessage, e *bindings.Encoding) problem.List { return text(p, v, &e.Title) },
}

// encodingFields are the good fields of an encoding by meaning.
type encodingFields map[string]json.RawMessage

// set takes a field at path. What is not of its type is not taken.
func (f encodingFields) set(meaning, path string, value json.RawMessage) problem.List {
	value = bytes.TrimSpace(value)
	problems := readers[meaning](path, value, &bindings.Encoding{})
	if len(problems) == 0 {
		f[meaning] = value
	}
	return problems
}

// over is the encoding of f, with what it leaves open taken from others as far
// as its format has such. It notes in used which of those it took.
func (f encodingFields) over(others encodingFields, used map[string]bool) bindings.Encoding {
	format := or(wording(f["format"]), wording(others["format"]))
	all := encodingFields{}
	maps.Copy(all, f)
	for meaning, value := range others {
		if _, own := f[meaning]; !own && bindings.Takes(format, meaning) {
			all[meaning] = value
			used[meaning] = true
		}
	}
	var e bindings.Encoding
	for meaning, value := range all {
		_ = readers[meaning](meaning, value, &e) // set has found it good
	}
	return e
}

// readQuality reads hundredths: at most 1 is a fraction, above is percent.
func readQuality(path string, value json.RawMessage, e *bindings.Encoding) problem.List {
	var n json.Number
	if problems := number(path, value, &n); problems != nil {
		return problems
	}
	q, err := n.Float64()
	if err != nil || q <= 0 || q > 100 {
		return problem.List{problem.New(problem.Invalid, "the quality %s is neither a fraction up to 1 nor a percentage up to 100", n).At(path)}
	}
	if q <= 1 {
		q *= 100
	}
	e.Quality = max(1, int(math.Round(q)))
	return nil
}

func readScale(path string, value json.RawMessage, e *bindings.Encoding) problem.List {
	var n json.Number
	if problems := number(path, value, &n); problems != nil {
		return problems
	}
	var err error
	if e.Scale, err = n.Float64(); err != nil || e.Scale == 0 {
		return problem.List{problem.New(problem.Invalid, "the scale %s is not between 1 and 3", n).At(path)}
	}
	return nil
}

func readMaxBytes(path string, value json.RawMessage, e *bindings.Encoding) problem.List {
	var err error
	e.MaxBytes, err = config.ParseBytes(wording(value))
	return placed(path, err)
}

// readDuration reads a text with a unit, or seconds.
func readDuration(path string, value json.RawMessage, e *bindings.Encoding) problem.List {
	if value[0] != '"' {
		var n json.Number
		if problems := number(path, value, &n); problems != nil {
			return problems
		}
		seconds, err := n.Float64()
		if err != nil || seconds < 0 || seconds > 1e6 {
			return problem.List{wants(path, "a number of seconds")}
		}
		e.Duration = config.Duration(math.Round(seconds * float64(time.Second)))
		return nil
	}
	var err error
	e.Duration, err = config.ParseDuration(wording(value))
	return placed(path, err)
}

// readMargin reads lengths as in CSS, a number of pixels, or an object with
// those of some sides.
func readMargin(path string, value json.RawMessage, e *bindings.Encoding) problem.List {
	if value[0] != '{' {
		var err error
		e.Margin, err = bindings.ParseMargin(length(value))
		return placed(path, err)
	}
	var sides map[string]json.RawMessage
	if json.Unmarshal(value, &sides) != nil {
		return problem.List{wants(path, "lengths of sides")}
	}
	var problems problem.List
	places := map[string]int{"top": 0, "right": 1, "bottom": 2, "left": 3}
	for _, side := range sortedKeys(sides) {
		at, known := places[side]
		if !known {
			problems = append(problems, problem.New(problem.Invalid, "a page has no side %q", side).At(path+"."+side).
				WithHint("the sides are top, right, bottom, left"))
			continue
		}
		m, err := bindings.ParseMargin(length(sides[side]))
		problems = append(problems, placed(path+"."+side, err)...)
		e.Margin[at] = m[0]
	}
	return problems
}

// length is a JSON value as a length of CSS: a number is one of pixels.
func length(value json.RawMessage) string {
	if value[0] == '"' {
		return wording(value)
	}
	return string(value) + "px"
}

// wording is a JSON text without its quotes, or a number as it stands.
func wording(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return string(value)
	}
	return s
}

func placed(path string, err error) problem.List {
	if err == nil {
		return nil
	}
	return problem.List{problem.New(problem.Invalid, "the field %w", err).At(path).WithSlug("wrong_type")}
}

func yes(path string, value json.RawMessage, into *bool) problem.List {
	if json.Unmarshal(value, into) != nil {
		return problem.List{wants(path, "true or false")}
	}
	return nil
}

func whole(path string, value json.RawMessage, into *int) problem.List {
	if json.Unmarshal(value, into) != nil {
		return problem.List{wants(path, "a whole number")}
	}
	return nil
}
