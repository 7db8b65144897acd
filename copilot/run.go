// Package copilot edits templates step by step: a model plans, calls tools over the
// operations that everybody else uses, is told what every step did to the picture,
// and people accept, reject and undo its steps one by one.
//
//	message ─▶ plan ─▶ step: calls ─▶ operations on a working copy ─▶ checks ─▶ ONE step of the draft ─▶ next ─▶ finish
//
// A run writes nothing but steps of the template's draft, each of which can be
// taken back to the byte. The package knows neither where runs are kept nor who
// answers: the ledger, the desk, the camera and the model are given to it.
package copilot

import (
	"encoding/json"
	"time"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// The states of a run.
const (
	Running   = "running"
	Waiting   = "waiting"      // for an answer of a person
	Review    = "needs_review" // it has ended, and its steps wait for a person
	Accepted  = "accepted"
	Discarded = "discarded"
	Failed    = "failed"    // Problem says why; the steps that it took stay to be reviewed
	Cancelled = "cancelled" // likewise
)

// A Run is one message to the copilot and what came of it.
type Run struct {
	ID       string   `json:"id"`
	Template string   `json:"template"`
	Message  string   `json:"message"`
	Author   string   `json:"author"`          // who asked
	Model    string   `json:"model"`           // as pictifyd.yaml calls it
	Prompt   string   `json:"promptHash"`      // SHA-256, hex, of the system prompt and the tools that the model was told of
	Size     string   `json:"size,omitempty"`  // that the person looks at
	Theme    string   `json:"theme,omitempty"` // likewise
	Layers   []string `json:"layers"`          // that the person has selected
	Status   string   `json:"status"`
	Summary  string   `json:"summary,omitempty"` // the copilot's last words
	Problem  *Problem `json:"problem,omitempty"`

	Plan       []Item      `json:"plan"`
	Steps      []Step      `json:"steps"`
	Candidates []Candidate `json:"candidates"` // to choose one of
	Variants   []Variant   `json:"variants"`   // that an experiment can be made of
	Question   *Question   `json:"question,omitempty"`
	Findings   []Finding   `json:"findings"` // of the last checks

	Base     int64  `json:"base"`     // the version that the draft began with
	Revision int64  `json:"revision"` // of the draft before the first step
	Budget   Budget `json:"budget"`
	Spent    Spent  `json:"spent"`

	CreatedAt time.Time  `json:"createdAt"`
	EndedAt   *time.Time `json:"endedAt,omitempty"`
}

// Open reports whether the copilot works on it.
func (r Run) Open() bool { return r.Status == Running || r.Status == Waiting }

// Reviewable reports whether its steps can be accepted, rejected and undone.
func (r Run) Reviewable() bool {
	return r.Status == Review || r.Status == Failed || r.Status == Cancelled
}

// A Problem says why a run ended.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// The states of plan items.
const (
	Todo    = "todo"
	Doing   = "doing"
	Done    = "done"
	Skipped = "skipped"
)

// An Item is one line of the plan.
type Item struct {
	Text  string `json:"text"`
	State string `json:"state"`
	Step  int    `json:"step,omitempty"` // that it became, from 1
}

// The states of steps.
const (
	Pending  = "pending"
	Kept     = "accepted"
	Rejected = "rejected" // taken back
)

// A Step is one change of the draft.
type Step struct {
	Number   int               `json:"number"` // from 1
	Title    string            `json:"title"`
	State    string            `json:"state"`
	Revision int64             `json:"revision"` // of the draft, that it led to
	Ops      []json.RawMessage `json:"ops"`
	Notes    []string          `json:"notes"`
	Changed  []string          `json:"changed"`        // layers
	Diff     string            `json:"diff"`           // of the document, as diff -u has it
	Size     string            `json:"size,omitempty"` // that the pictures are of
	Theme    string            `json:"theme,omitempty"`
	Before   string            `json:"before,omitempty"` // names of pictures
	After    string            `json:"after,omitempty"`
	Findings []Finding         `json:"findings"` // after it
	At       time.Time         `json:"at"`
}

// A Candidate is one of several ways to go on, of which a person picks one.
type Candidate struct {
	Name    string            `json:"name"`
	Title   string            `json:"title"`
	Ops     []json.RawMessage `json:"ops"`
	Picture string            `json:"picture,omitempty"`
	Picked  int               `json:"picked,omitempty"` // the step that it became
}

// A Variant is a way to show the template that an experiment can compare with it.
type Variant struct {
	Name  string `json:"name"`
	Theme string `json:"theme,omitempty"`
	Size  string `json:"size,omitempty"`
}

// A Question waits for a person.
type Question struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Choices []string `json:"choices"`
}

// A Finding is something that the checks found.
type Finding struct {
	Code    string  `json:"code"`  // contrast, overflow, off_page, overlap, …: see copilot/check
	Level   string  `json:"level"` // error or warning
	Layer   string  `json:"layer,omitempty"`
	Size    string  `json:"size,omitempty"`
	Theme   string  `json:"theme,omitempty"`
	Row     string  `json:"row,omitempty"` // what the row is hard by
	Ratio   float64 `json:"ratio,omitempty"`
	Need    float64 `json:"need,omitempty"`
	Message string  `json:"message"`
}

// A Budget is what a run may use up; 0 is the configuration's.
type Budget struct {
	Steps   int   `json:"steps"`
	Calls   int   `json:"calls"` // of tools
	Tokens  int64 `json:"tokens"`
	Seconds int   `json:"seconds"`
	Images  int   `json:"images"` // that a model looks at
}

// Spent is what a run has used up.
type Spent struct {
	Steps   int         `json:"steps"`
	Calls   int         `json:"calls"`
	Turns   int         `json:"turns"` // replies of the model
	Usage   model.Usage `json:"tokens"`
	Images  int         `json:"images"`
	Seconds float64     `json:"seconds"`
	Cost    float64     `json:"cost"` // in the currency of the model's price
}

// The kinds of events.
const (
	EventRun        = "run"        // Run: as it is, at its beginning and whenever its status changes
	EventPlan       = "plan"       // {"items": []Item}
	EventText       = "text"       // {"text"}: the model says something
	EventStepStart  = "step.start" // {"step", "title"}
	EventTool       = "tool"       // {"step", "name", "arguments", "error"?}: a call, and why it was refused
	EventLook       = "look"       // {"step", "picture", "size", "theme"}
	EventCheck      = "check"      // {"step", "findings": []Finding}
	EventStep       = "step"       // Step: taken, or in another state
	EventCandidates = "candidates" // {"candidates": []Candidate}
	EventVariant    = "variant"    // Variant
	EventAsk        = "ask"        // Question
	EventUsage      = "usage"      // Spent
	EventEnd        = "end"        // {"status", "summary", "problem"?}: nothing follows but steps in another state
)

// An Event is one thing that happened in a run. Seq counts from 1 within it.
type Event struct {
	Seq  int64           `json:"seq"`
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
	At   time.Time       `json:"at"`
}
