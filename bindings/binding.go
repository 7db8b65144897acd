package bindings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Binding is a configured binding together with one version of its template,
// ready to plan. It is immutable and safe for concurrent use.
type Binding struct {
	cfg        Config
	lookups    []lookup      // each behind those that its key reads
	chained    bool          // a key reads another lookup
	where      *expr.Program // nil: every row
	whereJoins bool          // where reads a lookup
	variables  []variable
	drawing    *Drawing
	digest     string
}

// A variable of the template and where its value comes from.
type variable struct {
	name string
	from *expr.Program // nil: the column of the same name
}

// Compile checks cfg against the given version of its template. The error is a
// problem.List with every problem, with paths relative to the binding. Columns
// are not checked: only the rows know them.
func Compile(cfg Config, t Template, version, epoch int64) (*Binding, error) {
	problems := listOf(cfg.Validate())
	b := &Binding{cfg: cfg, lookups: compileLookups(cfg.Lookups, &problems)}
	b.chained = slices.ContainsFunc(b.lookups, func(l lookup) bool { return len(l.needs) > 0 })
	if strings.TrimSpace(cfg.Where) != "" {
		b.where = compile(cfg.Where, "where", &problems)
		problems = append(problems, nearLookups(cfg.Lookups, b.where, "where")...)
	}
	b.whereJoins = b.where != nil && b.Joins() && (b.where.UsesAll() || slices.ContainsFunc(b.lookups, func(l lookup) bool {
		return slices.Contains(b.where.Names(), l.name)
	}))
	problems = append(problems, b.bind(t)...)
	if t.ReadsClock() {
		problems = append(problems, problem.New(problem.Unsupported, "template %q reads the clock, and a binding has none", t.Name()).
			At("template").WithHint("give the template the time as a variable that the row fills"))
	}
	var err error
	if b.drawing, err = NewDrawing(t, version, epoch, inLanguage(cfg.Outputs, cfg.Language)); err != nil && len(listOf(cfg.Validate())) == 0 {
		problems = append(problems, problem.All(err)...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	b.digest = b.plannedWith(t, epoch)
	return b, nil
}

// inLanguage is outs with what they leave open taken from l.
func inLanguage(outs []Output, l Language) []Output {
	if len(outs) == 0 {
		outs = []Output{{}}
	}
	outs = slices.Clone(outs)
	for i := range outs {
		outs[i].Language = outs[i].Language.Over(l)
	}
	return outs
}

// bind says for each variable of t where its value comes from.
func (b *Binding) bind(t Template) (problems problem.List) {
	var names []string
	for _, v := range t.Vars() {
		names = append(names, v.Name)
		from := variable{name: v.Name}
		if src, mapped := b.cfg.Map[v.Name]; mapped {
			from.from = compile(src, "map."+v.Name, &problems)
			problems = append(problems, nearLookups(b.cfg.Lookups, from.from, "map."+v.Name)...)
		}
		b.variables = append(b.variables, from)
	}
	for _, target := range slices.Sorted(maps.Keys(b.cfg.Map)) {
		if !slices.Contains(names, target) {
			p := problem.New(problem.Invalid, "template %q has no variable %q", t.Name(), target).
				WithSlug("unknown_variable").At("map." + target)
			problems = append(problems, suggest(p, target, names, "variables"))
		}
	}
	return problems
}

// compile is the program of an expression over the row, or nil and problems.
func compile(src, path string, problems *problem.List) *expr.Program {
	if strings.TrimSpace(src) == "" {
		return nil // Validate has said so
	}
	program, err := expr.Compile(src, expr.Options{})
	if err != nil {
		for _, p := range problem.All(err) {
			*problems = append(*problems, within(p, path))
		}
		return nil
	}
	if program.ReadsClock() {
		*problems = append(*problems, problem.New(problem.Unsupported, "the expression reads the clock, and a binding has none").
			At(path).WithHint("compare with a column instead"))
		return nil
	}
	return program
}

// within places a problem of an expression in the configuration, where a
// position that counts inside the expression would mislead.
func within(p *problem.Error, path string) *problem.Error {
	placed := *p
	if p.Pos.Column > 0 {
		placed.Message += fmt.Sprintf(", at character %d", p.Pos.Column)
	}
	placed.Path, placed.Pos = path, problem.Position{}
	return &placed
}

func listOf(err error) problem.List {
	if err == nil {
		return nil
	}
	return problem.All(err)
}

// plannedWith is the digest of everything but the row that b's proposals hang on.
func (b *Binding) plannedWith(t Template, epoch int64) string {
	h := newHash("pictifyd/binding/1")
	h.text(b.cfg.Source)
	h.text(b.cfg.Template)
	h.text(t.Digest())
	h.number(epoch)
	h.text(b.cfg.Where)
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Lookups)) {
		l := b.cfg.Lookups[name]
		h.text("lookup") // no variable follows without its count
		h.text(name)
		h.text(l.Source)
		h.text(fmt.Sprint(l.Required))
		h.number(int64(len(l.Key)))
		for _, part := range l.Key {
			h.text(part)
		}
	}
	h.number(int64(len(b.cfg.Map)))
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Map)) {
		h.text(name)
		h.text(b.cfg.Map[name])
	}
	for _, o := range b.drawing.outputs {
		h.text(o.name)
		h.text(o.spec.Page)
		h.text(o.spec.Format)
		h.number(int64(o.spec.Quality))
		h.text(o.in.Locale)
		h.text(o.in.Currency)
		h.text(zoneName(o.in.Zone))
	}
	for _, o := range b.drawing.outputs {
		if apart := o.spec.apart(); apart != nil {
			h.text(o.name)
			h.number(int64(len(apart)))
			for _, text := range apart {
				h.text(text)
			}
		}
	}
	return h.sum()
}

