package bindings

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/experiment"
)

// ReadingOptions is what a reading is planned with, from its first row to its last.
type ReadingOptions struct {
	Source   string
	ID       string
	Seq      int64 // of the reading; the version of rows that have none of their own
	Bindings []*Binding
	Promote  map[string]bool // bindings whose first reading this is
	Now      time.Time       // the clock of the plan
	Told     bool            // as in Closing
	Settles  bool            // as in Closing

	// Streamed says that the rows are told in the order of their changes, so that of
	// several with one key the last one counts.
	Streamed bool
	// Marks has rows be noted that are as they were: a snapshot is under way, at
	// whose end those are gone that were not noted since it began.
	Marks bool
	// Versions has the number be noted also of rows that are as they were, and of
	// deletions of rows that are not known: something older may still come.
	Versions bool
}

// A Reading plans the batches of one reading of a source, in their order. It
// remembers in 16 bytes each the keys that it saw, and the changes that it still
// holds back. It is for one goroutine.
type Reading struct {
	o     ReadingOptions
	holds bool // changes wait for the end
	seen  map[keyHash]mark
	held  window

	settled *Settled  // nil: the ledger is asked about every row
	ready   []readied // of the batch that Keys was given
	spelt   []byte    // scratch

	elements  int // rows and faults so far, to name a row by
	unread    int // elements that could not become a row, so that any key may be behind them
	live      int // rows with a key that are not deleted
	doubled   int // keys that more than one row has
	doubleKey string
	deletes   bool // a row was deleted, so that not all that were seen are there
}

// NewReading begins a reading.
func NewReading(o ReadingOptions) *Reading {
	r := &Reading{o: o, seen: map[keyHash]mark{}, held: newWindow()}
	for _, b := range o.Bindings {
		r.holds = r.holds || !o.Promote[b.Name()]
	}
	return r
}

// Settle has the reading take the ledger's word on rows that are as they were,
// unless a clock has moved on. Call it before the first batch.
func (r *Reading) Settle(s *Settled) {
	if !slices.ContainsFunc(r.o.Bindings, func(b *Binding) bool { return b.moved }) {
		r.settled = s
	}
}

// A readied is a row of a batch with what it takes to compare it.
type readied struct {
	key     string
	hash    keyHash
	err     error // why it has no key
	settled bool  // nothing is to be done about it
}

// Keys are the canonical keys of the rows and faults in b, each once, about which the
// ledger must be asked before Plan of the same batch.
func (r *Reading) Keys(b connectors.Batch) []string {
	keys := make([]string, 0, len(b.Rows))
	met := make(map[keyHash]struct{}, len(b.Rows))
	r.ready = r.ready[:0]
	for i := range b.Rows {
		var row readied
		if row.key, row.err = CanonicalKey(b.Rows[i].Key); row.err == nil {
			row.hash = hashKey(row.key)
			_, twice := met[row.hash]
			_, again := r.seen[row.hash]
			met[row.hash] = struct{}{}
			row.settled = !twice && !again && r.asBefore(row.hash, &b.Rows[i])
			if !twice && !row.settled {
				keys = append(keys, row.key)
			}
		}
		r.ready = append(r.ready, row)
	}
	for i := range b.Faults {
		key, err := CanonicalKey(b.Faults[i].Key)
		if _, twice := met[hashKey(key)]; err == nil && !twice {
			met[hashKey(key)] = struct{}{}
			keys = append(keys, key)
		}
	}
	return r.withTwice(keys, b)
}

// withTwice are keys with those of rows that were settled, until another row of
// the batch came with their key.
func (r *Reading) withTwice(keys []string, b connectors.Batch) []string {
	if r.settled == nil {
		return keys
	}
	settled := map[keyHash]bool{}
	for i := range r.ready {
		row := &r.ready[i]
		if row.err != nil {
			continue
		}
		if settled[row.hash] && !row.settled {
			keys = append(keys, row.key)
			settled[row.hash] = false
		}
		if row.settled {
			settled[row.hash] = true
		}
	}
	return keys
}

