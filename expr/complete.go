package expr

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/parser/lexer"
	"github.com/expr-lang/expr/parser/utils"
)

// What may stand at a place of an expression.
const (
	ExpectsValue    = "value"
	ExpectsOperator = "operator"
	ExpectsField    = "field"  // behind a dot
	ExpectsFilter   = "filter" // behind a pipe
	ExpectsText     = "text"   // inside quotes: anything
)

// The kinds of suggestions.
const (
	SuggestVariable = "variable"
	SuggestLocal    = "local" // the item of a loop, and the like
	SuggestField    = "field"
	SuggestFunction = "function"
	SuggestFilter   = "filter"
	SuggestOperator = "operator"
	SuggestKeyword  = "keyword"
)

// A Suggestion is something that may be written at a place of an expression.
type Suggestion struct {
	Label   string   `json:"label"`
	Insert  string   `json:"insert"`
	Cursor  int      `json:"cursor"` // letters into insert, where one goes on writing
	Kind    string   `json:"kind"`
	Type    Kind     `json:"type,omitempty"`
	Detail  string   `json:"detail,omitempty"` // the value, or how it is called
	Doc     string   `json:"doc,omitempty"`
	Example *Example `json:"example,omitempty"`
}

// A Completion is what may stand at a place of an expression, the likeliest first.
// What it replaces is told in letters, from 0.
type Completion struct {
	From    int          `json:"from"`
	To      int          `json:"to"`
	Expects string       `json:"expects"`
	Items   []Suggestion `json:"items"`
}

// maxSuggestions is how many a completion has.
const maxSuggestions = 100

// Complete says what may stand in src at a place, in letters from 0. o has the
// names that there are; values and env.Locals are samples, which tell the fields of
// objects and what a filter would give. An expression that is not finished is read
// as far as it goes.
func Complete(src string, at int, o Options, values map[string]any, env Env) Completion {
	c := completer{text: []rune(src), options: o, values: values, env: env}
	c.at = min(max(at, 0), len(c.text))
	c.place()
	switch c.out.Expects {
	case ExpectsField:
		c.fields()
	case ExpectsFilter:
		c.filters()
	case ExpectsOperator:
		c.operators()
	case ExpectsValue:
		c.names()
		c.itemFields()
		c.functions()
		c.keywords()
	}
	return c.rank()
}

type completer struct {
	text    []rune
	at      int
	options Options
	values  map[string]any
	env     Env

	before []lexer.Token // in front of the word
	word   string        // as far as the place
	found  []found
	out    Completion
}

// A found is a suggestion with what it is ranked by.
type found struct {
	Suggestion
	like  int // how well it goes on with the word: 0 is best
	far   int // 1: less likely
	order int // within its kind
}