func zoneName(zone *time.Location) string {
	if zone == nil {
		return ""
	}
	return zone.String()
}

// Name is the binding's name.
func (b *Binding) Name() string { return b.cfg.Name }

// Config is what the binding was compiled from.
func (b *Binding) Config() Config { return b.cfg }

// Digest stands for all that b's proposals hang on besides the row: where and
// map, the outputs, the template's version, the epoch. When it differs from what
// the stored rows were planned with, they are to be planned again.
func (b *Binding) Digest() string { return b.digest }

// Columns are the columns that b reads of a row, sorted. A row may have others;
// a change of those renders nothing. all says that an expression may read any.
func (b *Binding) Columns() (columns []string, all bool) {
	read := map[string]struct{}{}
	add := func(p *expr.Program) {
		all = all || p.UsesAll()
		for _, name := range p.Names() {
			read[name] = struct{}{}
		}
	}
	if b.where != nil {
		add(b.where)
	}
	for _, l := range b.lookups {
		for _, part := range l.key {
			add(part)
		}
	}
	for _, v := range b.variables {
		if v.from != nil {
			add(v.from)
		} else {
			read[v.name] = struct{}{}
		}
	}
	for _, l := range b.lookups {
		if !l.readsItsOwn() {
			delete(read, l.name)
		}
	}
	return slices.Sorted(maps.Keys(read)), all
}

// Propose is what the image of the row of that canonical key should become: gone
// when the row does not meet where, a problem when the row is at fault, else its
// pictures. j has what Needs asked for; now is the clock of the plan.
func (b *Binding) Propose(key string, row map[string]any, j *Joined, now time.Time, priority int) Proposal {
	owner := BindingOwner(b.cfg.Name)
	of, meets, refused := b.meet(row, j, now)
	p := removal(owner, key)
	switch {
	case refused != nil:
		p = Refused(owner, key, *refused)
	case meets:
		p = b.propose(owner, key, of, now, priority)
	}
	p.Reads = of.reads
	return p
}

func (b *Binding) propose(owner Owner, key string, of joint, now time.Time, priority int) Proposal {
	values, refused := b.values(of, now)
	if refused != nil {
		return Refused(owner, key, *refused)
	}
	p := b.drawing.Propose(owner, key, values, now, priority)
	if p.Problem != nil {
		return Refused(owner, key, b.explainVariable(*p.Problem, of))
	}
	return p
}

// meet joins to a row what is to be joined, and says whether it meets where. A row
// that does not, whatever could be joined, is not joined.
func (b *Binding) meet(row map[string]any, j *Joined, now time.Time) (of joint, meets bool, refused *Problem) {
	of = joint{row: row}
	if b.Joins() {
		of.reads = []Read{}
	}
	if b.where != nil && !b.whereJoins {
		if meets, refused = b.meets(of, now); !meets || refused != nil {
			return of, meets, refused
		}
	}
	if of, refused = b.join(row, j); refused != nil || !b.whereJoins {
		return of, true, refused
	}
	meets, refused = b.meets(of, now)
	return of, meets, refused
}

func (b *Binding) meets(of joint, now time.Time) (bool, *Problem) {
	meets, err := b.where.Eval(of.row, expr.Env{Now: now})
	if err != nil {
		p := explain(err, of, "where", b.where)
		return false, &p
	}
	return expr.Truthy(meets), nil
}

// values are those of the template's variables for a row. Nothing else of the
// row goes on, so nothing else can change its picture.
func (b *Binding) values(of joint, now time.Time) (map[string]any, *Problem) {
	values := make(map[string]any, len(b.variables))
	var problems problem.List
	for _, v := range b.variables {
		if v.from == nil {
			if value, ok := of.row[v.name]; ok {
				values[v.name] = value
			}
			continue
		}
		value, err := v.from.Eval(of.row, expr.Env{Now: now})
		if err != nil {
			p := explain(err, of, "variables."+v.name, v.from)
			problems = append(problems, problem.New(problem.Invalid, "%s", p.Message).WithSlug(p.Code).At(p.Field))
			continue
		}
		values[v.name] = value
	}
	if len(problems) > 0 {
		p := rowProblem(problems)
		return nil, &p
	}
	return values, nil
}

// explain is the failure of an expression over a row, with the columns that it
// reads in vain.
func explain(err error, of joint, field string, program *expr.Program) Problem {
	p := rowProblem(err)
	p.Field = field
	if p.Code == string(problem.Internal) || p.Code == string(problem.Invalid) {
		p.Code = "bad_expression"
	}
	p.Message += of.absent(program)
	return p
}

// explainVariable adds to a problem of a mapped variable the columns that its
// expression reads in vain.
func (b *Binding) explainVariable(p Problem, of joint) Problem {
	for _, v := range b.variables {
		if v.from != nil && p.Field == "variables."+v.name {
			p.Message += of.absent(v.from)
		}
	}
	return p
}

// absent says which columns a program reads that the row does not have, and which
// lookups that found nothing.
func (of joint) absent(program *expr.Program) string {
	var text strings.Builder
	for _, name := range program.Names() {
		if missed, ok := of.missed[name]; ok {
			text.WriteString("; " + missed)
			continue
		}
		if _, ok := of.row[name]; ok {
			continue
		}
		fmt.Fprintf(&text, "; the row has no column %q", name)
		if near := expr.Nearest(name, slices.Sorted(maps.Keys(of.row))); near != "" {
			fmt.Fprintf(&text, " (did you mean %q?)", near)
		}
	}
	return text.String()
}
