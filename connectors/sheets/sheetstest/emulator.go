package sheetstest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are how an emulator behaves.
type Options struct {
	// Anonymous answers requests without credentials too.
	Anonymous bool
	Quota     Quota
	// Disabled services, "sheets" or "drive", are not enabled in anybody's project.
	Disabled map[string]bool
	Now      func() time.Time // nil is time.Now
}

// An Emulator answers as sheets.googleapis.com and www.googleapis.com do.
type Emulator struct {
	o Options

	mu        sync.Mutex
	books     map[string]*Book
	accounts  map[string]*Account
	keys      map[string]string // to their projects
	tokens    map[string]token
	exchanges int
	refusals  int
	meter     meter
	calls     []Call
	hook      func(Call) *Failure
}

var _ http.Handler = (*Emulator)(nil)

// A Call is one request to the API.
type Call struct {
	Method      string // "values.batchGet"
	Spreadsheet string
	Ranges      []string
	Write       bool
	Number      int // of the calls of this method, from 1
}

func (c Call) service() string {
	if c.Method == "files.get" {
		return "drive"
	}
	return "sheets"
}

// New is an emulator without spreadsheets.
func New(o Options) *Emulator {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Emulator{
		o: o, books: map[string]*Book{}, accounts: map[string]*Account{},
		keys: map[string]string{}, tokens: map[string]token{},
	}
}

// Add makes a spreadsheet without sheets.
func (e *Emulator) Add(id, title string) *Book {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := &Book{e: e, id: id, title: title, readers: map[string]bool{}}
	b.touch()
	e.books[id] = b
	return b
}

// Delete removes a spreadsheet.
func (e *Emulator) Delete(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.books, id)
}

// Hook is asked before each call is answered; what it returns is the answer, or
// nil for the usual one. It may edit spreadsheets.
func (e *Emulator) Hook(hook func(Call) *Failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hook = hook
}

// Calls are the calls so far.
func (e *Emulator) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

// Exchanges is how many tokens were given out.
func (e *Emulator) Exchanges() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.exchanges
}

// Refusals is how many requests were beyond a quota.
func (e *Emulator) Refusals() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.refusals
}

// A route is one method of the API.
type route struct {
	name    string
	write   bool
	queries []string // that the method knows, beside those of every method
	answer  func(*Emulator, *Book, request) (object, *Failure)
}

// queries that every method knows.
var common = []string{"alt", "prettyPrint", "fields", "key", "access_token", "quotaUser", "$.xgafv", "callback", "oauth_token"}

var reads = []string{"majorDimension", "valueRenderOption", "dateTimeRenderOption"}

var writes = []string{"valueInputOption", "includeValuesInResponse", "responseValueRenderOption", "responseDateTimeRenderOption"}

// routes are the methods by what stands in place of the spreadsheet's part of
// the path: "" alone, or its suffix.
var routes = map[string]route{
	"GET ":                    {name: "spreadsheets.get", queries: []string{"ranges", "includeGridData", "excludeTablesInBandedRanges"}, answer: (*Emulator).getBook},
	"POST :batchUpdate":       {name: "spreadsheets.batchUpdate", write: true, answer: (*Emulator).batchUpdate},
	"GET values/":             {name: "values.get", queries: reads, answer: (*Emulator).getValues},
	"PUT values/":             {name: "values.update", write: true, queries: writes, answer: (*Emulator).updateValues},
	"POST values/:append":     {name: "values.append", write: true, queries: append([]string{"insertDataOption"}, writes...), answer: (*Emulator).appendValues},
	"POST values/:clear":      {name: "values.clear", write: true, answer: (*Emulator).clearValues},
	"GET values:batchGet":     {name: "values.batchGet", queries: append([]string{"ranges"}, reads...), answer: (*Emulator).batchGetValues},
	"POST values:batchUpdate": {name: "values.batchUpdate", write: true, answer: (*Emulator).batchUpdateValues},
	"POST values:batchClear":  {name: "values.batchClear", write: true, answer: (*Emulator).batchClearValues},
	"GET drive":               {name: "files.get", queries: []string{"supportsAllDrives", "supportsTeamDrives", "acknowledgeAbuse", "includeLabels", "includePermissionsForView"}, answer: (*Emulator).getFile},
}

// A request is what a method is asked.
type request struct {
	r     *http.Request
	path  string // the range in the path
	query url.Values
}

