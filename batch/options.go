package batch

import (
	"encoding/json"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// A Priority is how soon a job's pictures are made, beside those of others.
type Priority string

// The priorities. Normal is also "".
const (
	Low    Priority = "low"
	Normal Priority = "normal"
	High   Priority = "high"
)

// OfRenders is the priority of the renders of a job of priority p: high is
// beside rows that have just changed, low beside what is planned again.
func (p Priority) OfRenders() int {
	switch p {
	case High:
		return bindings.PriorityChange
	case Low:
		return bindings.PriorityReplan
	}
	return bindings.PriorityBatch
}

func (f *fields) setPriority(name string, value json.RawMessage) problem.List {
	if problems := text(name, value, &f.priority); problems != nil {
		return problems
	}
	switch Priority(f.priority) {
	case Low, Normal, High:
		return nil
	}
	return problem.List{problem.New(problem.Invalid, "there is no priority %q", f.priority).At(name).WithHint("it is low, normal or high")}
}

func (f *fields) setOrigin(meaning, name string, value json.RawMessage) problem.List {
	into := map[string]*string{"sourceUrl": &f.origin.URL, "source": &f.origin.Source, "binding": &f.origin.Binding}[meaning]
	switch problems := text(name, value, into); {
	case problems != nil:
		return problems
	case *into == "":
		return problem.List{problem.New(problem.Invalid, "the field is empty").At(name)}
	case meaning == "sourceUrl" && !isAddress(*into):
		return problem.List{problem.New(problem.Invalid, "%q is no address that rows could be read from", *into).
			At(name).WithHint("give an absolute http or https URL")}
	}
	return nil
}

// origins are the fields that name where rows are, as they were given.
func (f *fields) origins() (given []string) {
	for _, meaning := range []string{"sourceUrl", "source", "binding"} {
		if name, ok := f.given[meaning]; ok {
			given = append(given, name)
		}
	}
	return given
}

func (f *fields) setDelimiter(name string, value json.RawMessage) problem.List {
	var word string
	if problems := text(name, value, &word); problems != nil {
		return problems
	}
	var invalid *problem.Error
	if f.layout.Delimiter, invalid = rows.ParseDelimiter(word); invalid != nil {
		return problem.List{invalid.At(name)}
	}
	return nil
}

// count reads a whole number from 1.
func count(path string, value json.RawMessage, into *int64) problem.List {
	if json.Unmarshal(value, into) != nil || *into < 1 {
		return problem.List{wants(path, "a whole number from 1")}
	}
	return nil
}
