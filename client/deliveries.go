package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Delivery is what one sink was told, or will be.
type Delivery struct {
	ID         string     `json:"id"`
	Sink       string     `json:"sink"`
	Binding    string     `json:"binding,omitempty"`
	JobID      string     `json:"jobId,omitempty"`
	Key        string     `json:"key,omitempty"`
	Event      string     `json:"event"`
	Generation int64      `json:"generation"`
	State      string     `json:"state"`
	Attempts   int64      `json:"attempts"`
	Error      string     `json:"error,omitempty"`
	Cause      string     `json:"cause,omitempty"`
	Answer     *Answer    `json:"answer,omitempty"`
	CreatedAt  *time.Time `json:"createdAt"`
	DueAt      *time.Time `json:"dueAt,omitempty"`
	EndedAt    *time.Time `json:"endedAt,omitempty"`
	Discarded  *struct {
		Reason string     `json:"reason"`
		By     string     `json:"by"`
		At     *time.Time `json:"at"`
	} `json:"discarded,omitempty"`

	// Of one that is asked for by its id.
	Row      json.RawMessage `json:"row,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	RowError json.RawMessage `json:"rowError,omitempty"`
	Outputs  []struct {
		Output      string `json:"output"`
		URL         string `json:"url,omitempty"`
		ContentHash string `json:"contentHash,omitempty"`
		Format      string `json:"format,omitempty"`
		Width       int    `json:"width,omitempty"`
		Height      int    `json:"height,omitempty"`
		Code        string `json:"code,omitempty"`
		Error       string `json:"error,omitempty"`
	} `json:"outputs,omitempty"`
	Tries []struct {
		Attempt    int64      `json:"attempt"`
		At         *time.Time `json:"at"`
		DurationMs float64    `json:"durationMs"`
		OK         bool       `json:"ok"`
		Error      string     `json:"error,omitempty"`
		Answer     *Answer    `json:"answer,omitempty"`
	} `json:"tries,omitempty"`
	SpentAttempts int64 `json:"spentAttempts,omitempty"`
}

// An Answer is what a receiver answered.
type Answer struct {
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	Ref     string            `json:"ref,omitempty"`
}

// A DeliveryFilter chooses deliveries by all that it says.
type DeliveryFilter struct {
	Sink, Binding, Job, Key, State, Event, Cause string
	Since                                        string // a time, a day, or how long ago
}

func (f DeliveryFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"sink": f.Sink, "binding": f.Binding, "job": f.Job, "key": f.Key, "state": f.State, "event": f.Event, "cause": f.Cause, "since": f.Since,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// A DeliveryPage is a page of deliveries.
type DeliveryPage struct {
	Deliveries []Delivery `json:"deliveries"`
	Next       string     `json:"next,omitempty"` // "" at the end
}

// Deliveries are those of a filter, newest first, of the page that begins behind
// after.
func (r Remote) Deliveries(ctx context.Context, f DeliveryFilter, after string, limit int) (page DeliveryPage, err error) {
	q := f.query()
	q.Set("limit", strconv.Itoa(limit))
	if after != "" {
		q.Set("after", after)
	}
	return page, r.read(ctx, "/deliveries?"+q.Encode(), &page)
}

// Delivery is one delivery with what it tells and every attempt.
func (r Remote) Delivery(ctx context.Context, id string) (Delivery, error) {
	var v struct{ Delivery Delivery }
	return v.Delivery, r.read(ctx, deliveryPath(id), &v)
}

func deliveryPath(id string) string { return "/deliveries/" + url.PathEscape(id) }

// ReplayDelivery has one delivery tried again.
func (r Remote) ReplayDelivery(ctx context.Context, id string) (Delivery, error) {
	var v struct{ Delivery Delivery }
	return v.Delivery, r.order(ctx, deliveryPath(id)+"/replay", nil, &v)
}

// DiscardDelivery gives one dead letter up.
func (r Remote) DiscardDelivery(ctx context.Context, id, reason string) (Delivery, error) {
	var v struct{ Delivery Delivery }
	return v.Delivery, r.order(ctx, deliveryPath(id)+"/discard", map[string]string{"reason": reason}, &v)
}

// A LetterGroup is the dead letters of a sink that died of the same error.
type LetterGroup struct {
	Cause     string     `json:"cause"`
	Sink      string     `json:"sink"`
	Events    []string   `json:"events"`
	Error     string     `json:"error"`
	Count     int64      `json:"count"`
	FirstSeen *time.Time `json:"firstSeenAt"`
	LastSeen  *time.Time `json:"lastSeenAt"`
	IDs       []string   `json:"sampleIds"`
}

// DeadLetters are those of a filter by what they died of, the largest group first.
func (r Remote) DeadLetters(ctx context.Context, f DeliveryFilter) ([]LetterGroup, error) {
	var v struct{ Groups []LetterGroup }
	return v.Groups, r.read(ctx, "/dead-letters?"+f.query().Encode(), &v)
}

// A LetterSelection says which dead letters are meant: those of which all is true.
type LetterSelection struct {
	Cause   string `json:"cause,omitempty"`
	Sink    string `json:"sink,omitempty"`
	Binding string `json:"binding,omitempty"`
	Since   string `json:"since,omitempty"`
}

// ReplayLetters has dead letters tried again, and counts them.
func (r Remote) ReplayLetters(ctx context.Context, s LetterSelection) (int64, error) {
	var v struct{ Replayed int64 }
	return v.Replayed, r.order(ctx, "/dead-letters/replay", s, &v)
}

// DiscardLetters gives dead letters up, and counts them.
func (r Remote) DiscardLetters(ctx context.Context, s LetterSelection, reason string) (int64, error) {
	var v struct{ Discarded int64 }
	return v.Discarded, r.order(ctx, "/dead-letters/discard", struct {
		LetterSelection

		Reason string `json:"reason"`
	}{s, reason}, &v)
}

// A Sink is a sink of a running daemon, and how it fares.
type Sink struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	UsedBy   []string `json:"usedBy"`
	Error    string   `json:"error,omitempty"` // why it cannot be used
	Delivery struct {
		State        string     `json:"state"` // well, failing, resting, paused, disabled
		Reason       string     `json:"reason,omitempty"`
		FailingSince *time.Time `json:"failingSince,omitempty"`
		Failures     int64      `json:"failures,omitempty"`
		RestingUntil *time.Time `json:"restingUntil,omitempty"`
		DisabledAt   *time.Time `json:"disabledAt,omitempty"`
		ArrivedAt    *time.Time `json:"arrivedAt"`
		Waiting      int64      `json:"waiting"`
		DeadLetters  int64      `json:"deadLetters"`
	} `json:"delivery"`
}

// PauseSink has nothing sent to a sink.
func (r Remote) PauseSink(ctx context.Context, name string) (Sink, error) {
	var v struct{ Sink Sink }
	return v.Sink, r.order(ctx, sinkPath(name)+"/pause", nil, &v)
}

// ResumeSink lets a sink go on.
func (r Remote) ResumeSink(ctx context.Context, name string) (Sink, error) {
	var v struct{ Sink Sink }
	return v.Sink, r.order(ctx, sinkPath(name)+"/resume", nil, &v)
}

func sinkPath(name string) string { return "/sinks/" + url.PathEscape(name) }

// A Redelivery says what a sink is told again.
type Redelivery struct {
	Since   string `json:"since,omitempty"`
	Binding string `json:"binding,omitempty"`
	Key     string `json:"key,omitempty"`
	NewIDs  bool   `json:"newIds,omitempty"`
}

// Redelivered is how much a sink is told again.
type Redelivered struct {
	Sink    string `json:"sink"`
	State   string `json:"state"`
	Told    int64  `json:"told"`
	Waiting int64  `json:"waiting"`
	Gone    int64  `json:"gone"`
}

// Redeliver tells a sink again what it was told last.
func (r Remote) Redeliver(ctx context.Context, sink string, what Redelivery) (done Redelivered, err error) {
	return done, r.order(ctx, sinkPath(sink)+"/redeliver", what, &done)
}

// read asks for what stands at a path.
func (r Remote) read(ctx context.Context, path string, into any) error {
	data, err := r.Ask(ctx, http.MethodGet, path, nil, nil, answerSize)
	if err != nil {
		return err
	}
	return r.Decode(data, into)
}

// order posts an order to a path. What takes long is waited for.
func (r Remote) order(ctx context.Context, path string, order, into any) error {
	var body []byte
	header := http.Header{}
	if order != nil {
		var err error
		if body, err = json.Marshal(order); err != nil {
			return err
		}
		header.Set("Content-Type", "application/json")
	}
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	res, err := r.Do(ctx, http.MethodPost, path, header, bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, answerSize))
	if err != nil {
		return r.cut(err)
	}
	if into == nil {
		return nil
	}
	return r.Decode(data, into)
}

// orderLimit is how long an order may take.
const orderLimit = 10 * time.Minute
