// Package model is the contract of those who speak to a language model: one turn of
// a conversation goes out with the tools that may be called, one reply comes back.
package model

import (
	"context"
	"encoding/json"
)

// A Provider answers conversations. Safe for use by several goroutines.
//
// Complete returns the whole reply; said, which may be nil, hears its text as it
// comes. It never runs a tool. Errors are problems: Overloaded where the same
// conversation may be answered later (with retry.After where the model said when),
// Unauthorized for a key that is not taken, Invalid with the slugs below where this
// conversation cannot be answered by this model, Surroundings where nobody answers.
type Provider interface {
	Complete(ctx context.Context, r Request, said func(text string)) (Reply, error)
	// Info says which model answers, and what it can.
	Info() Info
}

// The slugs of providers' problems.
const (
	CutOff      = "model_cut_off"     // the reply ended before its end
	Malformed   = "model_malformed"   // the reply is none of the protocol
	Unsupported = "model_unsupported" // the endpoint does not do what was asked of it; the hint says how it would
	TooLong     = "model_too_long"    // the conversation does not fit into the model
)

// An Info is what is known of a model.
type Info struct {
	Name     string // as pictifyd.yaml calls it
	Provider string // rules, openai or anthropic
	Model    string // as the provider calls it; "" for none
	Can      Capabilities
	Price    Price
}

// Capabilities are what a model can do. What it cannot is done without: a model
// without Tools is asked for one action as JSON, one without Vision gets numbers in
// place of pictures.
type Capabilities struct {
	Tools              bool // calls tools
	ParallelTools      bool // several in a reply
	ForcedTool         bool // can be told to call one
	JSONSchema         bool // keeps to a schema where it calls no tools
	Vision             bool
	ImagesInToolResult bool // else pictures come in a message of the user behind the results
	MaxImages          int  // in one request; 0 is no limit
}

// A Price is in the currency of whoever is paid, for a million tokens.
type Price struct{ In, Out float64 }

// The roles of messages.
const (
	User      = "user"
	Assistant = "assistant"
	ToolRole  = "tool" // the result of a call
)

// A Message is one of a conversation.
type Message struct {
	Role   string
	Text   string
	Images []Image
	Calls  []Call // of the assistant
	CallID string // of a tool's: the call that it answers
	Failed bool   // of a tool's: the call was refused, and Text says why
}

// An Image is a picture that the model looks at.
type Image struct {
	MediaType string // image/png, image/jpeg or image/webp
	Bytes     []byte
}

// A Call is a tool that the model wants called. Arguments are as they came, which
// may be no JSON at all; an ID that was missing was made, and is unique in its
// conversation.
type Call struct {
	ID, Name  string
	Arguments json.RawMessage
}

// A Tool is what a model may call.
type Tool struct {
	Name        string
	Description string
	Schema      json.RawMessage // JSON Schema of an object
}

// A Request is a conversation that wants its next message.
type Request struct {
	System    string
	Messages  []Message
	Tools     []Tool
	MustCall  bool // a text alone is no answer
	MaxTokens int  // of the reply; 0 is the provider's own

	// Format is a JSON Schema of an object that the text of the reply keeps to, where
	// the model Can.JSONSchema; nil is any text. It is not given together with Tools.
	Format json.RawMessage
}

// The ends of replies.
const (
	Ended   = "end"
	Calls   = "calls"   // it waits for the results of calls
	Length  = "length"  // it was too long for MaxTokens
	Refused = "refused" // the model does not want to
)

// A Reply is the model's message.
type Reply struct {
	Text  string
	Calls []Call
	Stop  string
	Usage Usage
}

// A Usage counts tokens.
type Usage struct {
	In  int64 `json:"in"`
	Out int64 `json:"out"`
}

// Add is both together.
func (u Usage) Add(v Usage) Usage { return Usage{u.In + v.In, u.Out + v.Out} }

// Cost is what the tokens cost.
func (p Price) Cost(u Usage) float64 { return (p.In*float64(u.In) + p.Out*float64(u.Out)) / 1e6 }
