package file

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
)

// PathRefused is the slug of a path that a row's values make impossible.
const PathRefused = "path_refused"

// names are what an expression in a path may read.
var names = []string{
	"key", "row", "binding", "generation", "event",
	"output", "url", "hash", "ext", "format", "width", "height",
}

// maxSegment is the longest name of a file on common filesystems.
const maxSegment = 255

// A path is a parsed Config.Path.
type path struct {
	folder string // before the first expression, up to its last slash
	rest   *expr.Interpolation
}

func parsePath(text string) (path, *problem.Error) {
	static, _, found := strings.Cut(text, "{{")
	if !found {
		return path{}, problem.New(problem.Invalid, "is the same for every row").
			WithHint(`write it with the key: "out/{{ key }}-{{ output }}.{{ ext }}"`)
	}
	if strings.ContainsRune(text, 0) {
		return path{}, problem.New(problem.Invalid, "contains a NUL")
	}
	cut := strings.LastIndexByte(static, '/') + 1
	rest, err := expr.ParseInterpolation(text[cut:], expr.Options{Names: names})
	if err != nil {
		var p *problem.Error
		errors.As(err, &p)
		return path{}, p
	}
	p := path{folder: filepath.Clean(static[:cut]), rest: rest}
	return p, p.check()
}

// check refuses what would put all rows into one file, or climb out of the folder.
func (p path) check() *problem.Error {
	if !p.rest.Reads("key", "row", "hash", "url") {
		return problem.New(problem.Invalid, "is the same for every row").WithHint("put {{ key }} into it")
	}
	if err := checkSegments(p.rest.Sketch("x")); err != nil {
		return problem.New(problem.Invalid, "%w", err)
	}
	return nil
}

// of is the path of one picture, relative to the folder.
func (p path) of(d sink.Delivery, o sink.Output) (string, error) {
	values := map[string]any{
		"key": d.Key, "row": d.Row, "binding": d.Binding, "generation": d.Generation, "event": d.Event,
		"output": o.Name, "url": o.URL, "hash": o.Hash, "ext": o.Ext, "format": o.Format,
		"width": o.Width, "height": o.Height,
	}
	text, err := p.rest.Fill(values, expr.Env{Now: d.Time}, encode)
	if err != nil {
		var p *problem.Error
		errors.As(err, &p)
		return "", retry.Permanent(p.WithSlug(PathRefused))
	}
	if err := checkSegments(text); err != nil {
		return "", refused("%w", err)
	}
	return text, nil
}

// encode makes a value one part of one name. Percent is encoded too, so that two
// values never become the same name.
func encode(value string) string {
	var b strings.Builder
	for i := range len(value) {
		switch c := value[i]; {
		case c < 0x20, c == 0x7f, c == '/', c == '\\', c == '%':
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func checkSegments(path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return fmt.Errorf("%.200q is not a path below the folder", path)
		case len(segment) > maxSegment:
			return fmt.Errorf("the name %.40q… is longer than %d bytes", segment, maxSegment)
		}
	}
	return nil
}
