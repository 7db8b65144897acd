package sink

import (
	"slices"
	"time"
)

// The types of pictures, as subscriptions filter them.
const (
	TypeImage = "image"
	TypeGIF   = "gif"
	TypePDF   = "pdf"
)

// Types are the words for the types of pictures.
func Types() []string { return []string{TypeImage, TypeGIF, TypePDF} }

// TypeOf is the type of pictures of that format.
func TypeOf(format string) string {
	switch format {
	case TypeGIF, TypePDF:
		return format
	}
	return TypeImage
}

// ToSubscription is what the sink of a subscription's deliveries begins with, before
// its id.
const ToSubscription = "sub:"

// A Subscription is a webhook that a caller of the API has told of the events of
// all bindings and batches that it does not filter out.
type Subscription struct {
	ID        string
	Events    []string
	URL       string
	Platform  string // who receives: zapier, make; for people
	Filter    Filter
	Templates []string // that its key may use; none: all
	Owner     string   // the id of its key
	Author    string   // the name of its key

	Secret        string // sealed
	Previous      string // sealed; signs as well until PreviousUntil
	PreviousUntil time.Time

	Revision             int64 // 1 at first, one more at each change
	CreatedAt, UpdatedAt time.Time
}

// A Filter leaves events out. What is empty takes all.
type Filter struct {
	Template string `json:"templateId,omitempty"`
	Binding  string `json:"bindingId,omitempty"`
	Type     string `json:"type,omitempty"` // of pictures: image, gif, pdf
}

// A Subject is what an event is about.
type Subject struct {
	Template string
	Binding  string   // "" of a batch
	Types    []string // of its outputs
}

// Hears reports whether a subscription is told of an event about a subject.
func (s *Subscription) Hears(event string, of Subject) bool {
	return slices.Contains(s.Events, event) &&
		(len(s.Templates) == 0 || slices.Contains(s.Templates, of.Template)) &&
		(s.Filter.Template == "" || s.Filter.Template == of.Template) &&
		(s.Filter.Binding == "" || s.Filter.Binding == of.Binding) &&
		(s.Filter.Type == "" || slices.Contains(of.Types, s.Filter.Type))
}

// An About is what is kept of the subject of a row's event beside its pictures.
type About struct {
	Template string `json:"template"`
}