// asBefore reports whether the ledger has the row with these values, and nothing
// is open about it. The states that a source numbers are compared in the ledger.
func (r *Reading) asBefore(h keyHash, row *connectors.Row) bool {
	if r.settled == nil || row.Deleted || row.Version != 0 {
		return false
	}
	spelt, err := appendValue(r.spelt[:0], row.Values)
	if err != nil || row.Values == nil {
		return false
	}
	r.spelt = spelt
	sum := sha256.Sum256(spelt)
	return r.settled.has(h, [16]byte(sum[:16]))
}

// Sifted is what is left of a batch when the rows that are known have been taken
// out of it.
type Sifted struct {
	reading *Reading
	plan    Plan
	closes  *connectors.Closing
	rows    map[string]*siftedRow
	order   []string // keys as they came; one that is not in rows was dropped
	told    []string // keys of all rows and faults, where the reading is told
}

type siftedRow struct {
	heldRow

	deleted bool           // its proposals are there
	values  map[string]any // as the bindings see them
	known   Known
	same    bool // the ledger has these values already
}

// Sift compares the rows of b with what the ledger knows of their keys. It fails
// only when it is called wrongly: whatever is wrong with a row is part of the plan.
func (r *Reading) Sift(b connectors.Batch, known map[string]Known) (*Sifted, error) {
	if r.seen == nil {
		return nil, errors.New("plan a batch of a reading that is closed")
	}
	s := &Sifted{
		reading: r, closes: b.Closes, rows: map[string]*siftedRow{},
		plan: Plan{Source: r.o.Source, Reading: r.o.ID, Promote: r.o.Promote, Seen: len(b.Rows)},
	}
	if len(r.ready) != len(b.Rows) {
		return nil, errors.New("plan a batch whose keys were not asked for")
	}
	faults := b.Faults
	before := func(row int) { // the faults that came before it
		for ; len(faults) > 0 && faults[0].Behind <= row; faults = faults[1:] {
			r.elements++
			r.fault(s, &faults[0], known)
		}
	}
	for i := range b.Rows {
		before(i)
		r.elements++
		r.row(s, &b.Rows[i], r.ready[i], known)
	}
	before(math.MaxInt)
	r.ready = r.ready[:0]
	return s, nil
}

// Needs are the rows of other sources that the bindings join to what is left, and
// that j has not been told of.
func (s *Sifted) Needs(j *Joined) Needs {
	needs := Needs{}
	for _, b := range s.reading.o.Bindings {
		if !b.Joins() {
			continue
		}
		for _, row := range s.rows {
			if !row.deleted && s.reading.plans(b, row) {
				b.needs(needs, j, row.values)
			}
		}
	}
	return needs
}

// Meetings are the units of what is left, as they come to the experiments of the
// bindings. j has what Needs asked for, and is to know their variants before Plan.
func (s *Sifted) Meetings(j *Joined) (all []experiment.Meeting) {
	for _, b := range s.reading.o.Bindings {
		if !b.variants.Assigns() {
			continue
		}
		for _, key := range s.order {
			if row, ok := s.rows[key]; ok && !row.deleted && s.reading.plans(b, row) {
				all = append(all, b.Meetings([]string{key}, []map[string]any{row.values}, j, s.reading.o.Now)...)
			}
		}
	}
	return all
}

// Plan is what a batch changes; j has what s needs. The plan of the closing batch
// also has the changes that were held back until then.
func (r *Reading) Plan(s *Sifted, j *Joined) Plan {
	p := s.plan
	for _, key := range s.order {
		row, ok := s.rows[key]
		if !ok {
			continue
		}
		delete(s.rows, key)
		if !row.deleted {
			r.propose(row, j)
		}
		if !row.store && len(row.proposals) == 0 { // what an older state of the row would have done is undone by this one
			r.held.drop(key)
			continue
		}
		r.held.put(key, &row.heldRow)
	}
	if s.closes != nil || !r.holds || r.held.full() {
		r.release(&p)
	}
	if s.closes != nil {
		p.Closes = r.closing(*s.closes)
		p.Closes.Keys = s.told
		r.seen = nil
	}
	return p
}

