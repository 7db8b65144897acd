package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// keysSize is more than ten thousand keys take.
const keysSize = 32 << 20

// A KeyOrder is what a new key shall be like.
type KeyOrder struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes,omitempty"`
	Templates []string   `json:"templates,omitempty"`
	Origins   []string   `json:"origins,omitempty"`
	Rate      int        `json:"rate,omitempty"`
	Quota     string     `json:"quota,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

// A Key is a key of a running daemon.
type Key struct {
	Key       string    `json:"key,omitempty"` // itself: only just after it was made
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Source    string    `json:"source"`
	Start     string    `json:"start,omitempty"`
	Scopes    []string  `json:"scopes"`
	Templates []string  `json:"templates"`
	Origins   []string  `json:"origins"`
	Rate      int       `json:"rate,omitempty"`
	Quota     string    `json:"quota,omitempty"`
	Spent     int64     `json:"spent,omitempty"`
	ResetsAt  time.Time `json:"resetsAt,omitzero"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	UsedAt    time.Time `json:"usedAt,omitzero"`
	Expired   bool      `json:"expired,omitempty"`
}

// NewKey makes a key at the remote. What is returned is the one time that it is
// seen.
func (r Remote) NewKey(ctx context.Context, o KeyOrder) (Key, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return Key{}, err
	}
	data, err := r.Ask(ctx, http.MethodPost, "/keys", http.Header{"Content-Type": {"application/json"}}, body, keysSize)
	if err != nil {
		return Key{}, err
	}
	var made Key
	err = r.Decode(data, &made)
	return made, err
}

// Keys are those of the remote, by their names.
func (r Remote) Keys(ctx context.Context) ([]Key, error) {
	data, err := r.Ask(ctx, http.MethodGet, "/keys", nil, nil, keysSize)
	if err != nil {
		return nil, err
	}
	var list struct {
		Keys []Key `json:"keys"`
	}
	err = r.Decode(data, &list)
	return list.Keys, err
}

// RevokeKey ends a key of the remote, named by its name or id.
func (r Remote) RevokeKey(ctx context.Context, name string) error {
	_, err := r.Ask(ctx, http.MethodDelete, "/keys/"+url.PathEscape(name), nil, nil, keysSize)
	return err
}
