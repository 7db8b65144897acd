package httppoll

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// PagesLoop is the slug of a list whose pages have no end.
const PagesLoop = "pages_loop"

// A trail leads from page to page of one list.
type trail struct {
	pages *Pages
	key   []string
	first *request

	number   int    // of the page that came last, from 1
	place    int    // of that page: its number or offset as it was asked for
	overlaps bool   // its first row should be the last of the page before
	lastKey  string // of the last row
	rows     string // the digest of its rows
	seen     map[string]bool
	total    string
	count    int // of rows
}

// newTrail begins at the first page of the list that r asks for.
func newTrail(p *Pages, key []string, r *request) *trail {
	t := &trail{pages: p, key: key, seen: map[string]bool{}, place: p.start()}
	if p.Size > 0 {
		r = r.withParam(p.sizeParam(), strconv.Itoa(p.Size))
	}
	if p.drifting() {
		r = t.at(r, p.start())
	}
	if p.By == byLink {
		t.seen[poll.Digest([]byte(r.url.String()))] = true
	}
	t.first = r
	return t
}

// A turn is what follows from a page.
type turn struct {
	next  *request // nil after the last page
	skip  bool     // the page's first row was in the page before
	drift string   // what shows that rows moved meanwhile
}

// follow says what to ask for after a page.
func (t *trail) follow(a answer, page tally) (turn, error) {
	t.number++
	to, err := t.step(a, page)
	if err != nil {
		return turn{}, err
	}
	if to.skip {
		t.count--
	}
	t.count += page.count
	t.rows = page.rows
	if page.count > 0 {
		t.lastKey = keyOf(t.key, page.last)
	}
	return to, t.countTotal(&to, page)
}

func (t *trail) step(a answer, page tally) (turn, error) {
	more := true
	if t.pages.More != "" {
		text, err := page.find(t.pages.More, "more")
		if err != nil {
			return turn{}, err
		}
		more = text != "" && text != "false" && text != "0"
	}
	switch t.pages.By {
	case byLink:
		return t.byLink(a, page, more)
	case byCursor:
		return t.byCursor(page, more)
	case byPage:
		return t.byPage(page, more)
	}
	return t.byOffset(page, more)
}

func (t *trail) byLink(a answer, page tally, more bool) (turn, error) {
	link := nextLink(a.link)
	if t.pages.Next != "" {
		var err error
		if link, err = page.find(t.pages.Next, "next"); err != nil {
			return turn{}, err
		}
	}
	if link == "" || !more {
		return turn{}, nil
	}
	to, err := a.url.Parse(link)
	if err != nil {
		return turn{}, problem.New(problem.Upstream, "the link to the next page is no address")
	}
	first := t.first.url
	if first.Scheme == "https" && to.Scheme == "http" { // as a server behind a proxy names itself
		to.Scheme = "https"
	}
	if !sameOrigin(to, first) {
		return turn{}, problem.New(problem.Upstream, "the next page is at %s, another host", display(&url.URL{Scheme: to.Scheme, Host: to.Host})).
			WithHint("an http source asks one host alone: its headers are meant for it")
	}
	to.Fragment = ""
	return turn{next: t.first.withURL(to)}, t.once("link", to.String())
}

func (t *trail) byCursor(page tally, more bool) (turn, error) {
	if !more || t.pages.Column != "" && page.count == 0 {
		return turn{}, nil
	}
	var cursor string
	var err error
	if t.pages.Column == "" {
		cursor, err = page.find(t.pages.Next, "next")
	} else if cursor = expr.Text(page.last[t.pages.Column]); cursor == "" {
		err = problem.New(problem.Upstream, "the last row has no column %q to go on from", t.pages.Column).WithHint("correct pages.column")
	}
	switch {
	case err != nil:
		return turn{}, err
	case cursor != "":
		return turn{next: t.with(t.first, cursor, cursor)}, t.once("cursor", cursor)
	case t.pages.More != "":
		return turn{}, problem.New(problem.Upstream, "there is more, says %s, and no cursor at %s", t.pages.More, t.pages.Next).WithHint("correct pages.next")
	}
	return turn{}, nil
}

func (t *trail) byPage(page tally, more bool) (turn, error) {
	if page.count == 0 || !more {
		return turn{}, nil
	}
	if err := t.moves(page); err != nil {
		return turn{}, err
	}
	t.place++
	return turn{next: t.at(t.first, t.place)}, nil
}

// byOffset asks for the last row of a page once more with the next: if another
// one comes in its place, rows before it came or went.
func (t *trail) byOffset(page tally, more bool) (to turn, err error) {
	if t.overlaps {
		to.skip = t.lastKey != "" && keyOf(t.key, page.first) == t.lastKey
		if !to.skip {
			to.drift = fmt.Sprintf("rows moved between the pages %d and %d while they were read", t.number-1, t.number)
		}
	}
	ahead := page.count
	if t.overlaps {
		ahead--
	}
	if ahead <= 0 || !more {
		return to, nil
	}
	if err := t.moves(page); err != nil {
		return to, err
	}
	t.place += page.count
	if t.overlaps = page.count > 1 && !t.pages.Aligned; t.overlaps {
		t.place--
	}
	to.next = t.at(t.first, t.place)
	return to, nil
}

// moves refuses a page with the rows of the one before: the server does not heed
// what it is asked.
func (t *trail) moves(page tally) error {
	if t.number > 1 && page.rows == t.rows {
		return problem.New(problem.Upstream, "page %d has the same rows as the one before: the server does not heed %s", t.number, t.pages.param()).
			WithSlug(PagesLoop).WithHint("correct pages.param")
	}
	return nil
}

// once refuses what led to a page before.
func (t *trail) once(what, value string) error {
	digest := poll.Digest([]byte(value))
	if t.seen[digest] {
		return problem.New(problem.Upstream, "page %d has a %s that was there before: the pages have no end", t.number, what).WithSlug(PagesLoop)
	}
	t.seen[digest] = true
	return nil
}

// countTotal ends the list where all rows came that the answer says there are.
func (t *trail) countTotal(to *turn, page tally) error {
	if t.pages.Total == "" {
		return nil
	}
	total, err := page.find(t.pages.Total, "total")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(total)
	if err != nil {
		return problem.New(problem.Upstream, "%s is %q, not a number of rows", t.pages.Total, total).WithHint("correct pages.total")
	}
	if t.number > 1 && total != t.total && to.drift == "" {
		to.drift = fmt.Sprintf("there were %s rows at page %d and %s at page %d", t.total, t.number-1, total, t.number)
	}
	if t.total = total; t.count >= n && t.pages.drifting() {
		to.next = nil
	}
	return nil
}

// missing says how many rows did not come; "" when all did.
func (t *trail) missing() string {
	if n, err := strconv.Atoi(t.total); err == nil && t.count < n {
		return fmt.Sprintf("%d of %d rows came", t.count, n)
	}
	return ""
}

// at is r for the page at a place.
func (t *trail) at(r *request, place int) *request {
	text := strconv.Itoa(place)
	return t.with(r, text, json.Number(text))
}

// with is r with what a page is asked for with.
func (t *trail) with(r *request, text string, value any) *request {
	if t.pages.Field != "" {
		return r.withField(t.pages.Field, value)
	}
	return r.withParam(t.pages.param(), text)
}
