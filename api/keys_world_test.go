package api

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A keyLedger is the store of keys, in memory.
type keyLedger struct {
	keysMu sync.Mutex

	kept    map[string]apikey.Key // by id
	spent   map[string]int64      // by owner and period
	uses    map[string]time.Time
	noted   int // times that uses were saved
	backlog int64
}

func (l *keyLedger) AddKey(_ context.Context, k apikey.Key) error {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	if l.kept == nil {
		l.kept = map[string]apikey.Key{}
	}
	for _, other := range l.kept {
		if other.Name == k.Name {
			return problem.New(problem.Conflict, "there is a key %q", k.Name).WithSlug("key_name_taken")
		}
	}
	l.kept[k.ID] = k
	return nil
}

func (l *keyLedger) RemoveKey(_ context.Context, id string) error {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	delete(l.kept, id)
	return nil
}

func (l *keyLedger) Spend(_ context.Context, c apikey.Charge) error {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	if c.Quota.Images == 0 {
		return nil
	}
	if l.spent == nil {
		l.spent = map[string]int64{}
	}
	now := time.Now()
	period, _, _ := c.Quota.Window(now)
	if l.spent[c.Owner+period]+c.Images > c.Quota.Images {
		return c.Refused(l.spent[c.Owner+period], now)
	}
	l.spent[c.Owner+period] += c.Images
	return nil
}

func (l *keyLedger) Spent(_ context.Context, owner string, q apikey.Quota) (int64, error) {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	period, _, _ := q.Window(time.Now())
	return l.spent[owner+period], nil
}

func (l *keyLedger) SaveKeyUses(_ context.Context, uses map[string]time.Time) error {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	if l.uses == nil {
		l.uses = map[string]time.Time{}
	}
	maps.Copy(l.uses, uses)
	l.noted++
	return nil
}

// notes is how often uses were saved, and what is known of them.
func (l *keyLedger) notes() (int, map[string]time.Time) {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	return l.noted, maps.Clone(l.uses)
}

func (l *keyLedger) KeyUses(context.Context) (map[string]time.Time, error) {
	l.keysMu.Lock()
	defer l.keysMu.Unlock()
	return maps.Clone(l.uses), nil
}

func (l *keyLedger) Backlog(context.Context) (int64, error) { return l.backlog, nil }

// storedKeys are those that a server finds at its start.
func (l *keyLedger) storedKeys() (all []apikey.Key) {
	for _, k := range l.kept {
		all = append(all, k)
	}
	return all
}
