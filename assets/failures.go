package assets

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// failures remembers the newest failures, each for one scope.
type failures struct {
	limit int

	mu sync.Mutex

	order  *list.List // of failure, newest first
	byName map[failureName]*list.Element
}

// A failureName is a hash, because addresses may be long and come from rows.
type failureName [sha256.Size]byte

type failure struct {
	name  failureName
	err   error // the first
	times int
}

func newFailures(limit int) *failures {
	return &failures{limit: limit, order: list.New(), byName: make(map[failureName]*list.Element)}
}

func nameFailure(scope, address string) failureName {
	return sha256.Sum256([]byte(scope + "\x00" + address))
}

// find is the failure of address in scope, nil unless it happened so many times.
func (f *failures) find(scope, address string, times int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.byName[nameFailure(scope, address)]
	if !ok || e.Value.(*failure).times < times {
		return nil
	}
	f.order.MoveToFront(e)
	return e.Value.(*failure).err
}

func (f *failures) remember(scope, address string, err error) {
	if scope == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := nameFailure(scope, address)
	if e, ok := f.byName[name]; ok {
		e.Value.(*failure).times++
		return
	}
	f.byName[name] = f.order.PushFront(&failure{name, err, 1})
	if f.order.Len() > f.limit {
		oldest := f.order.Remove(f.order.Back()).(*failure)
		delete(f.byName, oldest.name)
	}
}

func (f *failures) forget(scope, address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := nameFailure(scope, address)
	if e, ok := f.byName[name]; ok {
		f.order.Remove(e)
		delete(f.byName, name)
	}
}
