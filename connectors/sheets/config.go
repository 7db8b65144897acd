package sheets

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/a1"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	defaultEvery   = 15 * time.Second
	minEvery       = time.Second
	defaultTimeout = time.Minute
	// defaultFull is how long Drive's word that nothing changed is taken.
	defaultFull = 10 * time.Minute
)

// How values are asked for.
const (
	raw       = "raw"       // numbers, booleans, texts
	formatted = "formatted" // texts as the sheet shows them
)

// How a row with an error in a cell is taken.
const (
	hold  = "hold"  // it stays as it was
	empty = "empty" // the cell has no value
)

const (
	auto = "auto"
	none = "none"
)

// Kind is "kind: sheets".
var Kind = connectors.Kind{
	Name:    "sheets",
	Summary: "a table in Google Sheets",
	Callers: true,
	Config: func() connectors.Config {
		return &Config{
			Common:    connectors.Common{Every: config.Duration(defaultEvery)},
			Values:    raw,
			Dates:     config.Strings{auto},
			Errors:    hold,
			FullEvery: config.Duration(defaultFull),
			Timeout:   config.Duration(defaultTimeout),
		}
	},
	New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
		return newSource(cfg.(*Config), env)
	},
}

// Config is a source of kind sheets.
type Config struct {
	connectors.Common

	Spreadsheet string         `yaml:"spreadsheet"` // its ID, or its address
	Range       config.Strings `yaml:"range"`       // as in "Products!A:H"; empty is the sheet of the address, or the first
	HeaderRow   int            `yaml:"header_row"`  // the row of the sheet that names the columns; 0 is the first of the range
	Values      string         `yaml:"values"`      // raw or formatted
	Dates       config.Strings `yaml:"dates"`       // columns whose numbers are dates; "auto" is those that are formatted so; "none"
	Errors      string         `yaml:"error_cells"` // hold or empty

	Drive     bool            `yaml:"drive"`      // ask Drive first whether the file was modified
	FullEvery config.Duration `yaml:"full_every"` // and read it all the same after so long

	// Credentials is the JSON of a service account, or another of Google's key
	// files. Without it and without an API key the machine's own credentials serve.
	Credentials config.Secret `yaml:"credentials"`
	APIKey      config.Secret `yaml:"api_key"` // for sheets that whoever has the link may read

	Endpoint string          `yaml:"endpoint"` // instead of Google's; without credentials none are sent there
	Timeout  config.Duration `yaml:"timeout"`  // of one request
}

// Validate implements connectors.Config.
func (c *Config) Validate() error {
	var list problem.List
	bad := func(path, format string, args ...any) *problem.Error {
		list = append(list, problem.New(problem.Invalid, format, args...).At(path))
		return list[len(list)-1]
	}
	if len(c.Key) == 0 {
		bad("key", "a sheets source needs key columns").
			WithHint("name the column that identifies a row, as in key: sku; a row's number is not one, since rows move")
	}
	if c.Every.Std() < minEvery {
		bad("every", "must be at least %v", minEvery)
	}
	if _, err := parseAddress(c.Spreadsheet); err != nil {
		list = append(list, err.At("spreadsheet"))
	}
	for _, text := range c.Range {
		if r, err := a1.Parse(text); err != nil {
			bad("range", "%v", err).WithHint(`as in "Products!A:H", or the name of a sheet`)
		} else if r.Down > 0 && r.Down <= max(r.Top, 1) && c.HeaderRow == 0 {
			bad("range", "%q has no room for a header and a row", text).WithHint(`leave the end open, as in "Products!A:H"`)
		}
	}
	if c.HeaderRow < 0 {
		bad("header_row", "must be at least 1")
	}
	oneOf(bad, "values", c.Values, raw, formatted)
	oneOf(bad, "error_cells", c.Errors, hold, empty)
	if c.Values == formatted && len(c.dateColumns()) > 0 {
		bad("dates", "with values: formatted dates are what the sheet shows").WithHint("leave dates out, or set values: raw")
	}
	if len(c.Dates) > 1 && (slices.Contains(c.Dates, auto) || slices.Contains(c.Dates, none)) {
		bad("dates", "columns stand beside %q or %q", auto, none).WithHint("keep one of them")
	}
	if !c.Credentials.IsZero() && !c.APIKey.IsZero() {
		bad("api_key", "credentials identify pictifyd already").WithHint("keep one of them")
	}
	if !c.Credentials.IsZero() {
		if _, err := parseCredentials(c.Credentials.Reveal()); err != nil {
			list = append(list, err.At("credentials"))
		}
	}
	if strings.ContainsAny(c.APIKey.Reveal(), " \r\n\t") {
		bad("api_key", "has white space in it").WithHint("see whether a line end was read with it")
	}
	if c.Endpoint != "" {
		if u, err := url.Parse(c.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			bad("endpoint", "is not an http or https address").WithHint(`as in "http://127.0.0.1:8090"`)
		}
	}
	for path, d := range map[string]config.Duration{"timeout": c.Timeout, "full_every": c.FullEvery} {
		if d <= 0 {
			bad(path, "must be more than 0")
		}
	}
	return list.Err()
}

