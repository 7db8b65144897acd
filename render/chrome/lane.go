package chrome

import (
	"github.com/pictifyd/pictifyd/render"
)

// A lane is a way from a document to the bytes of a picture.
type lane int

const (
	// plain draws one row at a time in a tab of its page and has Chrome capture
	// it. Every format can be made so, and what it shows is right by definition.
	plain lane = iota
	// staged draws several rows at a time in canvases and encodes them there: two
	// to five times as fast. It is used for pages for which it was proven.
	staged
	// proving draws a row in both and compares them.
	proving
)

// sampledEvery is after how many rows of a page one is drawn in both lanes
// again; the first samples come sooner.
const sampledEvery = 1000

// A proof is what is known of a page in the staged lane.
type proof struct {
	state  proofState
	drawn  int64 // rows that went there
	sample int64 // the row that is drawn in both next
	faults int   // proofs in a row that ended with neither
}

// maxFaults is how many proofs of a page may end with neither, because its Chrome
// died or did not answer: then it is what the page does to the stage.
const maxFaults = 2

type proofState int

const (
	unknown proofState = iota
	underway
	agreed
	refused
)

// A ledger keeps the proofs of pages. The pool's lock guards it.
type ledger struct {
	proofs map[pageKey]*proof
}

// maxProofs bounds a ledger: what is forgotten is proven again.
const maxProofs = 10_000

func (l *ledger) of(k pageKey) *proof {
	if p := l.proofs[k]; p != nil {
		return p
	}
	if l.proofs == nil || len(l.proofs) >= maxProofs {
		l.proofs = map[pageKey]*proof{}
	}
	p := &proof{}
	l.proofs[k] = p
	return p
}

// lane is the way of the next row of a page; ok is false while a proof is
// underway, which is to be waited for.
func (p *proof) lane() (l lane, ok bool) {
	switch {
	case p.state == underway:
		return 0, false
	case p.state == refused:
		return plain, true
	case p.state == unknown, p.drawn >= p.sample:
		return proving, true
	}
	return staged, true
}

// begin notes that rows go that way now.
func (p *proof) begin(l lane, rows int) {
	switch {
	case l == staged:
		p.drawn += int64(rows)
	case l == proving && p.state == unknown:
		p.state = underway
	case l == proving:
		p.sample = p.drawn + sampledEvery // one sample at a time
	}
}

// settle notes how a proof ended.
func (p *proof) settle(s proofState) {
	first := p.state == underway
	p.state = s
	if s != agreed {
		return
	}
	p.faults = 0
	p.drawn++
	if first {
		p.sample = 2
		return
	}
	p.sample = min(10*p.drawn, p.drawn+sampledEvery)
}

// fault notes that a proof came to no end because of the stage, and reports
// whether the page is refused for it. Otherwise it is made again.
func (p *proof) fault() (refuse bool) {
	p.faults++
	return p.faults >= maxFaults
}

// laneOf is the way of w; ok is false where it has to wait for a proof.
func (p *Pool) laneOf(w *waiter) (l lane, ok bool) {
	switch {
	case w.alone || w.plain || !p.stages || !canStage(w.request):
		return plain, true
	case p.pace.prefersPlain(w.request.Format):
		return plain, true
	case w.staged:
		return staged, true
	}
	return p.ledger.of(w.key).lane()
}

// canStage reports whether r can be drawn on a stage at all.
func canStage(r render.Request) bool {
	if r.Boxes || r.Dry {
		return false
	}
	switch r.Format {
	case render.PNG, render.JPEG, render.WebP:
		return !moves(r) && slotsFor(keyOf(r)) > 0
	}
	return false
}
