package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	maxSource = 1 << 20
	maxDepth  = 100

	// With aliases followed, because a few lines of them can stand for billions.
	// The parser's time grows with the square of a mapping: this many take it a second.
	maxValues = 20_000
)

// The slugs of this room's problems.
const (
	slugSyntax    = "syntax"
	slugDuplicate = "duplicate_key"
	slugUnknown   = "unknown_key"
	slugType      = "wrong_type"
	slugBounds    = "out_of_bounds"
	slugVariable  = "bad_variable"
	slugFile      = "bad_secret_file"
)

// Options are what a configuration may reach beside its own text.
type Options struct {
	// Env looks up a variable; os.LookupEnv. nil means that none is set.
	Env func(name string) (string, bool)
	// ReadFile reads a file of a secret; os.ReadFile. nil refuses them.
	ReadFile func(path string) ([]byte, error)
	// Dir is where relative paths of such files start.
	Dir string
	// SecretFunc gives the text of the Secret that is written as text at path: one
	// that is kept elsewhere. nil takes what is written.
	SecretFunc func(path, text string) (string, error)
}

// Parse reads a YAML text that positions will call file. The error is a
// problem.List: wrong syntax, duplicate keys, and what is not taken here: tags,
// directives, several documents, more than 1 MiB. Variables that are not set
// are problems of decoding, so that a section that nobody decodes needs none.
func Parse(file string, src []byte, o Options) (Node, error) {
	b := &builder{doc: &document{file: file, options: o}, left: maxValues, anchors: map[string]*value{}}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if !b.readable(src) {
		return Node{}, b.problems.Err()
	}
	root := b.parse(src)
	if err := b.problems.Err(); err != nil {
		return Node{}, err
	}
	return Node{doc: b.doc, v: root}, nil
}

// readable refuses what is no text of a sane size.
func (b *builder) readable(src []byte) bool {
	if len(src) > maxSource {
		b.add(b.start(), "", slugSyntax, "the file is larger than 1 MiB").Code = problem.TooLarge
		return false
	}
	for line, text := range bytes.Split(src, []byte("\n")) {
		pos := problem.Position{File: b.doc.file, Line: line + 1, Column: 1}
		switch {
		case !utf8.Valid(text):
			b.add(pos, "", slugSyntax, "this line is not UTF-8").WithHint("save the file as UTF-8")
			return false
		case bytes.IndexByte(text, 0) >= 0:
			b.add(pos, "", slugSyntax, "this line holds a zero byte")
			return false
		}
	}
	return true
}

func (b *builder) parse(src []byte) *value {
	root := &value{kind: Null, pos: b.start(), size: 1}
	tree, err := b.tree(string(src))
	if err != nil {
		b.syntax(err)
		return root
	}
	var body ast.Node
	for _, d := range tree.Docs {
		switch {
		case d.Body == nil:
		case body != nil:
			b.add(b.position(d.Body), "", slugSyntax, "a second document begins here").
				WithHint(`keep one, without "---" between`)
			return root
		default:
			body = d.Body
		}
	}
	if body != nil {
		root = b.value("", body)
	}
	return root
}

// tree is empty where plain refuses the text.
func (b *builder) tree(src string) (tree *ast.File, err error) {
	// A running daemon reloads what an editor has half written, and a parser of
	// this size may well have a text that it panics on.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse: %v", r)
		}
	}()
	tokens := lexer.Tokenize(src)
	if !b.plain(tokens) {
		return &ast.File{}, nil
	}
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// plain refuses what is not taken here, and nesting so deep that the parser,
// which recurses, would exhaust its stack.
func (b *builder) plain(tokens token.Tokens) bool {
	flow, opened, line, values := 0, 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, opened = t.Position.Line, 0
		}
		switch t.Type { //nolint:exhaustive // the others do not nest
		case token.TagType:
			b.add(b.at(t), "", slugSyntax, "tags such as !!str are not supported").WithHint("remove it")
			return false
		case token.DirectiveType:
			b.add(b.at(t), "", slugSyntax, "directives are not supported").WithHint("remove the line")
			return false
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.AnchorType, token.AliasType:
			opened++
		case token.CollectEntryType:
			opened = 0
		}
		switch t.Type { //nolint:exhaustive // the others do not begin a value
		case token.MappingValueType, token.SequenceEntryType, token.CollectEntryType:
			values++
		}
		switch {
		case flow > maxDepth || opened > maxDepth:
			b.add(b.at(t), "", slugSyntax, "this is nested too deeply")
			return false
		case values > maxValues:
			b.tooMany(b.at(t), "")
			return false
		}
	}
	return true
}

// quoted is a text that the parser took into its message; it may be a secret.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

func (b *builder) syntax(err error) {
	pos, message := b.start(), "this is not YAML that can be read"
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		message = quoted.ReplaceAllString(syntax.GetMessage(), `"…"`)
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			pos = b.at(t)
		}
	}
	p := b.add(pos, "", slugSyntax, strings.ReplaceAll(message, "'\t'", "tab"))
	p.Hint = syntaxHint(p.Message)
}

// syntaxHint is the usual cause of what the parser complains about.
func syntaxHint(message string) string {
	switch {
	case strings.Contains(message, "',' or '}'"):
		return "inside { } and [ ], put a ${NAME} in quotes"
	case strings.Contains(message, "unexpected key name"):
		return `is a space missing after a ":"?`
	case strings.Contains(message, "escape character"):
		return `inside double quotes, write \\ for a backslash`
	case strings.Contains(message, "tab"):
		return "indent with spaces"
	default:
		return ""
	}
}

func (b *builder) start() problem.Position {
	return problem.Position{File: b.doc.file, Line: 1, Column: 1}
}
