package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/sample"
)

// MapRows is on how many rows a mapping is tried.
const MapRows = 5

// A MapTrial is expressions to be tried on rows of a binding, of a source, or on
// those that are given.
type MapTrial struct {
	Binding, Source string
	Rows            []map[string]any
	Form            bindings.Template
	Expressions     []string
	Keys            []string // the rows; none: the first ones
}

// A MapTried is what came of it.
type MapTried struct {
	Source  string
	Total   int // rows that there are
	Looked  int // of which the columns are told
	Columns []sample.Column
	Rows    []sample.Row
	Values  [][]MapValue // of each expression, for each row
}

// A MapValue is what an expression gives for a row, or why not.
type MapValue struct {
	Value any
	Err   error
}

// Where the value of a variable comes from.
const (
	byMap     = "map" // an expression
	byName    = "name"
	byDefault = "default"
	byNothing = "none"
)

// A mappingView is how the columns of a source become the variables of a template.
type mappingView struct {
	Binding    string            `json:"binding,omitempty"`
	Source     string            `json:"source"`
	Template   string            `json:"template"`
	Where      string            `json:"where"`
	WhereError *expressionError  `json:"whereError,omitempty"`
	Rows       int               `json:"rows"`   // that there are
	Looked     int               `json:"looked"` // of which the columns are told
	Columns    []sample.Column   `json:"columns"`
	Tried      []triedRowView    `json:"tried"` // rows that values are told of
	Variables  []mappedVariable  `json:"variables"`
	Unmatched  []string          `json:"unmatched"` // columns that nothing reads
	Missing    []string          `json:"missing"`   // required variables that nothing fills
	Unknown    []string          `json:"unknown"`   // of the map, and the template has no such variable
	Map        map[string]string `json:"map"`       // with what is proposed: as PUT /bindings/{name} takes it
}

// A triedRowView is a row on which a mapping is tried.
type triedRowView struct {
	Key   string         `json:"key,omitempty"`
	Name  string         `json:"name,omitempty"`
	Row   map[string]any `json:"row"`
	Meets bool           `json:"meets"` // the condition of the binding
}

// A mappedVariable is a variable, where its value comes from, and what that gives.
type mappedVariable struct {
	Name        string        `json:"name"`
	Type        template.Type `json:"type"`
	Required    bool          `json:"required"`
	Description string        `json:"description,omitempty"`
	Expression  string        `json:"expression"` // as it is computed; empty where nothing is
	By          string        `json:"by"`         // map, name, default or none
	Match       *sample.Match `json:"match,omitempty"`
	Values      []mappedValue `json:"values"` // for each row that is tried
	Fits        bool          `json:"fits"`   // the template takes all of them
}

// A mappedValue is what a variable gets of a row, or why it gets nothing.
type mappedValue struct {
	Value any              `json:"value"`
	Text  string           `json:"text"`
	Error *expressionError `json:"error,omitempty"` // of the expression, with its place; or of the template, without
}

// A mappingRequest is a mapping to be tried.
type mappingRequest struct {
	Map      map[string]string `json:"map,omitempty"` // variable: expression; without it that of the binding
	Where    *string           `json:"where,omitempty"`
	Template string            `json:"template,omitempty"` // instead of the binding's
	Keys     []string          `json:"keys,omitempty"`     // rows to try it on, at most 5
	Rows     []map[string]any  `json:"rows,omitempty"`     // or the rows themselves
	Source   string            `json:"source,omitempty"`   // where there is no binding
}

// showMapping says how the rows of a binding become the variables of its template.
func (s *Server) showMapping(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	return s.answerMapping(w, r, b, mappingRequest{Template: r.URL.Query().Get("template")})
}

// previewMapping is showMapping with another map.
func (s *Server) previewMapping(w http.ResponseWriter, r *http.Request) error {
	b, err := s.bindingOf(r)
	if err != nil {
		return err
	}
	var body mappingRequest
	if err := decodeExact(w, r, maxPasted, &body, `{"map": {"title": "name"}}`); err != nil {
		return err
	}
	if body.Source != "" {
		return problem.New(problem.Invalid, "the rows are those of the binding's source").WithSlug("unknown_field").At("source").
			WithHint("POST /templates/{id}/mapping tries another source")
	}
	return s.answerMapping(w, r, b, body)
}

