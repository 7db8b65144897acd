package bindings

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Lookup joins to each row of a binding the row of another source that has its
// key. Expressions see it under the lookup's name, in the place of a column of that
// name.
type Lookup struct {
	Source   string         `yaml:"source"`   // whose row is joined
	Key      config.Strings `yaml:"key"`      // expressions over the row and other lookups, one for each key column of the source
	Required bool           `yaml:"required"` // a row without one has no picture, and says so. Else the joined row is null
}

// A lookup is a compiled Lookup.
type lookup struct {
	name     string
	source   string
	key      []*expr.Program
	needs    []string // lookups that the key reads
	required bool
}

// The problems of rows whose joined rows are at fault.
const (
	LookupMissing = "lookup_missing" // there is no row of that key, and the lookup is required
	BadLookupKey  = "bad_lookup_key" // the key is none
)

func checkLookups(lookups map[string]Lookup) (problems problem.List) {
	add := func(path, hint, format string, args ...any) {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path).WithHint("%s", hint))
	}
	for _, name := range slices.Sorted(maps.Keys(lookups)) {
		l, path := lookups[name], "lookups."+name
		if l.Source == "" {
			add(path, "name one of sources:", "the lookup %q names no source", name)
		}
		if len(l.Key) == 0 {
			add(path, "write key: and the column that has the key of the other row", "the lookup %q has no key", name)
		}
		for i, part := range l.Key {
			if strings.TrimSpace(part) == "" {
				add(keyPath(name, l, i), "write an expression, as the name of a column is one", "a part of the key of the lookup %q is empty", name)
			}
		}
	}
	return problems
}

// keyPath is where part i of a lookup's key stands.
func keyPath(name string, l Lookup, i int) string {
	if len(l.Key) == 1 {
		return "lookups." + name + ".key"
	}
	return fmt.Sprintf("lookups.%s.key[%d]", name, i)
}

// compileLookups puts lookups in an order in which each stands behind those that
// its key reads. In a key, the lookup's own name is the column of the row.
func compileLookups(cfg map[string]Lookup, problems *problem.List) []lookup {
	made := map[string]lookup{}
	for _, name := range slices.Sorted(maps.Keys(cfg)) {
		l := lookup{name: name, source: cfg[name].Source, required: cfg[name].Required}
		if p, err := expr.Compile(name, expr.Options{}); err != nil || !slices.Equal(p.Names(), []string{name}) {
			*problems = append(*problems, problem.New(problem.Invalid, "a lookup can't be named %q: expressions could not name it", name).
				At("lookups."+name).WithHint("use letters, digits and underscores, and begin with a letter"))
		}
		for i, part := range cfg[name].Key {
			path := keyPath(name, cfg[name], i)
			program := (&Binding{}).compile(part, path, problems) // a key has no clock
			if program == nil {
				continue
			}
			if program.UsesAll() {
				*problems = append(*problems, problem.New(problem.Unsupported, "a key can't read columns that are named while it is computed").
					At(path).WithHint("name the column: row.brand_id is brand_id"))
			}
			*problems = append(*problems, nearLookups(cfg, program, path)...)
			l.key = append(l.key, program)
			for _, used := range program.Names() {
				if _, other := cfg[used]; other && used != name {
					l.needs = append(l.needs, used)
				}
			}
		}
		made[name] = l
	}
	return inOrderOf(made, problems)
}

// inOrderOf puts lookups behind those that they need.
func inOrderOf(made map[string]lookup, problems *problem.List) (ordered []lookup) {
	const open, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(name string)
	visit = func(name string) {
		if state[name] == open {
			circle := append(slices.Clone(path[slices.Index(path, name):]), name)
			*problems = append(*problems, problem.New(problem.Invalid, "the lookups need each other: %s", strings.Join(circle, " → ")).
				At("lookups."+name+".key").WithHint("let one of the keys read columns of the row only"))
			return
		}
		if state[name] == done {
			return
		}
		state[name] = open
		path = append(path, name)
		for _, other := range made[name].needs {
			visit(other)
		}
		path = path[:len(path)-1]
		state[name] = done
		ordered = append(ordered, made[name])
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		visit(name)
	}
	return ordered
}

// nearLookups says which names of which p reads a part are hardly columns, but
// lookups that are written otherwise.
func nearLookups(cfg map[string]Lookup, p *expr.Program, path string) (problems problem.List) {
	if p == nil || len(cfg) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(cfg))
	for _, name := range p.Parts() {
		if _, is := cfg[name]; is {
			continue
		}
		if near := expr.Nearest(name, names); near != "" {
			problems = append(problems, problem.New(problem.Invalid, "there is no lookup %q", name).WithSlug("unknown_lookup").At(path).
				WithHint("did you mean %q? A column of that name is $env[%q]", near, name))
		}
	}
	return problems
}

