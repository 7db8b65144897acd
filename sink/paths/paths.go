package paths

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// Refused is the slug of a path that a row's values make impossible.
const Refused = "path_refused"

// Rules are what the receiver asks of a path.
type Rules struct {
	MaxBytes   int // of the whole path; 0: no limit
	MaxSegment int // bytes between two slashes; 0: no limit
	// FoldCase keeps paths apart also where upper and lower case are the same.
	FoldCase bool
}

// A Path is a text with expressions. It is safe for concurrent use.
type Path struct {
	text  *expr.Interpolation
	rules Rules
}

// Of each output, and of each row. What shows the picture changes with it.
var (
	ofOutput  = []string{"output", "format", "ext"}
	ofPicture = []string{"url", "hash", "width", "height", "latest_url", "latest_path", "variant", "click_url"}
	ofRow     = []string{"key", "keys", "row", "latest_url", "latest_path"}
)

// Parse reads a path, and refuses one that is the same for every row.
func Parse(text string, rules Rules) (*Path, *problem.Error) {
	if strings.IndexFunc(text, unicode.IsControl) >= 0 || !utf8.ValidString(text) {
		return nil, problem.New(problem.Invalid, "contains a control character, or is not UTF-8")
	}
	parsed, err := expr.ParseInterpolation(text, expr.Options{Names: fields.Names()})
	if err != nil {
		return nil, asProblem(err)
	}
	p := &Path{parsed, rules}
	if !parsed.Reads(append([]string{"url", "hash", "outputs"}, ofRow...)...) {
		return nil, problem.New(problem.Invalid, "is the same for every row").WithHint("put {{ key }} into it")
	}
	if err := p.check(parsed.Sketch("x")); err != nil {
		return nil, problem.New(problem.Invalid, "%w", err)
	}
	return p, nil
}

// Stable refuses a path that changes with each picture of a row, or that rows share.
func (p *Path) Stable() *problem.Error {
	for _, name := range []string{"url", "hash", "outputs", "generation", "event", "time", "id"} {
		if p.text.Reads(name) {
			return problem.New(problem.Invalid, "reads %s, so it is another path with each picture", name).
				WithHint(`a stable path is made of the key: "{{ key }}/{{ output }}.{{ ext }}"`)
		}
	}
	if p.Shared() {
		return problem.New(problem.Invalid, "is the same for every row").WithHint("put {{ key }} into it")
	}
	return nil
}

// Shared reports whether rows with the same picture have the same path.
func (p *Path) Shared() bool { return !p.text.Reads(ofRow...) }

// ByContent reports whether other bytes have another path.
func (p *Path) ByContent() bool { return p.text.Reads("hash") }

// Each is the path of each output of d, "" for those that have no picture. The
// error is permanent.
func (p *Path) Each(d sink.Delivery) ([]string, error) {
	each := make([]string, len(d.Outputs))
	owner := make(map[string]sink.Output, len(d.Outputs))
	for i, o := range d.Outputs {
		if d.Event != sink.ImageRemoved && (o.Error != "" || o.Hash == "") {
			continue
		}
		path, err := p.Of(d, o)
		if err != nil {
			return nil, err
		}
		if other, taken := owner[path]; taken && other.Hash != o.Hash {
			return nil, refused(problem.New(problem.Invalid, "outputs %q and %q have the same path %q", other.Name, o.Name, path).
				WithHint("put {{ output }} into the path"))
		}
		owner[path], each[i] = o, path
	}
	return each, nil
}

// Of is the path of one picture. The error is permanent.
func (p *Path) Of(d sink.Delivery, o sink.Output) (string, error) {
	values := fields.OfOutput(d, o)
	if columns, ok := values["keys"].([]any); ok && len(columns) > 1 {
		values["key"] = joined(columns)
	}
	text, err := p.text.Fill(values, expr.Env{Now: d.Time}, p.rules.encode)
	if err != nil {
		return "", refused(asProblem(err))
	}
	if err := p.check(text); err != nil {
		return "", refused(problem.New(problem.Invalid, "%w", err))
	}
	return text, nil
}

// joined is a key of several columns as it stands in a path: as they are, with a
// comma between them that none of them has.
func joined(columns []any) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = strings.NewReplacer("%", "%25", ",", "%2C").Replace(expr.Text(c))
	}
	return strings.Join(texts, ",")
}

// Clash is two outputs of a row that would always have the same path; ok is false
// where there are none, or nobody can know yet.
func (p *Path) Clash(outputs []sink.Output) (first, second string, ok bool) {
	owner := map[string]string{}
	for i, o := range outputs {
		sketch := p.sketch(o, i)
		if other, taken := owner[sketch]; taken {
			return other, o.Name, true
		}
		owner[sketch] = o.Name
	}
	return "", "", false
}

// CheckOutputs is Clash as a problem at the setting of that name.
func (p *Path) CheckOutputs(setting string, outputs []sink.Output) error {
	first, second, clash := p.Clash(outputs)
	if !clash {
		return nil
	}
	return problem.New(problem.Invalid, "its outputs %q and %q have the same %s", first, second, setting).
		WithHint("put {{ output }} into it, or let another sink take one of them")
}

// sketch is the path of an output with what nobody knows yet left open: by a mark
// that is the same for all outputs, or, where it may differ, the output's own.
func (p *Path) sketch(o sink.Output, own int) string {
	n := 0
	return p.text.Replace(func(program *expr.Program) string {
		n++
		reads := func(names []string) bool {
			return slices.ContainsFunc(program.Names(), func(name string) bool { return slices.Contains(names, name) })
		}
		switch {
		case program.UsesAll() || reads(ofPicture):
			return fmt.Sprintf("\x00own %d", own)
		case !reads(ofOutput):
			return fmt.Sprintf("\x00part %d", n)
		case slices.ContainsFunc(program.Names(), func(name string) bool { return !slices.Contains(ofOutput, name) }):
			return fmt.Sprintf("\x00own %d", own)
		}
		value, err := program.Eval(map[string]any{"output": o.Name, "format": o.Format, "ext": o.Ext}, expr.Env{})
		if err != nil {
			return fmt.Sprintf("\x00own %d", own)
		}
		return p.rules.encode(expr.Text(value))
	})
}

func (p *Path) check(path string) error {
	if p.rules.MaxBytes > 0 && len(path) > p.rules.MaxBytes {
		return fmt.Errorf("the path %.40q… is longer than %d bytes", path, p.rules.MaxBytes)
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return fmt.Errorf("%.200q is no path: a part of it is empty, or one or two dots", path)
		case p.rules.MaxSegment > 0 && len(segment) > p.rules.MaxSegment:
			return fmt.Errorf("the name %.40q… is longer than %d bytes", segment, p.rules.MaxSegment)
		}
	}
	return nil
}

func refused(p *problem.Error) error { return retry.Permanent(p.WithSlug(Refused)) }

func asProblem(err error) *problem.Error {
	var p *problem.Error
	if errors.As(err, &p) {
		return p
	}
	return problem.New(problem.Invalid, "%w", err)
}
