package file

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
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
	parts  []part // the rest
}

// A part is a text as it stands, or an expression.
type part struct {
	text    string
	source  string
	program *expr.Program
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
	p := path{folder: filepath.Clean(static[:cut])}
	var err *problem.Error
	if p.parts, err = parseParts(text[cut:]); err != nil {
		return path{}, err
	}
	return p, p.check()
}

// parseParts cuts text at its {{ }}.
func parseParts(text string) ([]part, *problem.Error) {
	var parts []part
	for text != "" {
		static, rest, found := strings.Cut(text, "{{")
		if static != "" {
			parts = append(parts, part{text: static})
		}
		if !found {
			break
		}
		end := endOfExpression(rest)
		if end < 0 {
			return nil, problem.New(problem.Invalid, "{{ is not closed")
		}
		source := strings.TrimSpace(rest[:end])
		program, err := expr.Compile(source, expr.Options{Names: names})
		if err != nil {
			return nil, expressionProblem(source, err)
		}
		parts = append(parts, part{source: source, program: program})
		text = rest[end+len("}}"):]
	}
	return parts, nil
}

// expressionProblem quotes the expression instead of the position in it, which
// counts from the expression's own start.
func expressionProblem(source string, err error) *problem.Error {
	p := problem.New(problem.Invalid, "{{ %s }}: %w", source, err)
	var cause *problem.Error
	if errors.As(err, &cause) {
		p.Message, p.Hint = fmt.Sprintf("{{ %s }}: %s", source, cause.Message), cause.Hint
	}
	return p
}

// endOfExpression is where the }} is that closes the expression at the start of
// text; one in a string does not. It is -1 if there is none.
func endOfExpression(text string) int {
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\' && quote != '`':
			i++
		case c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case strings.HasPrefix(text[i:], "}}"):
			return i
		}
	}
	return -1
}

// check refuses what would put all rows into one file, or climb out of the folder.
func (p path) check() *problem.Error {
	distinct := false
	var static strings.Builder
	for _, part := range p.parts {
		if part.program == nil {
			static.WriteString(part.text)
			continue
		}
		static.WriteString("x")
		distinct = distinct || part.program.UsesAll() || slices.ContainsFunc(part.program.Names(), func(name string) bool {
			return name == "key" || name == "row" || name == "hash" || name == "url"
		})
	}
	if !distinct {
		return problem.New(problem.Invalid, "is the same for every row").WithHint("put {{ key }} into it")
	}
	if err := checkSegments(static.String()); err != nil {
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
	var b strings.Builder
	for _, part := range p.parts {
		if part.program == nil {
			b.WriteString(part.text)
			continue
		}
		v, err := part.program.Eval(values, expr.Env{Now: d.Time})
		if err != nil {
			return "", retry.Permanent(expressionProblem(part.source, err).WithSlug(PathRefused))
		}
		text := expr.Text(v)
		if text == "" {
			return "", refused("{{ %s }} is empty", part.source)
		}
		b.WriteString(encode(text))
	}
	if err := checkSegments(b.String()); err != nil {
		return "", refused("%w", err)
	}
	return b.String(), nil
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