// fault quarantines an element that could not become a row. One whose key is
// known was seen all the same.
func (r *Reading) fault(s *Sifted, f *connectors.Fault, known map[string]Known) {
	out := Quarantined{Position: f.Position, Reason: f.Reason, Detail: f.Detail, Raw: f.Raw}
	key, err := CanonicalKey(f.Key)
	if err != nil {
		r.unread++
		s.plan.Quarantined = append(s.plan.Quarantined, out)
		return
	}
	h := hashKey(key)
	m, again := r.seen[h]
	if again && !r.o.Streamed {
		r.double(s, key, f.Position, known[key])
		return
	}
	r.mark(h, m, again, m.gone)
	out.Key = key
	if again { // what it was before in the batch is not its last state
		r.drop(s, key)
		s.mend(key)
	}
	s.tell(key)
	s.plan.Quarantined = append(s.plan.Quarantined, out)
}

// row sifts one row, into quarantine where it is none.
func (r *Reading) row(s *Sifted, row *connectors.Row, ready readied, known map[string]Known) {
	key, h := ready.key, ready.hash
	if ready.err != nil {
		var bad *KeyError
		errors.As(ready.err, &bad)
		s.plan.Quarantined = append(s.plan.Quarantined, Quarantined{Position: row.Position, Reason: bad.Reason, Detail: bad.Detail})
		return
	}
	m, again := r.seen[h]
	// A source that numbers the states of its rows may tell several of one row.
	if again && row.Version == 0 && !r.o.Streamed {
		r.double(s, key, row.Position, known[key])
		return
	}
	r.mark(h, m, again, row.Deleted)
	if ready.settled {
		return
	}
	s.tell(key)
	version := row.Version
	if version == 0 {
		version = r.o.Seq
	}
	if before := r.before(s, key); before != nil && !r.newer(version, before.change.Version) {
		return
	}
	changed, err := r.change(key, version, row, known[key])
	if err != nil {
		if again && r.o.Streamed {
			r.drop(s, key)
			s.mend(key)
		}
		s.plan.Quarantined = append(s.plan.Quarantined, Quarantined{Key: key, Position: row.Position, Reason: BadRecord, Detail: err.Error()})
		return
	}
	if again && r.o.Streamed {
		s.mend(key)
	}
	if changed == nil { // what an older state of the row would have done is undone by this one
		r.drop(s, key)
		return
	}
	changed.position = row.Position
	if s.rows[key] == nil {
		s.order = append(s.order, key)
	}
	s.rows[key] = changed
}

// mend ends what was kept out of the batch with that key: something newer came.
func (s *Sifted) mend(key string) {
	s.plan.Quarantined = slices.DeleteFunc(s.plan.Quarantined, func(q Quarantined) bool { return q.Key == key })
}

// tell notes that the batch tells of a key.
func (s *Sifted) tell(key string) {
	if s.reading.o.Told {
		s.told = append(s.told, key)
	}
}

// newer reports whether a state with that version follows one of the same reading.
func (r *Reading) newer(version, before int64) bool {
	return version > before || version == before && r.o.Streamed
}

// before is an older state of a row in the same reading, that is not yet in a plan.
func (r *Reading) before(s *Sifted, key string) *heldRow {
	if row, ok := s.rows[key]; ok {
		return &row.heldRow
	}
	return r.held.rows[key]
}

func (r *Reading) drop(s *Sifted, key string) {
	delete(s.rows, key)
	r.held.drop(key)
}

// mark notes that the key was seen.
func (r *Reading) mark(h keyHash, m mark, again, deleted bool) {
	wasLive := again && !m.gone
	if !again {
		m.row = uint32(r.elements)
		if r.settled != nil {
			r.settled.meet(h)
		}
	}
	r.deletes = r.deletes || deleted
	m.gone = deleted
	r.seen[h] = m
	switch {
	case wasLive && deleted:
		r.live--
	case !wasLive && !deleted:
		r.live++
	}
}

