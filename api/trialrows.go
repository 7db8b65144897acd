package api

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/sample"
)

// A trialRowView is one row of a place, and what it gives to the template.
type trialRowView struct {
	From      string         `json:"from"`
	Total     int            `json:"total"`
	At        int            `json:"at"` // from 0; -1 where there is none
	Key       string         `json:"key,omitempty"`
	Name      string         `json:"name,omitempty"` // the key for people
	Row       map[string]any `json:"row"`            // as it was read
	Variables map[string]any `json:"variables"`      // the examples where there is no row
	Skipped   bool           `json:"skipped"`        // the binding makes no picture of it
	Error     *trialFault    `json:"error,omitempty"`
	Looked    *sample.Looked `json:"looked,omitempty"` // how far a pick looked

	Rows    []map[string]any `json:"rows,omitempty"`    // of what was sent, the first of them
	Choices []RowChoice      `json:"choices,omitempty"` // places that have rows
}

// A trialFault is why a row gives no values, or the template takes none of them.
type trialFault struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func faultOf(err error) *trialFault {
	if err == nil {
		return nil
	}
	p := problem.All(err)[0]
	return &trialFault{p.Kind(), p.Path, p.Message, p.Hint}
}

// maxPasted bounds rows that are sent to be tried.
const (
	maxPasted     = 2 << 20
	maxPastedRows = 10_000
	pastedShown   = 1000
)

// showTrialRow gives one row of a place: by its number, its key, or a pick.
func (s *Server) showTrialRow(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	t, err := s.trialOf(r, q.Get("from"))
	if err != nil {
		return err
	}
	view, err := t.choose(r)
	if err != nil {
		return err
	}
	if q.Get("at") == "" && q.Get("key") == "" && q.Get("pick") == "" {
		if view.Choices, err = s.choicesFor(r, t.name); err != nil {
			return err
		}
	}
	return answer(w, http.StatusOK, view)
}

// tryRows gives one of the rows that are sent.
func (s *Server) tryRows(w http.ResponseWriter, r *http.Request) error {
	t, err := s.draftOf(r)
	if err != nil {
		return err
	}
	rows, err := readPasted(w, r)
	if err != nil {
		return err
	}
	t.from, t.rows = fromPasted, sample.NewList(rows)
	view, err := t.choose(r)
	if err != nil {
		return err
	}
	view.Rows = rows[:min(len(rows), pastedShown)]
	return answer(w, http.StatusOK, view)
}

// choose is the row that the query of r names.
func (t *trial) choose(r *http.Request) (trialRowView, error) {
	q := r.URL.Query()
	view := trialRowView{From: t.from, At: -1, Row: map[string]any{}, Variables: examplesOf(t.form.Vars())}
	total, err := t.rows.Total(r.Context())
	if err != nil {
		return view, fmt.Errorf("count the rows of %s: %w", t.from, err)
	}
	view.Total = total
	at, err := intParam(r, "at", 0, 0, 1<<40)
	if err != nil {
		return view, err
	}
	var row sample.Row
	var ok bool
	switch key, pick := q.Get("key"), q.Get("pick"); {
	case key != "":
		if at, err = t.rows.PlaceOf(r.Context(), key); err != nil {
			return view, err
		}
		row, ok, err = sample.One(r.Context(), t.rows, total, at)
	case pick != "":
		seed, err := seedOf(r)
		if err != nil {
			return view, err
		}
		if row, ok, view.Looked, err = sample.Pick(r.Context(), t.rows, t.form.Vars(), total, pick, seed); err != nil {
			return view, err
		}
	default:
		row, ok, err = sample.One(r.Context(), t.rows, total, at)
	}
	if err != nil {
		return view, fmt.Errorf("read a row of %s: %w", t.from, err)
	}
	if ok {
		view.show(row)
	}
	return view, nil
}

func (v *trialRowView) show(row sample.Row) {
	v.At, v.Key, v.Row, v.Skipped, v.Error = row.At, row.Key, row.Columns, row.Skipped, faultOf(row.Err)
	if row.Key != "" {
		v.Name = bindings.KeyText(row.Key)
	}
	v.Variables = row.Values
	if v.Variables == nil {
		v.Variables = map[string]any{}
	}
	if v.Row == nil {
		v.Row = map[string]any{}
	}
}

func seedOf(r *http.Request) (uint64, error) {
	text := r.URL.Query().Get("seed")
	if text == "" {
		return 0, nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, problem.New(problem.Invalid, "the seed %q is no number", text).WithSlug("invalid_type").At("seed")
	}
	return seed, nil
}

// choicesFor are the places with rows that the asker may see.
func (s *Server) choicesFor(r *http.Request, template string) ([]RowChoice, error) {
	all, err := s.deps.Trials.RowChoices(r.Context(), template)
	if err != nil {
		return nil, fmt.Errorf("look for rows: %w", err)
	}
	seen := []RowChoice{}
	for _, c := range all {
		if s.mayTryWith(r.Context(), RowPlace{c.Kind, c.Name}) == nil {
			seen = append(seen, c)
		}
	}
	return seen, nil
}

// readPasted reads rows that are sent to be tried, in any format of a batch.
func readPasted(w http.ResponseWriter, r *http.Request) ([]map[string]any, error) {
	format := batch.Format(r.URL.Query().Get("format"))
	if format == "" {
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if format = batch.FormatOf(media); err != nil || format == "" {
			return nil, problem.New(problem.Unsupported, "rows of the type %q are not read", r.Header.Get("Content-Type")).
				WithSlug("unsupported_media_type").At("Content-Type").WithHint("name the format: format=csv, tsv, json, ndjson or xlsx")
		}
	}
	switch format {
	case batch.JSON, batch.NDJSON, batch.CSV, batch.TSV, batch.XLSX:
	default:
		return nil, problem.New(problem.Invalid, "there is no format %q", format).WithSlug("unknown_format").At("format").
			WithHint("it is csv, tsv, json, ndjson or xlsx")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPasted))
	if err != nil {
		return nil, smallBodyError(err)
	}
	rows, err := decodePasted(body, format)
	if one, isOne := pastedOne(body); err != nil && format == batch.JSON && isOne {
		return one, nil
	}
	return rows, err
}

// pastedOne is the row of a body that is one.
func pastedOne(body []byte) ([]map[string]any, bool) {
	row, err := bindings.Values(body)
	return []map[string]any{row}, err == nil
}

func decodePasted(body []byte, format batch.Format) ([]map[string]any, error) {
	rows := []map[string]any{}
	limits := batch.Limits{Rows: maxPastedRows, Body: maxPasted}
	_, err := batch.DecodeRows(bytes.NewReader(body), format, batch.Layout{}, limits, func(row batch.Row) error {
		if row.Error != nil {
			return problem.New(problem.Invalid, "row %d: %s", row.Index+1, row.Error.Message).WithSlug(row.Error.Code)
		}
		values, err := bindings.Values(row.Values)
		if err != nil {
			return problem.New(problem.Invalid, "row %d is not readable: %w", row.Index+1, err).WithSlug(slugMalformed)
		}
		rows = append(rows, values)
		return nil
	})
	if err != nil && problem.All(err)[0].Slug == batch.NoRows {
		return rows, nil
	}
	return rows, err
}