// mapTemplate is previewMapping where there is no binding yet.
func (s *Server) mapTemplate(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	var body mappingRequest
	if err := decodeExact(w, r, maxPasted, &body, `{"source": "shop", "map": {"title": "name"}}`); err != nil {
		return err
	}
	if (body.Source == "") == (body.Rows == nil) {
		return problem.New(problem.Invalid, "the rows come from one place").WithSlug("required").At("source").WithHint("give a source, or rows")
	}
	if body.Source != "" {
		if err := s.mayTryWith(r.Context(), RowPlace{FromSource, body.Source}); err != nil {
			return placedAt("source", err)
		}
	}
	body.Template = name
	return s.answerMapping(w, r, Binding{}, body)
}

func (s *Server) answerMapping(w http.ResponseWriter, r *http.Request, b Binding, body mappingRequest) error {
	if len(body.Keys) > MapRows || body.Rows != nil && body.Keys != nil {
		return problem.New(problem.Invalid, "a mapping is tried on up to %d rows, named by keys or given", MapRows).WithSlug("out_of_range").At("keys")
	}
	name := body.Template
	if name == "" {
		name = b.Template
	}
	if !asker(r.Context()).uses(name) {
		return noTemplate(name)
	}
	form, err := s.formFor(r, name, true)
	if err != nil {
		return err
	}
	where := ""
	if b.Name != "" {
		saved, savedWhere := s.deps.Trials.SavedMap(b.Name)
		if where = savedWhere; body.Map == nil {
			body.Map = saved
		}
	}
	if body.Where != nil {
		where = *body.Where
	}
	m := newMapping(form, body.Map, where)
	trial := MapTrial{Binding: b.Name, Source: body.Source, Rows: body.Rows, Form: form, Expressions: m.sources, Keys: body.Keys}
	tried, err := s.deps.Trials.TryMap(r.Context(), trial)
	if err != nil {
		return fmt.Errorf("try a mapping: %w", err)
	}
	view := m.view(tried)
	view.Binding, view.Template = b.Name, name
	return answer(w, http.StatusOK, view)
}

// A mapping is expressions for the variables of a template.
type mapping struct {
	form    bindings.Template
	given   map[string]string
	where   string
	sources []string       // what is tried
	at      map[string]int // in sources, by the expression
}

func newMapping(form bindings.Template, given map[string]string, where string) *mapping {
	m := &mapping{form: form, given: given, where: where, at: map[string]int{}}
	for _, src := range given {
		m.try(src)
	}
	m.try(where)
	slices.Sort(m.sources)
	for i, src := range m.sources {
		m.at[src] = i
	}
	return m
}

func (m *mapping) try(src string) {
	if strings.TrimSpace(src) != "" && !slices.Contains(m.sources, src) {
		m.sources = append(m.sources, src)
	}
}

// view is the mapping with what came of it.
func (m *mapping) view(tried MapTried) mappingView {
	v := mappingView{
		Source: tried.Source, Where: m.where, Rows: tried.Total, Looked: tried.Looked, Columns: list(tried.Columns),
		Tried: []triedRowView{}, Variables: []mappedVariable{}, Unmatched: []string{}, Missing: []string{}, Unknown: []string{}, Map: map[string]string{},
	}
	for i, row := range tried.Rows {
		shown := triedRowView{Key: row.Key, Row: row.Columns, Meets: true}
		if row.Key != "" {
			shown.Name = bindings.KeyText(row.Key)
		}
		if at, ok := m.at[m.where]; ok {
			value := tried.Values[at][i]
			shown.Meets = value.Err == nil && expr.Truthy(value.Value)
			if value.Err != nil && v.WhereError == nil {
				e := explained(value.Err, m.where)
				v.WhereError = &e
			}
		}
		v.Tried = append(v.Tried, shown)
	}
	matches := sample.Matches(m.form.Vars(), tried.Columns)
	for _, one := range m.form.Vars() {
		v.Variables = append(v.Variables, m.variable(one, matches, tried))
	}
	m.judge(&v, tried)
	m.sum(&v)
	return v
}

