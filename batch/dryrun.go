package batch

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/bindings"
)

// What a dry run answers with at most.
const (
	DryRunErrors = 1000
	DryRunSample = 5

	firstSample = 2 // of the sample; the others have the longest texts
)

// A DryRun is what a batch would come to.
type DryRun struct {
	DryRun     bool         `json:"dryRun"`
	TotalItems int64        `json:"totalItems"`
	Valid      int64        `json:"validItems"`
	Invalid    int64        `json:"invalidItems"`
	Errors     []RowFailure `json:"errors"` // the first of them, by index
	Truncated  bool         `json:"truncated"`
	Sample     []SampleRow  `json:"sample"`
	Files      RemoteFiles  `json:"remoteFiles"`
	Estimate   Estimate     `json:"estimate"`
}

// A SampleRow is a row of the sample as it is drawn, or why it can't be.
type SampleRow struct {
	RowResult
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
	Field string `json:"field,omitempty"`
}

// RemoteFiles says how far the remote images of the rows were asked for.
type RemoteFiles struct {
	Checked   int `json:"checked"` // addresses
	Missing   int `json:"missing"`
	Unchecked int `json:"unchecked"` // there were too many, or they took too long
}

// An Estimate is how long the batch would take.
type Estimate struct {
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"ratePerSecond"`
	Deduped int64   `json:"dedupedItems"`
	Basis   string  `json:"basis"` // what the rate was seen at: an earlier batch of the template, or the sample
}

// A Check finds out what the rows of a batch would come to, page by page. It is
// for one goroutine.
type Check struct {
	planner *Planner
	vars    []string // whose longest texts are wanted
	images  []string // variables that are addresses of pictures

	seen    map[[16]byte]bool // hashed fingerprints
	longest map[string]longest
	first   []checked
	files   []File
	address map[string]int // in files
	skipped map[string]bool
	refused map[int64]bool

	result  DryRun
	renders int64
}

// A checked is a row that can be drawn, with what it wants.
type checked struct {
	row      Row
	proposal bindings.Proposal
}

type longest struct {
	checked
	length int
}

// A File is a remote file that rows show, and the first of them.
type File struct {
	URL      string
	Field    string
	Proposal bindings.Proposal
	rows     []rowID // all that name it
}

type rowID struct {
	index int64
	key   string
}

// NewCheck checks rows that planner plans for t. It follows at most files
// remote addresses.
func NewCheck(planner *Planner, t bindings.Template) *Check {
	c := &Check{
		planner: planner, seen: map[[16]byte]bool{}, longest: map[string]longest{}, address: map[string]int{},
		skipped: map[string]bool{}, refused: map[int64]bool{},
	}
	c.result = DryRun{DryRun: true, Errors: []RowFailure{}, Sample: []SampleRow{}}
	for _, v := range t.Vars() {
		if v.Type == "image" {
			c.images = append(c.images, v.Name)
		} else {
			c.vars = append(c.vars, v.Name)
		}
	}
	return c
}

// maxFiles is how many remote addresses a check follows.
const maxFiles = 500

// Add checks the next rows. unrendered says which pictures are not there yet, of
// some that this check has not met.
func (c *Check) Add(rows []Row, unrendered func(fingerprints []string) ([]string, error)) error {
	proposals := c.planner.Propose(rows)
	var asked []string
	fresh := map[string]bool{}
	for _, p := range proposals {
		for _, w := range p.Wants {
			if !c.seen[hashKey(w.Fingerprint)] && !fresh[w.Fingerprint] {
				fresh[w.Fingerprint] = true
				asked = append(asked, w.Fingerprint)
			}
		}
	}
	missing, err := unrendered(asked)
	if err != nil {
		return err
	}
	clear(fresh)
	for _, f := range missing {
		fresh[f] = true
	}
	for i, p := range proposals {
		c.result.TotalItems++
		if p.Problem != nil {
			c.refuse(rowID{p.Index, p.Key}, RowError{Code: p.Problem.Code, Field: p.Problem.Field, Message: p.Problem.Message})
			continue
		}
		own := false
		for _, w := range p.Wants {
			if fresh[w.Fingerprint] && !c.seen[hashKey(w.Fingerprint)] {
				own = true
				c.renders++
			}
			c.seen[hashKey(w.Fingerprint)] = true
		}
		if !own {
			c.result.Estimate.Deduped++
		}
		c.note(checked{rows[i], p})
	}
	return nil
}

// refuse counts a row that would fail.
func (c *Check) refuse(row rowID, e RowError) {
	if c.refused[row.index] {
		return
	}
	c.refused[row.index] = true
	c.result.Invalid++
	c.result.Errors = append(c.result.Errors, RowFailure{
		Index: row.index, Key: row.key, Code: e.Code, Error: e.Message, Field: e.Field, Retryable: e.Retryable,
	})
	c.trim(2 * DryRunErrors)
}

// trim keeps the first errors once there are more than most.
func (c *Check) trim(most int) {
	if len(c.result.Errors) <= most {
		return
	}
	slices.SortStableFunc(c.result.Errors, func(a, b RowFailure) int { return int(a.Index - b.Index) })
	c.result.Errors = c.result.Errors[:DryRunErrors]
	c.result.Truncated = true
}

// note looks at a good row for the sample and for its files.
func (c *Check) note(row checked) {
	if len(c.first) < DryRunSample {
		c.first = append(c.first, row)
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(row.row.Values, &values) != nil {
		return // it was planned, so it can be read
	}
	for _, name := range c.vars {
		if n := len(values[name]); n > c.longest[name].length {
			c.longest[name] = longest{row, n}
		}
	}
	for _, name := range c.images {
		c.follow(row, name, wording(values[name]))
	}
}

// follow notes that a row shows the picture at an address.
func (c *Check) follow(row checked, name, address string) {
	if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return
	}
	i, known := c.address[address]
	switch {
	case known:
	case len(c.files) == maxFiles:
		c.skipped[address] = true
		return
	default:
		i = len(c.files)
		c.address[address] = i
		c.files = append(c.files, File{URL: address, Field: "variables." + name, Proposal: row.proposal})
	}
	c.files[i].rows = append(c.files[i].rows, rowID{row.row.Index, row.proposal.Key})
}

// Files are the remote files to be asked for.
func (c *Check) Files() []File { return c.files }

// Unasked says that so many of the Files were not asked for.
func (c *Check) Unasked(n int) { c.result.Files.Unchecked += n }

// Asked says how a file was: nil when it is there, or when rows can do without.
func (c *Check) Asked(f File, e *RowError) {
	c.result.Files.Checked++
	if e == nil {
		return
	}
	c.result.Files.Missing++
	for _, row := range f.rows {
		c.refuse(row, *e)
	}
}

// Sample is what is to be drawn of the rows: the first ones, and those with the
// longest text of some variable. Rows that are known to fail are not in it.
func (c *Check) Sample() []bindings.Proposal {
	var chosen []checked
	add := func(row checked, most int) {
		known := slices.ContainsFunc(chosen, func(o checked) bool { return o.row.Index == row.row.Index })
		if !known && !c.refused[row.row.Index] && len(chosen) < most {
			chosen = append(chosen, row)
		}
	}
	for _, row := range c.first {
		add(row, firstSample)
	}
	var long []longest
	for _, name := range sortedKeys(c.longest) {
		long = append(long, c.longest[name])
	}
	slices.SortStableFunc(long, func(a, b longest) int { return b.length - a.length })
	for _, l := range long {
		add(l.checked, DryRunSample)
	}
	for _, row := range c.first {
		add(row, DryRunSample)
	}
	proposals := make([]bindings.Proposal, len(chosen))
	for i, row := range chosen {
		proposals[i] = row.proposal
	}
	return proposals
}

// Renders is how many pictures would be made.
func (c *Check) Renders() int64 { return c.renders }

// Result is the answer. Sampled is how the sample came out; rate is of pictures
// a second, seen at basis, or 0.
func (c *Check) Result(sampled []Result, rate float64, basis string, image ImageURLFunc) DryRun {
	for _, r := range sampled {
		row := SampleRow{}
		if r.Error != nil {
			row.RowResult = RowResult{Index: r.Index, Key: r.Key, Status: Failed, Outputs: pictures(r, image), Warnings: warnings(r)}
			row.Code, row.Error, row.Field = r.Error.Code, r.Error.Message, r.Error.Field
			if !r.Error.Retryable { // else the machine's fault, which says nothing of the row
				c.refuse(rowID{r.Index, r.Key}, *r.Error)
			}
		} else {
			row.RowResult = NewRowResult(r, image)
		}
		c.result.Sample = append(c.result.Sample, row)
	}
	c.trim(DryRunErrors)
	slices.SortStableFunc(c.result.Errors, func(a, b RowFailure) int { return int(a.Index - b.Index) })
	slices.SortStableFunc(c.result.Sample, func(a, b SampleRow) int { return int(a.Index - b.Index) })
	c.result.Valid = c.result.TotalItems - c.result.Invalid
	c.result.Files.Unchecked += len(c.skipped)
	c.result.Estimate.Basis = basis
	if rate > 0 {
		c.result.Estimate.Rate, c.result.Estimate.Seconds = tenths(rate), tenths(float64(c.renders)/rate)
	}
	return c.result
}
