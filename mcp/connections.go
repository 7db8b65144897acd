package mcp

import "context"

var deliveryStates = []string{"waiting", "claimed", "delivered", "dead", "superseded", "discarded"}

var connectionTools = []Tool{
	tool(Tool{
		Name: "list_sources", Title: "List sources", Effect: Reads,
		Description: "Where rows come from: kind, which bindings use it, how fresh it is, and what is wrong with it.",
		Scopes:      []string{"connections:read"}, Routes: []string{"GET /sources"},
	}, plain((*Server).listSources)),
	tool(Tool{
		Name: "list_sinks", Title: "List sinks", Effect: Reads,
		Description: "Who is told of images: kind, which bindings use it, how it fares, how many deliveries wait or were given up.",
		Scopes:      []string{"connections:read"}, Routes: []string{"GET /sinks"},
	}, plain((*Server).listSinks)),
	tool(Tool{
		Name: "list_deliveries", Title: "List deliveries", Effect: Reads,
		Description: "What sinks were told, or will be, newest first: with the error and the receiver's answer of those that failed." + untrusted,
		Scopes:      []string{"bindings:read"}, Routes: []string{"GET /deliveries"},
		enums: map[string][]string{"state": deliveryStates},
	}, plain((*Server).listDeliveries)),
}

// A connection is a source or a sink, without its settings.
type connection struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	ReadOnly bool     `json:"readOnly" jsonschema:"it stands in the configuration"`
	UsedBy   []string `json:"usedBy" jsonschema:"bindings"`
	Error    string   `json:"error,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

type source struct {
	connection
	Freshness *sourceFreshness `json:"freshness,omitempty"`
}

type sourceFreshness struct {
	freshness
	ConfirmedAt *string `json:"confirmedAt"`
	ChangedAt   *string `json:"changedAt"`
	NextAt      *string `json:"nextAt"`
	Error       string  `json:"error,omitempty"`
	Quarantined int64   `json:"quarantined"`
}

type sourceList struct {
	Sources []source `json:"sources"`
}

func (s *Server) listSources(ctx context.Context, _ nothing) (out sourceList, err error) {
	err = s.ask(ctx, read("sources"), &out)
	return out, err
}

type sink struct {
	connection
	Delivery *sinkState `json:"delivery,omitempty"`
}

type sinkState struct {
	State        string  `json:"state" jsonschema:"well, failing, resting, paused or disabled"`
	Reason       string  `json:"reason,omitempty"`
	FailingSince *string `json:"failingSince,omitempty"`
	ArrivedAt    *string `json:"arrivedAt"`
	Waiting      *int64  `json:"waiting,omitempty"`
	DeadLetters  *int64  `json:"deadLetters,omitempty"`
}

type sinkList struct {
	Sinks []sink `json:"sinks"`
}

func (s *Server) listSinks(ctx context.Context, _ nothing) (out sinkList, err error) {
	err = s.ask(ctx, read("sinks"), &out)
	return out, err
}

type listDeliveriesIn struct {
	Sink    string `json:"sink,omitempty" jsonschema:"only those to this sink"`
	Binding string `json:"binding,omitempty" jsonschema:"only those of this binding"`
	State   string `json:"state,omitempty"`
	page
}

type rowDelivery struct {
	ID        string  `json:"id"`
	Sink      string  `json:"sink"`
	Event     string  `json:"event"`
	State     string  `json:"state"`
	Attempts  int64   `json:"attempts"`
	Error     string  `json:"error,omitempty"`
	Answer    *answer `json:"answer,omitempty"`
	CreatedAt *string `json:"createdAt"`
	DueAt     *string `json:"dueAt,omitempty" jsonschema:"of the next try"`
	EndedAt   *string `json:"endedAt,omitempty"`
}

// answer is what a receiver said.
type answer struct {
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	Ref    string `json:"ref,omitempty"`
}

type delivery struct {
	rowDelivery
	Binding string `json:"binding,omitempty"`
	JobID   string `json:"jobId,omitempty"`
	Key     string `json:"key,omitempty"`
}

type deliveryList struct {
	Deliveries []delivery `json:"deliveries"`
	Next       string     `json:"next,omitempty" jsonschema:"the after of the next page"`
}

func (s *Server) listDeliveries(ctx context.Context, in listDeliveriesIn) (out deliveryList, err error) {
	o := read("deliveries").with("sink", in.Sink).with("binding", in.Binding).with("state", in.State).with("after", in.After).with("limit", in.size())
	err = s.ask(ctx, o, &out)
	for i := range out.Deliveries {
		if a := out.Deliveries[i].Answer; a != nil {
			a.Body = clip(a.Body, shownText)
		}
	}
	return out, err
}
