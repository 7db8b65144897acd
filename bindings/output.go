package bindings

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// An Output is one picture that is made of each row.
type Output struct {
	Name  string `yaml:"name"`  // default: the size, or the format where the size is the default one
	Size  string `yaml:"size"`  // one of the template's; default: its first
	Theme string `yaml:"theme"` // one of the template's; default: the document as it stands
	Page  int    `yaml:"page"`  // of a template with several, from 1; default: the first, of a PDF all

	Encoding `yaml:",inline"`
	Language `yaml:",inline"`
}

// A Language is in whose words and money values are written. What is empty the
// template decides.
type Language struct {
	Locale   string `yaml:"locale" json:"locale,omitempty"`     // of numbers, dates and money: de-DE
	Timezone string `yaml:"timezone" json:"timezone,omitempty"` // of dates: Europe/Berlin
	Currency string `yaml:"currency" json:"currency,omitempty"` // of amounts without a code: EUR
}

// Over is l with what it leaves open taken from other.
func (l Language) Over(other Language) Language {
	return Language{cmp.Or(l.Locale, other.Locale), cmp.Or(l.Timezone, other.Timezone), cmp.Or(l.Currency, other.Currency)}
}

// check returns what is wrong with l, with paths that begin with at.
func (l Language) check(at string) (problems problem.List) {
	note := func(name string, err error) {
		for _, p := range problem.All(err) {
			problems = append(problems, p.At(at+name))
		}
	}
	if l.Locale != "" {
		note("locale", expr.CheckLocale(l.Locale))
	}
	if l.Currency != "" {
		note("currency", expr.CheckCurrency(l.Currency))
	}
	if _, err := time.LoadLocation(l.Timezone); err != nil || l.Timezone == "Local" {
		problems = append(problems, problem.New(problem.Invalid, "there is no time zone %q", l.Timezone).At(at+"timezone").WithHint("use a name such as Europe/Berlin"))
	}
	return problems
}

// env is the environment of expressions, at no moment yet; l is checked.
func (l Language) env() expr.Env {
	env := expr.Env{Locale: l.Locale, Currency: l.Currency}
	if l.Timezone != "" {
		env.Zone, _ = time.LoadLocation(l.Timezone)
	}
	return env
}

// namePattern is what may stand in a path: names of bindings and outputs.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

const nameHint = "use 1 to 63 lower-case letters, digits and dashes, not a dash first"

// Outputs is outs with every default written out. No outputs are one PNG of the
// default size. The error is a problem.List whose paths begin with path.
func Outputs(outs []Output, path string) ([]Output, error) {
	if len(outs) == 0 {
		outs = []Output{{}}
	}
	var problems problem.List
	full := make([]Output, len(outs))
	places := map[string]int{}
	for i, o := range outs {
		at := fmt.Sprintf("%s[%d]", path, i)
		problems = append(problems, o.complete(at)...)
		if first, twice := places[o.Name]; twice {
			problems = append(problems, problem.New(problem.Invalid, "%s[%d] is also named %q", path, first, o.Name).
				At(at+".name").WithHint("give each output a name of its own"))
		}
		places[o.Name] = i
		full[i] = o
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return full, nil
}

// complete writes the defaults into o and returns what is wrong with it.
func (o *Output) complete(at string) (problems problem.List) {
	problems = o.Encoding.check(at + ".")
	o.Encoding = o.Canonical()
	if o.Size == "default" {
		o.Size = ""
	}
	if o.Page < 0 || o.Page > maxPage {
		problems = append(problems, problem.New(problem.Invalid, "the page %d is not between 1 and %d", o.Page, maxPage).At(at+".page"))
	}
	problems = append(problems, o.Language.check(at+".")...)
	if o.Name == "" {
		o.Name = o.ownName()
	}
	if formats[o.Format] != "" && !namePattern.MatchString(o.Name) {
		problems = append(problems, problem.New(problem.Invalid, "an output can't be named %q", o.Name).
			At(at+".name").WithHint(nameHint))
	}
	return problems
}

// number is the page that is shown: of a PDF all, where none is named.
func (o *Output) number() int {
	if o.Page == 0 && o.Format == pdf {
		return template.AllPages
	}
	return o.Page
}

// maxPage is the last page that an output may name.
const maxPage = 1000

// ownName is the name of an output that was given none: what sets it apart from
// the first page in the default size.
func (o *Output) ownName() string {
	var parts []string
	for _, part := range []string{o.Size, o.Theme} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if o.Page > 1 {
		parts = append(parts, "page-"+strconv.Itoa(o.Page))
	}
	if len(parts) == 0 {
		return o.Format
	}
	return strings.Join(parts, "-")
}
