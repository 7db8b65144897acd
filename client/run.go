package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// A Run is a run that was asked for.
type Run struct {
	Binding      string    `json:"binding"`
	ScheduledFor time.Time `json:"scheduledFor"` // the moment that it is for
	JobID        string    `json:"jobId"`
	StatusURL    string    `json:"statusUrl"`
}

// RunNow asks for a run of a binding. at is the moment that it is for, a day or a
// time; "" is now.
func (r Remote) RunNow(ctx context.Context, binding, at string) (run Run, err error) {
	body, err := json.Marshal(struct {
		At string `json:"at,omitempty"`
	}{at})
	if err != nil {
		return run, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	data, err := r.Ask(ctx, http.MethodPost, "/bindings/"+url.PathEscape(binding)+"/run", header, body, jobSize)
	if err != nil {
		return run, err
	}
	return run, r.Decode(data, &run)
}