// change is what row does to the ledger; nil when it does nothing. What the
// bindings want of it is not in it yet.
func (r *Reading) change(key string, version int64, row *connectors.Row, k Known) (*siftedRow, error) {
	if k.Row != nil && version < k.Row.Version {
		return nil, nil
	}
	if row.Deleted {
		return r.deletion(key, version, row, k), nil
	}
	values, err := Canonical(row.Values)
	if err != nil {
		return nil, err
	}
	digest := Digest(values)
	same := k.Row != nil && k.Row.Digest == digest
	if k.Row != nil && !same && version == k.Row.Version {
		return nil, nil // the ledger would not take it, so its images must not change either
	}
	changed := &siftedRow{
		heldRow: heldRow{
			change: RowChange{Key: key, Version: version, Values: values, Digest: digest},
			// Also a state that is as before is noted when it is newer by the source's own
			// count, or one in between that comes late would replace it.
			store: !same || k.Row.Missing || row.Version > k.Row.Version || r.o.Marks || r.o.Versions,
		},
		values: row.Values, known: k, same: same,
	}
	planned := func(b *Binding) bool { return r.plans(b, changed) }
	if !changed.store && !slices.ContainsFunc(r.o.Bindings, planned) {
		return nil, nil
	}
	return changed, nil
}

// deletion is what the source's own word that a row is gone does.
func (r *Reading) deletion(key string, version int64, row *connectors.Row, k Known) *siftedRow {
	// Of a row that is not known the word is kept where the source numbers states:
	// an older one may come late.
	changed := &siftedRow{deleted: true, heldRow: heldRow{change: RowChange{Key: key, Version: version, Gone: true}, store: k.Row != nil || row.Version != 0 || r.o.Versions}}
	for _, b := range r.o.Bindings {
		if item, ok := k.Items[b.Name()]; ok && !item.Removed && b.cfg.OnDelete == Remove {
			p := removal(BindingOwner(b.Name()), key)
			p.Alters = item.Digest != ""
			changed.proposals = append(changed.proposals, p)
		}
	}
	if !changed.store && len(changed.proposals) == 0 {
		return nil
	}
	return changed
}

// plans reports whether a binding has to say what it wants of a row: not of one
// that is as it was planned.
func (r *Reading) plans(b *Binding, row *siftedRow) bool {
	item, known := row.known.Items[b.Name()]
	open := item.Proposed != "" && item.ProposedIn != r.o.ID
	return !row.same || !known || open || b.moved
}

// propose says what the bindings want of a row.
func (r *Reading) propose(row *siftedRow, j *Joined) {
	for _, b := range r.o.Bindings {
		if !r.plans(b, row) {
			continue
		}
		item, known := row.known.Items[b.Name()]
		priority := PriorityChange
		if r.o.Promote[b.Name()] {
			priority = PriorityBatch
		}
		p := b.Propose(row.change.Key, row.values, j, r.o.Now, priority)
		does := needed(&p, item, known)
		// A row that is as it was, and of which nothing is wanted as before, was
		// planned when it came.
		if p.Reads != nil && (does || !row.same) {
			row.reads = append(row.reads, RowReads{Owner: p.Owner, Key: p.Key, Reads: p.Reads})
		}
		p.Alters = known && !item.Removed && item.Digest != ""
		if does {
			row.proposals = append(row.proposals, p)
		}
	}
}

// needed reports whether p does anything to an item.
func needed(p *Proposal, item ItemState, known bool) bool {
	switch {
	case !known:
		return !p.Remove
	case item.Removed && p.Remove:
		p.Digest = item.Digest // so that it does no more than to end an open proposal
		return item.Proposed != ""
	case item.Removed || p.Digest != item.Digest:
		return true
	}
	return item.Proposed != ""
}

// double quarantines a row whose key another row of the reading has, and at the
// first time also takes back what that other row changed.
func (r *Reading) double(s *Sifted, key, position string, k Known) {
	p := &s.plan
	h := hashKey(key)
	m := r.seen[h]
	if !m.doubled {
		first := fmt.Sprintf("row %d", m.row)
		if before := r.before(s, key); before != nil {
			first = before.position
			r.drop(s, key)
		} else if m.written {
			r.takeBack(p, key, k)
		}
		p.Quarantined = append(p.Quarantined, Quarantined{
			Key: key, Position: first, Reason: DuplicateKey,
			Detail: fmt.Sprintf("the key %q stands again at %s", KeyText(key), position),
		})
		if r.doubled++; r.doubled == 1 {
			r.doubleKey = key
		}
		m.doubled = true
		r.seen[h] = m
	}
	p.Quarantined = append(p.Quarantined, Quarantined{
		Key: key, Position: position, Reason: DuplicateKey,
		Detail: fmt.Sprintf("another row before it has the key %q", KeyText(key)),
	})
}