func oneOf(bad func(path, format string, args ...any) *problem.Error, path, word string, words ...string) {
	if slices.Contains(words, word) {
		return
	}
	e := bad(path, "%q is none of %s", word, strings.Join(words, ", "))
	if near, ok := config.Nearest(word, words); ok {
		_ = e.WithHint("did you mean %q?", near)
	}
}

// dateColumns are the columns that are declared to hold dates.
func (c *Config) dateColumns() []string {
	if len(c.Dates) == 1 && (c.Dates[0] == auto || c.Dates[0] == none) {
		return nil
	}
	return c.Dates
}

// looksAtFormats reports whether the sheet's formats say which numbers are dates.
func (c *Config) looksAtFormats() bool {
	return c.Values == raw && len(c.Dates) == 1 && c.Dates[0] == auto
}

// Addresses implements connectors.Addressed.
func (c *Config) Addresses() map[string]string {
	addresses := map[string]string{"spreadsheet": c.sheetsEndpoint()}
	if c.Endpoint != "" {
		addresses = map[string]string{"endpoint": c.Endpoint}
	}
	if c.Drive && c.Endpoint == "" {
		addresses["drive"] = c.driveEndpoint()
	}
	if key, err := parseCredentials(c.Credentials.Reveal()); err == nil && key.TokenURI != "" {
		addresses["credentials"] = key.TokenURI
	}
	return addresses
}

func (c *Config) sheetsEndpoint() string {
	if c.Endpoint == "" {
		return "https://sheets.googleapis.com/"
	}
	return strings.TrimSuffix(c.Endpoint, "/") + "/"
}

func (c *Config) driveEndpoint() string {
	if c.Endpoint == "" {
		return "https://www.googleapis.com/"
	}
	return c.sheetsEndpoint()
}

// An address is which spreadsheet, and which of its sheets.
type address struct {
	id  string
	gid string // of the sheet; "" where the address does not say
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// parseAddress reads a spreadsheet's ID, or the address that a browser shows.
func parseAddress(text string) (address, *problem.Error) {
	const hint = `the ID is what stands behind /d/ in the address, as in https://docs.google.com/spreadsheets/d/ID/edit`
	switch {
	case text == "":
		return address{}, problem.New(problem.Invalid, "a sheets source needs a spreadsheet").WithHint(hint)
	case idForm.MatchString(text):
		return address{id: text}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return address{}, problem.New(problem.Invalid, "%q is neither the ID nor the address of a spreadsheet", text).WithHint(hint)
	}
	_, rest, found := strings.Cut(u.Path, "/spreadsheets/d/")
	id, _, _ := strings.Cut(rest, "/")
	if id == "e" {
		return address{}, problem.New(problem.Invalid, "this is the address of a published copy, which the API does not know").
			WithHint("open the spreadsheet itself and copy its address")
	}
	if !found || !idForm.MatchString(id) {
		return address{}, problem.New(problem.Invalid, "%q is not the address of a spreadsheet", text).WithHint(hint)
	}
	gid := u.Query().Get("gid")
	if fragment, err := url.ParseQuery(u.Fragment); err == nil && fragment.Has("gid") {
		gid = fragment.Get("gid")
	}
	return address{id, gid}, nil
}
