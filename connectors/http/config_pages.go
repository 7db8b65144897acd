package httppoll

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/connectors/poll"
)

// The ways in which a list comes in pages.
const (
	byLink   = "link"
	byCursor = "cursor"
	byPage   = "page"
	byOffset = "offset"
)

const defaultMaxPages = 10_000

// Pages says how a list that comes in several answers is read to its end.
type Pages struct {
	// By is link (the answer names the address of the next page), cursor (it has
	// what the next one is asked for with), page (they are numbered) or offset
	// (rows are). With the last two a list that changes meanwhile may be seen
	// wrong, so that more is asked for to find out.
	By string `yaml:"by"`

	Next   string `yaml:"next"`   // link, cursor: where in the answer it stands; empty: link takes the Link header
	Column string `yaml:"column"` // cursor: it is this column of the page's last row
	More   string `yaml:"more"`   // where the answer says whether there is more: true or false
	Total  string `yaml:"total"`  // where the answer says how many rows there are

	Param     string `yaml:"param"`      // the query parameter of cursor, page or offset; empty is that word
	Field     string `yaml:"field"`      // or the place in json: "variables.after"
	Start     *int   `yaml:"start"`      // of the first page; absent: page 1, offset 0
	Size      int    `yaml:"size"`       // rows that a page is asked for; zero leaves that to the server
	SizeParam string `yaml:"size_param"` // as which it is asked for; empty is limit
	Aligned   bool   `yaml:"aligned"`    // offset: the server takes only whole multiples of the size

	MaxPages int `yaml:"max_pages"` // a list of more is not complete; zero is 10,000
}

var fieldPath = regexp.MustCompile(`^[^.]+(\.[^.]+)*$`)

func (p *Pages) check(f *faults, c *Config) {
	ways := []string{byLink, byCursor, byPage, byOffset}
	if !slices.Contains(ways, p.By) {
		f.add("pages.by", "%q is not one of %s", p.By, strings.Join(ways, ", "))
		return
	}
	for name, path := range map[string]string{"next": p.Next, "more": p.More, "total": p.Total} {
		if err := poll.CheckPath(path); err != nil {
			f.list = append(f.list, err.At("pages."+name))
		} else if path != "" && c.Format != "" && c.Format != poll.JSON {
			f.add("pages."+name, "is for answers in json, not %s", c.Format)
		}
	}
	if p.Size < 0 {
		f.add("pages.size", "must not be negative")
	}
	if p.MaxPages < 0 {
		f.add("pages.max_pages", "must not be negative")
	}
	if p.Field != "" {
		p.checkField(f, c)
	}
	p.checkUse(f)
}

func (p *Pages) checkField(f *faults, c *Config) {
	object, isObject := c.JSON.(map[string]any)
	switch {
	case !isObject:
		f.add("pages.field", "there is no json that is an object")
	case p.Param != "":
		f.add("pages.field", "param is there too").WithHint("keep one of them")
	case !fieldPath.MatchString(p.Field) || !settable(object, p.Field):
		f.add("pages.field", "%q is no place in json", p.Field).WithHint(`names with dots between them, as in "variables.after"`)
	}
}

// checkUse refuses what another way of paging would use.
func (p *Pages) checkUse(f *faults) {
	if p.By == byCursor && (p.Next == "") == (p.Column == "") {
		f.add("pages.next", "a cursor is at one place").WithHint(`name where the answer has it (next: "$.next_cursor"), or the column of its last row`)
	}
	for _, u := range []struct {
		name string
		set  bool
		ways []string
	}{
		{"next", p.Next != "", []string{byLink, byCursor}},
		{"column", p.Column != "", []string{byCursor}},
		{"param", p.Param != "", []string{byCursor, byPage, byOffset}},
		{"field", p.Field != "", []string{byCursor, byPage, byOffset}},
		{"start", p.Start != nil, []string{byPage, byOffset}},
		{"aligned", p.Aligned, []string{byOffset}},
	} {
		if u.set && !slices.Contains(u.ways, p.By) {
			f.add("pages."+u.name, "is for %s, not %s", strings.Join(u.ways, " and "), p.By).WithHint("leave it out")
		}
	}
}

func (p *Pages) param() string {
	if p.Param == "" {
		return p.By
	}
	return p.Param
}

func (p *Pages) sizeParam() string {
	if p.SizeParam == "" {
		return "limit"
	}
	return p.SizeParam
}

func (p *Pages) start() int {
	switch {
	case p.Start != nil:
		return *p.Start
	case p.By == byPage:
		return 1
	}
	return 0
}

func (p *Pages) maxPages() int {
	if p.MaxPages == 0 {
		return defaultMaxPages
	}
	return p.MaxPages
}

// drifting reports whether a page is asked for by its place in the list, which
// moves when rows before it come or go.
func (p *Pages) drifting() bool { return p.By == byPage || p.By == byOffset }