// takeBack undoes what an earlier batch of this reading committed for a key. The
// stored row goes, so that the next reading plans the key from nothing; images
// that were there before stay as they are, those that the reading made go.
func (r *Reading) takeBack(p *Plan, key string, k Known) {
	if k.Row != nil {
		p.Rows = append(p.Rows, RowChange{Key: key, Version: k.Row.Version, Gone: true})
	}
	for _, b := range r.o.Bindings {
		item, known := k.Items[b.Name()]
		owner := BindingOwner(b.Name())
		switch {
		case !known:
		case r.o.Promote[b.Name()] || item.Digest == "":
			if !item.Removed {
				p.Proposals = append(p.Proposals, removal(owner, key))
			}
		case item.Proposed != "":
			p.Proposals = append(p.Proposals, Proposal{Owner: owner, Key: key, Digest: item.Digest})
		}
	}
}

// release moves what is held back into the plan.
func (r *Reading) release(p *Plan) {
	for _, key := range r.held.order {
		row, ok := r.held.rows[key]
		if !ok {
			continue
		}
		if row.store {
			p.Rows = append(p.Rows, row.change)
		}
		p.Proposals = append(p.Proposals, row.proposals...)
		p.Reads = append(p.Reads, row.reads...)
		h := hashKey(key)
		m := r.seen[h]
		m.written = true
		r.seen[h] = m
		delete(r.held.rows, key)
	}
	r.held = newWindow()
}

// streamClosing is what a batch of a stream says beside its rows; nil of others.
func (r *Reading) streamClosing(c connectors.Closing) *StreamClosing {
	if !r.o.Streamed {
		return nil
	}
	return &StreamClosing{Seq: r.o.Seq, Snapshot: c.Snapshot, Gap: c.Gap}
}

// closing is the end of the reading for the ledger.
func (r *Reading) closing(c connectors.Closing) *Closing {
	guards := make(map[string]Guard, len(r.o.Bindings))
	for _, b := range r.o.Bindings {
		guards[b.Name()] = b.cfg.Guard
	}
	seen := r.seen
	end := &Closing{
		Complete: c.Complete, Reason: c.Reason, Unchanged: c.Unchanged, Cursor: c.Cursor, At: r.o.Now, Rows: r.live,
		Told: r.o.Told, Settles: r.o.Settles, Stream: r.streamClosing(c), Whole: r.settled != nil && !r.deletes && r.settled.whole(),
		Has: func(key string) bool { m, ok := seen[hashKey(key)]; return ok && !m.gone },
		Judge: func(binding string, counts Counts) Verdict {
			guard, ok := guards[binding]
			if !ok { // nobody can say what may go
				return Verdict{HoldChanges: true, HoldRemoval: true, Reason: "the binding cannot be planned now"}
			}
			return Judge(guard, counts)
		},
	}
	switch {
	case !end.Complete || r.o.Streamed: // what was kept out in all of the snapshot is in the ledger
	case r.doubled > 0:
		end.Complete, end.Reason = false, r.doubledReason()
	case r.unread > 0:
		end.Complete, end.Reason = false, r.unreadReason()
	}
	return end
}

func (r *Reading) unreadReason() string {
	if r.unread == 1 {
		return "one row could not be read"
	}
	return thousands(r.unread) + " rows could not be read"
}

func (r *Reading) doubledReason() string {
	if r.doubled == 1 {
		return fmt.Sprintf("more than one row has the key %q", KeyText(r.doubleKey))
	}
	return fmt.Sprintf("%s keys stand in more than one row; the first is %q", thousands(r.doubled), KeyText(r.doubleKey))
}