// A Read is a row of another source that a row of a binding was planned with.
type Read struct {
	Source string
	Key    string
	Digest string // of that row; "" where there was none
}

// Joins reports whether b joins rows of other sources.
func (b *Binding) Joins() bool { return len(b.lookups) > 0 }

// LookupSources are the sources that b joins rows of, sorted.
func (c Config) LookupSources() []string {
	sources := map[string]bool{}
	for _, l := range c.Lookups {
		sources[l.Source] = true
	}
	return slices.Sorted(maps.Keys(sources))
}

// Needs are the keys of rows of other sources, by source, that b joins to rows and
// that j has not been told of. A row that is joined may say which is next: when
// nothing is needed any more, the rows can be planned.
func (b *Binding) Needs(j *Joined, rows ...map[string]any) Needs {
	needs := Needs{}
	if b.Joins() {
		for _, row := range rows {
			b.needs(needs, j, row)
		}
	}
	return needs
}

// Needs are keys, by source.
type Needs map[string]map[string]struct{}

func (n Needs) add(source, key string) {
	if n[source] == nil {
		n[source] = map[string]struct{}{}
	}
	n[source][key] = struct{}{}
}

// Keys are those of a source, sorted.
func (n Needs) Keys(source string) []string { return slices.Sorted(maps.Keys(n[source])) }

// needs notes what b needs of a row. A row that has no picture anyway needs nothing.
func (b *Binding) needs(needs Needs, j *Joined, row map[string]any) {
	if b.skips(row) {
		return
	}
	if !b.chained { // so that the row need not be copied
		for i := range b.lookups {
			l := &b.lookups[i]
			if key, _ := b.keyOf(l, row); key != "" && !j.knows(l.source, key) {
				needs.add(l.source, key)
			}
		}
		return
	}
	b.eachJoint(row, j, func(l *lookup, key string) {
		if key != "" && !j.knows(l.source, key) {
			needs.add(l.source, key)
		}
	})
}

// skips reports whether a row can be told to have no picture without joining.
func (b *Binding) skips(row map[string]any) bool {
	if b.where == nil || b.whereJoins {
		return false
	}
	meets, err := b.where.Eval(row, b.env(b.cfg.Clock))
	return err != nil || !expr.Truthy(meets)
}

// eachJoint joins to row what b's lookups find, as far as j knows, and tells of
// each key; "" for one that is null. It returns the row with what was joined. A
// lookup whose key hangs on a row that j does not know of is left out.
func (b *Binding) eachJoint(row map[string]any, j *Joined, tell func(l *lookup, key string)) (with map[string]any, refused *Problem) {
	with = make(map[string]any, len(row)+len(b.lookups))
	maps.Copy(with, row)
	var unknown []string
	for i := range b.lookups {
		l := &b.lookups[i]
		if l.hangsOn(unknown) {
			unknown = append(unknown, l.name)
			continue
		}
		key, problem := b.keyOf(l, with)
		with[l.name] = nil
		if problem != nil {
			if refused == nil {
				refused = problem
			}
			continue
		}
		if joined := j.row(l.source, key); joined != nil {
			with[l.name] = joined.values
		} else if key != "" && !j.knows(l.source, key) {
			unknown = append(unknown, l.name)
		}
		tell(l, key)
	}
	return with, refused
}

// readsItsOwn reports whether the key reads the column that l's name hides.
func (l *lookup) readsItsOwn() bool {
	return slices.ContainsFunc(l.key, func(part *expr.Program) bool { return slices.Contains(part.Names(), l.name) })
}

func (l *lookup) hangsOn(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(l.needs, name) })
}

// keyOf is the canonical key that l looks for, "" where a part of it is missing.
func (b *Binding) keyOf(l *lookup, row map[string]any) (string, *Problem) {
	parts := make([]any, len(l.key))
	for i, program := range l.key {
		value, err := program.Eval(row, expr.Env{})
		if err != nil {
			p := explain(err, joint{row: row}, "lookups."+l.name+".key", program)
			return "", &p
		}
		parts[i] = keyPart(value)
	}
	key, err := CanonicalKey(parts)
	var bad *KeyError
	switch {
	case err == nil:
		return key, nil
	case errors.As(err, &bad) && bad.Reason == NullKey:
		return "", nil
	}
	return "", &Problem{Code: BadLookupKey, Field: "lookups." + l.name + ".key", Message: fmt.Sprintf("the key of the lookup %q is none: %v", l.name, err)}
}