// variable is where the value of a variable comes from.
func (m *mapping) variable(one template.Var, matches map[string]sample.Match, tried MapTried) mappedVariable {
	v := mappedVariable{Name: one.Name, Type: one.Type, Required: one.Required, Description: one.Description, Values: make([]mappedValue, len(tried.Rows))}
	hasColumn := slices.ContainsFunc(tried.Columns, func(c sample.Column) bool { return c.Name == one.Name })
	src, mapped := m.given[one.Name]
	switch {
	case mapped:
		v.By, v.Expression = byMap, src
	case hasColumn:
		v.By, v.Expression = byName, expr.Reference(one.Name)
	case one.Default != nil:
		v.By = byDefault
	default:
		v.By = byNothing
	}
	if match, ok := matches[one.Name]; ok && (v.By == byDefault || v.By == byNothing) {
		v.Match = &match
	}
	for i, row := range tried.Rows {
		switch at, ok := m.at[src]; {
		case v.By == byMap && ok:
			value := tried.Values[at][i]
			v.Values[i].Value = value.Value
			if value.Err != nil {
				e := explained(value.Err, src)
				v.Values[i].Error = &e
			}
		case v.By == byMap: // an empty expression
			v.Values[i].Error = &expressionError{Message: "the expression is empty", Code: expr.BadExpression, Line: 1, Column: 1, EndLine: 1, EndColumn: 1}
		case v.By == byName:
			v.Values[i].Value = row.Columns[one.Name]
		case v.By == byDefault:
			v.Values[i].Value = one.Default
		}
		v.Values[i].Text = expr.Text(v.Values[i].Value)
	}
	return v
}

// judge has the template say which values it does not take.
func (m *mapping) judge(v *mappingView, tried MapTried) {
	for i := range tried.Rows {
		values := map[string]any{}
		for _, one := range v.Variables {
			if one.By != byNothing && one.By != byDefault {
				values[one.Name] = one.Values[i].Value
			}
		}
		_, err := m.form.ResolveIn(values, expr.Env{Now: time.Now()})
		if err == nil {
			continue
		}
		for _, p := range problem.All(err) {
			for j := range v.Variables {
				at := &v.Variables[j].Values[i]
				if at.Error == nil && p.Path == "variables."+v.Variables[j].Name {
					at.Error = &expressionError{Message: p.Message, Code: p.Kind(), Hint: p.Hint, Expected: p.Expected}
				}
			}
		}
	}
	for j := range v.Variables {
		v.Variables[j].Fits = !slices.ContainsFunc(v.Variables[j].Values, func(value mappedValue) bool { return value.Error != nil })
	}
}

// sum says what is left over on both sides.
func (m *mapping) sum(v *mappingView) {
	read := map[string]bool{}
	all := false
	for _, src := range m.sources {
		if program, err := expr.Compile(src, expr.Options{}); err == nil {
			all = all || program.UsesAll()
			for _, name := range program.Names() {
				read[name] = true
			}
		}
	}
	for _, one := range v.Variables {
		switch one.By {
		case byMap:
			v.Map[one.Name] = one.Expression
		case byName:
			read[one.Name] = true
		}
		if one.Match != nil {
			v.Map[one.Name] = one.Match.Expression
		}
		if one.Required && one.By == byNothing {
			v.Missing = append(v.Missing, one.Name)
		}
	}
	for _, c := range v.Columns {
		if !all && !read[c.Name] {
			v.Unmatched = append(v.Unmatched, c.Name)
		}
	}
	for name := range m.given {
		if !slices.ContainsFunc(v.Variables, func(one mappedVariable) bool { return one.Name == name }) {
			v.Unknown = append(v.Unknown, name)
		}
	}
	slices.Sort(v.Unknown)
}
