package sheets

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	sheetsource "github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// longestCell is how many characters Google lets a cell have.
const longestCell = 50_000

// The slugs of deliveries that no other try helps.
const (
	rowRefused      = "row_refused"      // a value that no cell holds
	targetMissing   = "target_missing"   // no row has the key
	targetAmbiguous = "target_ambiguous" // more than one row has it
)

// A want is what one delivery wants of a row.
type want struct {
	key     string // as the sheet's rows are found by
	name    string // for people
	cells   []any  // by column: bool, float64 or string; nil leaves what is there
	removed bool
	ended   *sink.Outcome
}

// want is what d wants of its row. Nil is nothing, or an error.
func (s *sheet) want(d sink.Delivery) (*want, error) {
	if d.Key == "" || d.Event == sink.ImageRemoved && s.cfg.OnRemove == keepCells {
		return nil, nil
	}
	w := &want{removed: d.Event == sink.ImageRemoved, cells: make([]any, len(s.columns))}
	values := fields.Of(d)
	texts := make([]string, 0, 1)
	for _, part := range values["keys"].([]any) {
		texts = append(texts, part.(string))
	}
	w.key, w.name = sheetsource.Key(texts), strings.Join(texts, ", ")
	partial := d.Event == sink.RenderFailed
	for _, o := range d.Outputs {
		partial = partial || o.Error != ""
	}
	for i, c := range s.columns {
		if w.removed {
			w.cells[i] = ""
			continue
		}
		cell, err := s.cell(c, values, expr.Env{Now: d.Time})
		if err != nil {
			return nil, retry.Permanent(problem.New(problem.Invalid, "column %q of row %q: %w", c.name, w.name, err).WithSlug(rowRefused))
		}
		if cell == "" && partial {
			continue // the picture of before is still the one that is served
		}
		w.cells[i] = cell
	}
	return w, nil
}

// cell is the value of a column as a cell holds it.
func (s *sheet) cell(c column, values map[string]any, env expr.Env) (any, error) {
	v, err := c.value.Eval(values, env)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case map[string]any, []any:
		return nil, errors.New("the value is a list or an object, and a cell holds one value")
	case bool:
		if s.cfg.Formula == "" {
			return v, nil
		}
	case json.Number:
		if f, err := v.Float64(); err == nil && s.cfg.Formula == "" {
			return f, nil
		}
	}
	// As it comes back, so that it is not written again and again.
	text := strings.ToValidUTF8(strings.ReplaceAll(expr.Text(v), "\r\n", "\n"), "\uFFFD")
	if text != "" && s.cfg.Formula == image {
		if text, err = imageFormula(text); err != nil {
			return nil, err
		}
	}
	if n := len([]rune(text)); n > longestCell {
		return nil, fmt.Errorf("the value has %d characters, and a cell holds %d", n, longestCell)
	}
	return text, nil
}

// imageFormula shows the picture at that address. Within a text of a formula only a
// quotation mark means something, and is written twice.
func imageFormula(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", fmt.Errorf("%.100q is no http or https address, and =IMAGE() needs one", address)
	}
	return `=IMAGE("` + strings.ReplaceAll(address, `"`, `""`) + `")`, nil
}