// keyPart is a value as a key takes it: a number that was computed is its text.
func keyPart(v any) any {
	switch v.(type) {
	case nil, string, bool, json.Number, []any, map[string]any:
		return v
	}
	return expr.Text(v)
}

// A joint is a row with what the lookups of its binding found.
type joint struct {
	row    map[string]any
	reads  []Read            // also of rows that there are not; nil where nothing is joined
	missed map[string]string // lookups that found nothing, with what they looked for
}

// join joins to a row what b's lookups find.
func (b *Binding) join(row map[string]any, j *Joined) (joint, *Problem) {
	if !b.Joins() {
		return joint{row: row}, nil
	}
	of := joint{reads: make([]Read, 0, len(b.lookups))}
	var missing, refused *Problem
	of.row, refused = b.eachJoint(row, j, func(l *lookup, key string) {
		joined := j.row(l.source, key)
		read := Read{Source: l.source, Key: key}
		if joined != nil {
			read.Digest = joined.digest
		}
		if key != "" && !slices.Contains(of.reads, read) {
			of.reads = append(of.reads, read)
		}
		if joined != nil {
			return
		}
		if of.missed == nil {
			of.missed = map[string]string{}
		}
		of.missed[l.name] = l.without(key)
		if l.required && missing == nil {
			missing = &Problem{Code: LookupMissing, Field: "lookups." + l.name, Message: l.without(key)}
		}
	})
	if refused == nil {
		refused = missing
	}
	return of, refused
}

// without says that there is nothing to join.
func (l *lookup) without(key string) string {
	if key == "" {
		return fmt.Sprintf("the lookup %q has no key to look for in the source %q: a part of it is missing or null", l.name, l.source)
	}
	return fmt.Sprintf("the source %q has no row with the key %q, which the lookup %q asks for", l.source, KeyText(key), l.name)
}

// JudgeLookups is the guard's word on what follows from changed rows of sources
// that b joins.
func (b *Binding) JudgeLookups(c Counts, sources []string) Verdict {
	v := Judge(b.cfg.Guard, c)
	if v.HoldChanges {
		v.Reason = fmt.Sprintf("after a change in %s %s", strings.Join(sources, ", "), v.Reason)
	}
	return v
}

// A Joined is what the ledger has of rows of other sources, and which variants units
// have; nil has none of any.
type Joined struct {
	rows map[string]map[string]*joinedRow // nil: there is none of that key

	variants map[[2]string]string // by experiment and unit
}

type joinedRow struct {
	values map[string]any
	digest string
}

// Tell has j know of keys of a source: their rows, and that the others have none.
func (j *Joined) Tell(source string, keys []string, rows []StoredRow) error {
	if j.rows == nil {
		j.rows = map[string]map[string]*joinedRow{}
	}
	of := j.rows[source]
	if of == nil {
		of = make(map[string]*joinedRow, len(keys))
		j.rows[source] = of
	}
	for _, key := range keys {
		of[key] = nil
	}
	for _, row := range rows {
		values, err := Values(row.Values)
		if err != nil {
			return fmt.Errorf("join row %s of %q: %w", KeyText(row.Key), source, err)
		}
		of[row.Key] = &joinedRow{values: values, digest: row.Digest}
	}
	return nil
}

// row is the row of a key; nil where there is none, or none is known.
func (j *Joined) row(source, key string) *joinedRow {
	if j == nil {
		return nil
	}
	return j.rows[source][key]
}

func (j *Joined) knows(source, key string) bool {
	if j == nil {
		return false
	}
	_, known := j.rows[source][key]
	return known
}

// ReadRows are the values of stored rows.
func ReadRows(stored []StoredRow) ([]map[string]any, error) {
	rows := make([]map[string]any, len(stored))
	for i, row := range stored {
		var err error
		if rows[i], err = Values(row.Values); err != nil {
			return nil, fmt.Errorf("plan row %s: %w", KeyText(row.Key), err)
		}
	}
	return rows, nil
}

// ProposeAll plans stored rows, whose values ReadRows gave, again, at the priority
// of a replan.
func (b *Binding) ProposeAll(stored []StoredRow, rows []map[string]any, j *Joined, now time.Time) []Proposal {
	proposals := make([]Proposal, len(stored))
	for i, row := range stored {
		proposals[i] = b.Propose(row.Key, rows[i], j, now, PriorityReplan)
	}
	return proposals
}
