package api

import (
	"net/http"

	"github.com/pictifyd/pictifyd/internal/problem"
	editing "github.com/pictifyd/pictifyd/template/edit"
)

// An operationList is the operations by which drafts are changed.
type operationList struct {
	Operations []operationView `json:"operations"`
}

// An operationView is one operation.
type operationView struct {
	Name    string               `json:"name"` // the op of an edit
	Summary string               `json:"summary"`
	Fields  []operationFieldView `json:"fields"`
}

// An operationFieldView is one field of an operation, in the words of JSON Schema.
type operationFieldView struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Required    bool     `json:"required,omitempty"`
	Nullable    bool     `json:"nullable,omitempty"`
	Enum        []string `json:"enum,omitempty"`
}

// listOperations tells which operations change drafts, and what each takes.
func (s *Server) listOperations(w http.ResponseWriter, r *http.Request) error {
	op := r.URL.Query().Get("op")
	all := operationList{Operations: []operationView{}}
	for _, k := range editing.Kinds() {
		if k.Exact || op != "" && k.Name != op { // exact ones are made as inverses, not by hand
			continue
		}
		v := operationView{Name: k.Name, Summary: k.Summary, Fields: []operationFieldView{}}
		for _, f := range k.Fields {
			v.Fields = append(v.Fields, operationFieldView(f))
		}
		all.Operations = append(all.Operations, v)
	}
	if len(all.Operations) == 0 {
		return problem.New(problem.NotFound, "there is no operation %q", op).At("op").WithHint("GET /operations lists them")
	}
	return answer(w, http.StatusOK, all)
}
