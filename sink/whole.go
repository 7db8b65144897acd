package sink

// A Whole is what every event about a binding as a whole says of it.
type Whole struct {
	Binding    string `json:"binding"`
	BindingID  string `json:"bindingId"` // the same, as other products have it
	TemplateID string `json:"templateId,omitempty"`
}

// An Updated is the data of BindingUpdated: it counts the rows whose images changed.
type Updated struct {
	Whole
	Added   int64 `json:"added"`
	Changed int64 `json:"changed"`
	Removed int64 `json:"removed"`
	Failed  int64 `json:"failed"`
}

// A Failed is the data of BindingFailed: why a binding works no longer.
type Failed struct {
	Whole
	Reason string `json:"reason"` // source, unable, rows
	Source string `json:"source,omitempty"`
	Code   string `json:"errorCode"`
	Error  string `json:"error"`
}

// A Tripped is the data of BindingGuardTripped: what the guard of a binding holds.
type Tripped struct {
	Whole
	HeldChanges  int64  `json:"heldChanges"`
	HeldRemovals int64  `json:"heldRemovals"`
	Reason       string `json:"reason"`
}

// Holds reports whether it is anything.
func (t Tripped) Holds() bool { return t.HeldChanges+t.HeldRemovals > 0 }
