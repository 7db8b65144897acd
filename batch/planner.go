package batch

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/pictifyd/pictifyd/bindings"
)

// MaxKey is the length of the longest row key, in bytes.
const MaxKey = 512

// A Planner turns the rows of one job into proposals. It is for one goroutine.
type Planner struct {
	job     Job
	drawing *bindings.Drawing
	now     time.Time
	taken   map[[16]byte]int64 // hashed row keys, with the row that has them
	refused *bindings.Problem  // of every row; nil when rows can be drawn
	binding *bindings.Binding  // of a run: draws instead of drawing
	joined  *bindings.Joined   // of the rows that come next
	mapping *mapping           // nil: variables are the columns of their name

	variants *bindings.Variants // of the job's experiment; draw instead of drawing
}

// NewPlanner checks the outputs of job against t, which is the version that the
// job pinned: its error is a problem.List that refuses the batch. The clock of
// all its rows is now. arms are those of its experiment, nil where it names none.
func NewPlanner(job Job, t bindings.Template, epoch int64, now time.Time, arms *bindings.Arms) (*Planner, error) {
	p := &Planner{job: job, now: now, taken: map[[16]byte]int64{}}
	var err error
	if p.drawing, err = bindings.NewDrawing(t, job.Version, epoch, plannedOutputs(job)); err != nil {
		return nil, err
	}
	if job.Test != nil && arms != nil {
		if p.variants, err = bindings.NewVariants(job.Test.Experiment, *arms, epoch, plannedOutputs(job)); err != nil {
			return nil, err
		}
	}
	if p.mapping, err = newMapping(job, t, p.variants); err != nil {
		return nil, err
	}
	return p, nil
}

// NewRefusal is a Planner by which every row of job ends with p: its template
// cannot draw.
func NewRefusal(job Job, p bindings.Problem) *Planner { return &Planner{job: job, refused: &p} }

// Resumes reports whether rows of the job were planned before this planner was
// made, whose keys it must be told by Taken before it plans on.
func (p *Planner) Resumes() bool {
	return p.refused == nil && p.job.RowKey != "" && p.job.Planned > 0
}

// Taken tells p that the row of that index has the key already.
func (p *Planner) Taken(index int64, key string) { p.taken[hashKey(key)] = index }

// Propose is what the rows should become, one proposal for each, in order. A row
// that is wrong in itself, or whose key another row has, is proposed as a
// problem.
func (p *Planner) Propose(rows []Row) []bindings.Proposal {
	proposals := make([]bindings.Proposal, len(rows))
	for i, r := range rows {
		proposals[i] = p.propose(r)
		proposals[i].Index = r.Index
	}
	return proposals
}

func (p *Planner) propose(r Row) bindings.Proposal {
	owner := bindings.JobOwner(p.job.ID)
	if p.refused != nil {
		return bindings.Refused(owner, p.ownKey(r), *p.refused)
	}
	if r.Error != nil {
		return bindings.Refused(owner, p.ownKey(r), bindings.Problem{Code: r.Error.Code, Field: r.Error.Field, Message: r.Error.Message})
	}
	if p.binding != nil {
		return p.proposeBound(r)
	}
	values, err := decodeValues(r.Values)
	if err != nil {
		return bindings.Refused(owner, p.ownKey(r), bindings.Problem{Code: "bad_row", Message: err.Error()})
	}
	key, refused := p.key(r, values)
	if refused != nil {
		return bindings.Refused(owner, p.ownKey(r), *refused)
	}
	row := values
	if values, refused = p.mapping.apply(values, p.now); refused != nil {
		return p.variants.As(bindings.Refused(owner, key, *refused), row, p.joined)
	}
	if p.variants != nil {
		return p.variants.Propose(owner, key, row, values, p.joined, p.now, p.job.Priority.OfRenders())
	}
	return p.drawing.Propose(owner, key, values, p.now, p.job.Priority.OfRenders())
}

func decodeValues(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil {
		return nil, fmt.Errorf("the row is not readable: %w", err)
	}
	return values, nil
}

// ownKey is the key of a row that has none in its values, or none that counts:
// the one that it came with where no variable names the rows, else "#" and its
// index, which no key that a caller gives looks like.
func (p *Planner) ownKey(r Row) string {
	if p.job.RowKey == "" {
		return r.Key
	}
	return "#" + strconv.FormatInt(r.Index, 10)
}

// ownKeyForm is what ownKey makes, with any number of "#".
var ownKeyForm = regexp.MustCompile(`^#+[0-9]+$`)

// key is the row's own key, which from now on is taken.
func (p *Planner) key(r Row, values map[string]any) (string, *bindings.Problem) {
	if p.job.RowKey == "" {
		return p.ownKey(r), nil
	}
	field := "variables." + p.job.RowKey
	key, reason, message := keyText(values[p.job.RowKey])
	if reason != "" {
		return "", &bindings.Problem{Code: reason, Field: field, Message: "the row's key " + message}
	}
	h := hashKey(key)
	if first, twice := p.taken[h]; twice && first != r.Index {
		return "", &bindings.Problem{Code: bindings.DuplicateKey, Field: field, Message: fmt.Sprintf("row %d has the key %q already", first, key)}
	}
	p.taken[h] = r.Index
	return key, nil
}

// keyText is v as a row's key, or the reason why it can be none.
func keyText(v any) (key, reason, message string) {
	switch v := v.(type) {
	case nil:
		return "", bindings.NullKey, "is missing or null"
	case string:
		key = norm.NFC.String(v)
	case json.Number:
		key = v.String()
	case bool:
		key = strconv.FormatBool(v)
	default:
		return "", bindings.BadKey, "is neither text nor a number"
	}
	switch {
	case key == "":
		return "", bindings.NullKey, "is empty"
	case len(key) > MaxKey || !utf8.ValidString(key):
		return "", bindings.BadKey, fmt.Sprintf("is longer than %d bytes", MaxKey)
	case ownKeyForm.MatchString(key):
		return "#" + key, "", ""
	}
	return key, "", ""
}

func hashKey(key string) [16]byte {
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}