func partOfName(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// place finds the word at the place, and what may stand there.
func (c *completer) place() {
	from, to := c.at, c.at
	for from > 0 && partOfName(c.text[from-1]) {
		from--
	}
	for to < len(c.text) && partOfName(c.text[to]) {
		to++
	}
	c.word = string(c.text[from:c.at])
	c.before = tokensOf(string(c.text[:from]))
	c.out = Completion{From: from, To: to, Expects: ExpectsValue}
	end := 0
	if n := len(c.before); n > 0 {
		end = c.before[n-1].To
	}
	if strings.ContainsAny(strings.TrimSpace(string(c.text[end:from])), "\"'`") {
		c.out.Expects = ExpectsText
		return
	}
	if len(c.before) == 0 {
		return
	}
	switch last := c.before[len(c.before)-1]; {
	case last.Is(lexer.Operator, "."), last.Is(lexer.Operator, "?."):
		c.out.Expects = ExpectsField
	case last.Is(lexer.Operator, "|"):
		c.out.Expects = ExpectsFilter
	case !wantsValue(last):
		c.out.Expects = ExpectsOperator
	}
}

// operand is the text of the value that ends before the token with that index: a
// name or a bracket, with the fields and calls behind it.
func (c *completer) operand(end int) string {
	i := end - 1
	for i >= 0 {
		t := c.before[i]
		switch {
		case t.Kind == lexer.Bracket && strings.Contains(")]}", t.Value):
			if i = c.opening(i); i < 0 {
				return ""
			}
			if i > 0 && c.before[i].Value != "{" && (c.before[i-1].Kind == lexer.Identifier || c.before[i-1].Kind == lexer.Bracket && strings.Contains(")]", c.before[i-1].Value)) {
				i--
				continue
			}
		case t.Kind != lexer.Identifier && t.Kind != lexer.String && !t.Is(lexer.Operator, "#"):
			return ""
		}
		if i >= 2 && (c.before[i-1].Is(lexer.Operator, ".") || c.before[i-1].Is(lexer.Operator, "?.")) {
			i -= 2
			continue
		}
		break
	}
	if i < 0 {
		return ""
	}
	return string(c.text[c.before[i].From:c.before[end-1].To])
}

// opening is the bracket that the one at i closes; -1 where there is none.
func (c *completer) opening(i int) int {
	depth := 0
	for ; i >= 0; i-- {
		if t := c.before[i]; t.Kind == lexer.Bracket {
			if strings.Contains(")]}", t.Value) {
				depth++
			} else if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// look is what is known of the value of an expression, and the value by the samples.
func (c *completer) look(src string) (*Type, any) {
	program, err := Compile(src, c.options)
	if err != nil {
		return nil, nil
	}
	value, err := program.Eval(c.values, c.env)
	if err != nil {
		value = nil
	}
	return program.Type(), value
}

// item is what is known of # at the place: of the items of the list that the call
// around it goes through.
func (c *completer) item() (*Type, any, bool) {
	depth := 0
	for i := len(c.before) - 1; i > 0; i-- {
		t := c.before[i]
		switch {
		case t.Kind != lexer.Bracket:
		case strings.Contains(")]}", t.Value):
			depth++
		case depth > 0:
			depth--
		case t.Value == "(" && c.before[i-1].Kind == lexer.Identifier:
			return c.itemOf(i)
		}
	}
	return nil, nil, false
}

func (c *completer) itemOf(open int) (*Type, any, bool) {
	f := library[c.before[open-1].Value]
	if f == nil || !slices.ContainsFunc(f.Params, func(p Param) bool { return p.Kind == KindExpression }) {
		return nil, nil, false
	}
	list := ""
	if open >= 2 && c.before[open-2].Is(lexer.Operator, "|") {
		list = c.operand(open - 2)
	} else {
		depth := 0
		for _, t := range c.before[open+1:] {
			if t.Kind == lexer.Bracket && strings.Contains("([{", t.Value) {
				depth++
			} else if t.Kind == lexer.Bracket {
				depth--
			} else if depth == 0 && t.Is(lexer.Operator, ",") {
				list = string(c.text[c.before[open].To:t.From])
				break
			}
		}
	}
	if list == "" {
		return nil, nil, false
	}
	known, value := c.look(list)
	var item *Type
	if known != nil {
		item = known.Items
	}
	var one any
	if items, ok := value.([]any); ok && len(items) > 0 {
		one = items[0]
	}
	return item, one, true
}

// fields suggests those of what stands before the dot.
func (c *completer) fields() {
	dot := len(c.before) - 1
	if dot == 0 || wantsValue(c.before[dot-1]) {
		c.itemFields()
		return
	}
	of := c.operand(dot)
	if of == "" {
		return
	}
	known, value := c.look(of)
	if of == "#" {
		known, value, _ = c.item()
	}
	c.fieldsOf(known, value, "")
}

// itemFields suggests # and the fields of an item of a loop.
func (c *completer) itemFields() {
	known, value, ok := c.item()
	if !ok {
		return
	}
	if c.out.Expects == ExpectsField {
		c.fieldsOf(known, value, "")
		return
	}
	c.add(Suggestion{Label: "#", Kind: SuggestLocal, Type: kindOf(known, value), Detail: short(value), Doc: "the item"})
	c.fieldsOf(known, value, ".")
}

func (c *completer) fieldsOf(known *Type, value any, before string) {
	object, _ := value.(map[string]any)
	names := map[string]*Type{}
	for name := range object {
		names[name] = TypeOf(object[name])
	}
	if known != nil {
		for name, t := range known.Fields {
			names[name] = t
		}
	}
	for name, t := range names {
		if utils.IsValidIdentifier(name) { // a dot takes no other
			c.add(Suggestion{Label: before + name, Kind: SuggestField, Type: kindOf(t, object[name]), Detail: short(object[name])})
		}
	}
}

func kindOf(t *Type, value any) Kind {
	if t == nil {
		t = TypeOf(value)
	}
	return t.kind()
}

// names suggests variables and the names of loops.
func (c *completer) names() {
	for _, name := range c.options.Locals {
		value := c.env.Locals[name]
		c.add(Suggestion{Label: name, Kind: SuggestLocal, Type: kindOf(c.options.Types[name], value), Detail: short(value)})
	}
	names := slices.Clone(c.options.Names)
	if names == nil {
		for name := range c.values {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if slices.Contains(c.options.Locals, name) {
			continue
		}
		s := Suggestion{Label: name, Insert: Reference(name), Kind: SuggestVariable, Type: kindOf(c.options.Types[name], c.values[name]), Detail: short(c.values[name])}
		c.add(s)
	}
}

// Reference is how an expression reads the column or variable of a name.
func Reference(name string) string {
	if !utils.IsValidIdentifier(name) || reserved[name] || strings.HasPrefix(name, "$") {
		return "$env[" + strconv.Quote(name) + "]"
	}
	return name
}

// functions suggests calls.
func (c *completer) functions() {
	for _, f := range Functions() {
		s := described(f, SuggestFunction)
		s.Insert = f.Name + "()"
		s.Cursor = len([]rune(s.Insert))
		if len(f.Params) > 0 {
			s.Cursor--
		}
		c.add(s)
	}
}

func described(f Function, kind string) Suggestion {
	s := Suggestion{Label: f.Name, Kind: kind, Type: f.Returns, Detail: f.Usage, Doc: f.Summary}
	if len(f.Examples) > 0 {
		s.Example = &f.Examples[0]
	}
	return s
}

// filters suggests what may follow a pipe: functions that take what is before it,
// with what they would give.
func (c *completer) filters() {
	left := c.piped()
	known, value := c.look(left)
	kind := kindOf(known, value)
	for _, f := range Functions() {
		if len(f.Params) == 0 || f.Params[0].Kind == KindExpression {
			continue
		}
		s := described(f, SuggestFilter)
		s.Insert = f.Name
		s.Cursor = len([]rune(s.Insert))
		if len(f.Params) > 1 && !f.Params[1].Optional && !f.Params[1].Rest {
			s.Insert += "()"
			s.Cursor++
		} else if fits(f.Params[0].Kind, kind) && value != nil {
			call := strings.TrimSpace(left) + " | " + f.Name
			if _, given := c.look(call); given != nil {
				s.Example = &Example{Expression: call, Result: short(given)}
			}
		}
		far := 0
		if !fits(f.Params[0].Kind, kind) {
			far = 1
		}
		c.addAs(found{Suggestion: s, far: far})
	}
}

// piped is the text that the pipe at the place takes: as far back as it can be read
// alone.
func (c *completer) piped() string {
	end := c.before[len(c.before)-1].From
	from, depth := 0, 0
	for i := len(c.before) - 2; i >= 0 && from == 0; i-- {
		t := c.before[i]
		switch {
		case t.Kind == lexer.Bracket && strings.Contains(")]}", t.Value):
			depth++
		case t.Kind == lexer.Bracket:
			if depth--; depth < 0 {
				from = t.To
			}
		case depth == 0 && t.Kind == lexer.Operator && slices.Contains([]string{",", "?", ":", ";", "=", "and", "or", "&&", "||", "??"}, t.Value):
			from = t.To
		}
	}
	return string(c.text[from:end])
}

func fits(wanted, have Kind) bool {
	return wanted == have || wanted == KindAny || have == KindAny ||
		have == KindText && (wanted == KindDate || wanted == KindNumber) || wanted == KindText && have != KindList && have != KindObject
}

// words that may follow a value, and what they do.
var operatorWords = []Suggestion{
	{Label: "|", Doc: "hand the value to a function"}, {Label: "+", Doc: "add, or join texts"}, {Label: "-", Doc: "subtract"},
	{Label: "*", Doc: "multiply"}, {Label: "/", Doc: "divide"}, {Label: "%", Doc: "what is left of a division"},
	{Label: "==", Doc: "is equal"}, {Label: "!=", Doc: "is not equal"}, {Label: "<", Doc: "is less"}, {Label: "<=", Doc: "is less or equal"},
	{Label: ">", Doc: "is more"}, {Label: ">=", Doc: "is more or equal"}, {Label: "and", Doc: "both are true"}, {Label: "or", Doc: "one of them is true"},
	{Label: "??", Doc: "what stands behind it, where there is no value"}, {Label: "?", Insert: "?  : ", Cursor: 2, Doc: "a choice: condition ? yes : no"},
	{Label: "in", Doc: "is one of a list"}, {Label: "not in", Doc: "is none of a list"}, {Label: "contains", Doc: "has a text in it"},
	{Label: "startsWith", Doc: "begins with a text"}, {Label: "endsWith", Doc: "ends with a text"}, {Label: "matches", Doc: "fits a regular expression"},
}

func (c *completer) operators() {
	for i, s := range operatorWords {
		s.Kind = SuggestOperator
		if s.Insert == "" {
			s.Insert = s.Label + " "
			s.Cursor = len([]rune(s.Insert))
		}
		c.addAs(found{Suggestion: s, order: i})
	}
}

func (c *completer) keywords() {
	for word, doc := range map[string]string{"true": "", "false": "", "nil": "no value", "not": "the opposite"} {
		c.add(Suggestion{Label: word, Kind: SuggestKeyword, Doc: doc})
	}
	c.add(Suggestion{Label: "let", Insert: "let  = ; ", Cursor: 4, Kind: SuggestKeyword, Doc: "a name for a value: let x = price * 2; x + 1"})
}

func (c *completer) add(s Suggestion) { c.addAs(found{Suggestion: s}) }

// addAs adds s if the word may become it.
func (c *completer) addAs(s found) {
	if s.like = likeness(s.Label, c.word); s.like == unlike {
		return
	}
	if s.Insert == "" {
		s.Insert = s.Label
	}
	if s.Cursor == 0 {
		s.Cursor = len([]rune(s.Insert))
	}
	c.found = append(c.found, s)
}

const unlike = 4

// likeness is how well a label goes on with a word: 0 is best.
func likeness(label, word string) int {
	label = strings.TrimPrefix(label, ".")
	low, want := strings.ToLower(label), strings.ToLower(word)
	switch {
	case strings.HasPrefix(label, word):
		return 0
	case strings.HasPrefix(low, want):
		return 1
	case strings.Contains(low, want):
		return 2
	}
	return unlike
}

var kindOrder = []string{SuggestLocal, SuggestField, SuggestVariable, SuggestFilter, SuggestFunction, SuggestOperator, SuggestKeyword}

// rank puts the likeliest first.
func (c *completer) rank() Completion {
	slices.SortFunc(c.found, func(a, b found) int {
		return cmp.Or(a.like-b.like, a.far-b.far, slices.Index(kindOrder, a.Kind)-slices.Index(kindOrder, b.Kind),
			a.order-b.order, cmp.Compare(a.Label, b.Label))
	})
	c.out.Items = []Suggestion{}
	for _, s := range c.found[:min(len(c.found), maxSuggestions)] {
		c.out.Items = append(c.out.Items, s.Suggestion)
	}
	return c.out
}

// short is a value as a line.
func short(v any) string {
	text := []rune(strings.Join(strings.Fields(Text(v)), " "))
	const most = 60
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
