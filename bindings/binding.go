package bindings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Binding is a configured binding together with one version of its template,
// ready to plan. It is immutable and safe for concurrent use.
type Binding struct {
	cfg         Config
	lookups     []lookup      // each behind those that its key reads
	chained     bool          // a key reads another lookup
	where       *expr.Program // nil: every row
	whereJoins  bool          // where reads a lookup
	variables   []variable    // of all templates
	own         []variable    // of the binding's own
	drawing     *Drawing
	variants    *Variants             // of its experiment; nil: drawing draws all rows
	variablesOf map[string][]variable // of the templates of variants, without those that the variant itself gives
	digest      string
	clock       bool // something of it reads the clock
	moved       bool // its clock is another one than what was planned by
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
	return CompileWith(cfg, t, version, epoch, nil)
}

// CompileWith is Compile of a binding whose rows are drawn as variants of an
// experiment. Without arms, of one that has not begun, t draws all of them.
func CompileWith(cfg Config, t Template, version, epoch int64, arms *Arms) (*Binding, error) {
	problems := listOf(cfg.Validate())
	b := &Binding{cfg: cfg, lookups: compileLookups(cfg.Lookups, &problems)}
	b.chained = slices.ContainsFunc(b.lookups, func(l lookup) bool { return len(l.needs) > 0 })
	if strings.TrimSpace(cfg.Where) != "" {
		b.where = b.compile(cfg.Where, "where", &problems)
		problems = append(problems, nearLookups(cfg.Lookups, b.where, "where")...)
	}
	b.whereJoins = b.where != nil && b.Joins() && (b.where.UsesAll() || slices.ContainsFunc(b.lookups, func(l lookup) bool {
		return slices.Contains(b.where.Names(), l.name)
	}))
	problems = append(problems, b.bind(t, arms)...)
	b.clock = b.clock || t.ReadsClock()
	if t.ReadsClock() && !cfg.HasClock() {
		problems = append(problems, problem.New(problem.Unsupported, "template %q reads the clock, and a binding has none", t.Name()).
			At("template").WithHint("give the template the time as a variable that the row fills, the source a schedule (cron:), or the binding refresh: 1h"))
	}
	var err error
	if b.drawing, err = NewDrawing(t, version, epoch, inLanguage(cfg.Outputs, cfg.Language)); err != nil && len(listOf(cfg.Validate())) == 0 {
		problems = append(problems, problem.All(err)...)
	}
	if arms != nil && len(problems) == 0 {
		if b.variants, err = NewVariants(cfg.Experiment, *arms, epoch, inLanguage(cfg.Outputs, cfg.Language)); err != nil {
			problems = append(problems, problem.All(err)...)
		}
		if b.variants.readsClock() && !cfg.HasClock() {
			problems = append(problems, problem.New(problem.Unsupported, "a variant of the experiment %q reads the clock, and a binding has none", cfg.Experiment.Slug).
				At("experiment.slug").WithHint("give its template the time as a variable, the source a schedule (cron:), or the binding refresh: 1h"))
		}
		b.clock = b.clock || b.variants.readsClock()
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

// bind says for each variable of t, and of the templates of variants, where its
// value comes from.
func (b *Binding) bind(t Template, arms *Arms) (problems problem.List) {
	var names []string
	bound := map[string]variable{}
	bind := func(t Template) (of []variable) {
		for _, v := range t.Vars() {
			from, known := bound[v.Name]
			if !known {
				names = append(names, v.Name)
				from.name = v.Name
				if src, mapped := b.cfg.Map[v.Name]; mapped {
					from.from = b.compile(src, "map."+v.Name, &problems)
					problems = append(problems, nearLookups(b.cfg.Lookups, from.from, "map."+v.Name)...)
				}
				bound[v.Name] = from
				b.variables = append(b.variables, from)
			}
			of = append(of, from)
		}
		return of
	}
	own := bind(t)
	if arms != nil {
		b.variablesOf = map[string][]variable{}
		for _, arm := range arms.List {
			b.variablesOf[arm.Variant] = slices.DeleteFunc(bind(arm.Template), func(v variable) bool {
				_, given := arm.Variables[v.name]
				return given
			})
		}
	}
	b.own = own
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
func (b *Binding) compile(src, path string, problems *problem.List) *expr.Program {
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
	b.clock = b.clock || program.ReadsClock()
	if program.ReadsClock() && !b.cfg.HasClock() {
		*problems = append(*problems, problem.New(problem.Unsupported, "the expression reads the clock, and a binding has none").
			At(path).WithHint("compare with a column instead, or give the source a schedule (cron:) or the binding refresh: 1h"))
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
	if b.variants != nil {
		b.variants.hash(h)
	}
	if b.clock && b.cfg.Refresh > 0 {
		h.text("clock")
		h.number(b.cfg.Clock.UnixMilli())
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
	if b.cfg.Experiment.Named() {
		read[b.cfg.Experiment.Unit] = struct{}{}
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
	now = b.now(now)
	owner := BindingOwner(b.cfg.Name)
	of, meets, refused := b.meet(row, j, now)
	p := removal(owner, key)
	switch {
	case refused != nil:
		p = Refused(owner, key, *refused)
	case meets:
		p = b.propose(owner, key, of, j, now, priority)
	}
	p.Reads = of.reads
	return p
}

func (b *Binding) propose(owner Owner, key string, of joint, j *Joined, now time.Time, priority int) Proposal {
	if b.variants == nil {
		values, refused := b.values(of, b.own, now)
		if refused != nil {
			return Refused(owner, key, *refused)
		}
		return b.explained(b.drawing.Propose(owner, key, values, now, priority), of)
	}
	a, refused := b.variants.assigned(of.row, j)
	if refused != nil {
		return Refused(owner, key, *refused)
	}
	values, refused := b.values(of, b.variablesOf[a.Variant], now)
	if refused != nil { // it took part nevertheless
		return Refused(owner, key, *refused).as(a)
	}
	return b.explained(b.variants.propose(owner, key, a, values, now, priority), of)
}

// explained is p, whose problem says what the row lacks.
func (b *Binding) explained(p Proposal, of joint) Proposal {
	if p.Problem == nil {
		return p
	}
	refused := Refused(p.Owner, p.Key, b.explainVariable(*p.Problem, of))
	if p.Assigned.Is() {
		return refused.as(p.Assigned)
	}
	return refused
}

// Assigns reports whether units must be given a variant before rows of b are planned.
func (b *Binding) Assigns() bool { return b.variants.Assigns() }

// Meetings are the units of rows, of these keys, that have an image, as they come to
// the experiment of b; none where their variants need not be known. j has what Needs
// asked for.
func (b *Binding) Meetings(keys []string, rows []map[string]any, j *Joined, now time.Time) (all []experiment.Meeting) {
	if !b.variants.Assigns() {
		return nil
	}
	for i, row := range rows {
		of, meets, refused := b.meet(row, j, b.now(now))
		if !meets || refused != nil {
			continue
		}
		if m, ok := b.variants.Meeting(BindingOwner(b.cfg.Name), keys[i], of.row); ok {
			all = append(all, m)
		}
	}
	return all
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
	meets, err := b.where.Eval(of.row, b.env(now))
	if err != nil {
		p := explain(err, of, "where", b.where)
		return false, &p
	}
	return expr.Truthy(meets), nil
}

// values are those of variables of a template for a row. Nothing else of the
// row goes on, so nothing else can change its picture.
func (b *Binding) values(of joint, variables []variable, now time.Time) (map[string]any, *Problem) {
	values := make(map[string]any, len(variables))
	var problems problem.List
	for _, v := range variables {
		if v.from == nil {
			if value, ok := of.row[v.name]; ok {
				values[v.name] = value
			}
			continue
		}
		value, err := v.from.Eval(of.row, b.env(now))
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