// ServeHTTP implements http.Handler.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.URL.Path == "/token" {
		e.exchange(w, r)
		return
	}
	drive := strings.HasPrefix(r.URL.Path, "/drive/")
	key, call, q := find(r)
	found, known := routes[key]
	if !known {
		(&Failure{Status: http.StatusNotFound, Body: fmt.Sprintf("<!DOCTYPE html><title>Error 404 (Not Found)!!1</title><p>The requested URL <code>%s</code> was not found on this server.", url.PathEscape(r.URL.Path))}).write(w, drive)
		return
	}
	call.Method, call.Write = found.name, found.write
	f := e.before(&call)
	if f != nil && f.Drop {
		panic(http.ErrAbortHandler)
	}
	if f != nil && !f.Cut {
		f.write(w, drive)
		return
	}
	answer, refused := e.answer(found, call, q)
	switch {
	case refused != nil:
		refused.write(w, drive)
	case f != nil:
		w = &cutter{ResponseWriter: w}
		send(w, http.StatusOK, answer)
		panic(http.ErrAbortHandler)
	default:
		send(w, http.StatusOK, answer)
	}
}

// A cutter sends only the first half of what is written.
type cutter struct{ http.ResponseWriter }

func (c *cutter) Write(p []byte) (int, error) {
	_, err := c.ResponseWriter.Write(p[:len(p)/2])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	return len(p), err
}

// before counts the call, and asks the hook.
func (e *Emulator) before(c *Call) *Failure {
	e.mu.Lock()
	c.Number = 1
	for _, before := range e.calls {
		if before.Method == c.Method {
			c.Number++
		}
	}
	e.calls = append(e.calls, *c)
	hook := e.hook
	e.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(*c)
}

func (e *Emulator) answer(m route, c Call, q request) (object, *Failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name := range q.query {
		if !slices.Contains(common, name) && !slices.Contains(m.queries, name) {
			return nil, invalid("Invalid JSON payload received. Unknown name \"%s\": Cannot bind query parameter. Field '%s' could not be found in request message.", name, name)
		}
	}
	who, f := e.identify(q.r)
	if f != nil {
		return nil, f
	}
	if c.service() == "sheets" {
		if f := e.charge(who, c.Write); f != nil {
			return nil, f
		}
	}
	b := e.books[c.Spreadsheet]
	if f := e.permit(who, b, c); f != nil {
		return nil, f
	}
	if b == nil { // nobody has to be permitted
		return nil, fail(http.StatusNotFound, "Requested entity was not found.")
	}
	b.by = who.email
	answer, f := m.answer(e, b, q)
	if f != nil {
		return nil, f
	}
	if c.Write {
		b.touch()
	}
	if fields := q.query.Get("fields"); fields != "" {
		return mask(answer, fields)
	}
	return answer, nil
}

// find takes a request's path apart.
func find(r *http.Request) (route string, c Call, q request) {
	q = request{r: r, query: r.URL.Query()}
	path := r.URL.EscapedPath()
	if id, ok := strings.CutPrefix(path, "/drive/v3/files/"); ok {
		c.Spreadsheet, _ = url.PathUnescape(id)
		return r.Method + " drive", c, q
	}
	rest, ok := strings.CutPrefix(path, "/v4/spreadsheets/")
	if !ok {
		return "", c, q
	}
	id, rest, values := strings.Cut(rest, "/")
	c.Ranges = q.query["ranges"]
	if !values {
		id, verb, custom := strings.Cut(id, ":")
		c.Spreadsheet, _ = url.PathUnescape(id)
		if custom {
			verb = ":" + verb
		}
		return r.Method + " " + verb, c, q
	}
	c.Spreadsheet, _ = url.PathUnescape(id)
	of, ok := strings.CutPrefix(rest, "values/")
	if !ok {
		return r.Method + " " + rest, c, q
	}
	verb := ""
	if r.Method == http.MethodPost {
		if i := strings.LastIndexByte(of, ':'); i >= 0 {
			of, verb = of[:i], of[i:]
		}
	}
	q.path, _ = url.PathUnescape(of)
	c.Ranges = []string{q.path}
	return r.Method + " values/" + verb, c, q
}

// Serve is e behind an address of this machine, until the test ends.
func Serve(tb interface{ Cleanup(func()) }, e *Emulator) (address string) {
	s := httptest.NewServer(e)
	tb.Cleanup(s.Close)
	return s.URL
}
