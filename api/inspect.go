package api

import (
	"fmt"
	"net/http"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
	"github.com/pictifyd/pictifyd/template"
)

// A tableView is what rows that somebody sends look like, and which variables of a
// template its columns are for.
type tableView struct {
	batch.Table

	Variables []template.Var `json:"variables"` // of the template; none where none was named
	batch.Match
}

// inspectTable reads a table as a batch would, keeps nothing of it, and says what it
// looks like.
func (s *Server) inspectTable(w http.ResponseWriter, r *http.Request) error {
	var vars []template.Var
	q := r.URL.Query()
	if name := q.Get("template"); name != "" {
		_, form, err := s.templateOf(r.Context(), name)
		if err != nil {
			return err
		}
		vars = form.Vars()
	}
	form, err := tableForm(r)
	if err != nil {
		return err
	}
	layout := batch.Layout{Sheet: q.Get("sheet"), Rows: q.Get("sourceRows")}
	if text := q.Get("delimiter"); text != "" {
		var invalid *problem.Error
		if layout.Delimiter, invalid = rows.ParseDelimiter(text); invalid != nil {
			return invalid.At("delimiter")
		}
	}
	body, err := unpacked(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return err
	}
	defer body.Close()
	table, err := batch.Inspect(body, form, layout, s.limits)
	if err != nil {
		return fmt.Errorf("inspect a table: %w", cutShort(err))
	}
	return answer(w, http.StatusOK, tableView{table, list(vars), batch.MatchColumns(table.Columns, vars)})
}

var tableFormats = []string{string(batch.JSON), string(batch.NDJSON), string(batch.CSV), string(batch.TSV), string(batch.XLSX)}

// tableForm is the format that the query names, or that of the Content-Type.
func tableForm(r *http.Request) (batch.Format, error) {
	word, err := wordParam(r, "format", tableFormats)
	if err != nil || word != "" {
		return batch.Format(word), err
	}
	form, err := batchForm(r)
	return form.Format, err
}
