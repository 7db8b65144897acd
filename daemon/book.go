package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/store"
)

// A book gathers the results of a turn and records them together: bytes are
// synced once a page, results committed once a page.
type book struct {
	daemon *Daemon
	turn   store.Turn
	began  time.Time
	rows   *tracedRows // nil where nothing is traced

	done   []store.Rendered
	bytes  [][]byte
	places []int // of bytes in done
}

// await is the next picture. While it is on its way, what is done is recorded
// when its time has come.
func (b *book) await(ctx context.Context, pictures <-chan picture) (picture, error) {
	if len(b.done) == 0 {
		return <-pictures, nil
	}
	due := time.NewTimer(time.Until(b.began.Add(recordEvery)))
	defer due.Stop()
	select {
	case p := <-pictures:
		return p, nil
	case <-due.C:
	}
	if err := b.record(ctx, false); err != nil {
		return picture{}, err
	}
	return <-pictures, nil
}

// add notes one result, and records the page when it is full.
func (b *book) add(ctx context.Context, done store.Rendered, bytes []byte) error {
	if bytes != nil {
		b.bytes, b.places = append(b.bytes, bytes), append(b.places, len(b.done))
	}
	b.done = append(b.done, done)
	if time.Since(b.began) < recordEvery {
		return nil
	}
	return b.record(ctx, false)
}

// end records what is left and ends the turn.
func (b *book) end(ctx context.Context) error {
	b.daemon.crash("turn.ending")
	return b.record(ctx, true)
}

func (b *book) record(ctx context.Context, end bool) error {
	d := b.daemon
	put := time.Now()
	if len(b.bytes) > 0 {
		hashes, err := d.blobs.PutMany(ctx, b.bytes)
		d.faults.note(d.log, "folder", "images", err)
		if err != nil {
			return err
		}
		for i, hash := range hashes {
			b.done[b.places[i]].Hash = hash
			d.now.lately.put(b.done[b.places[i]], nil, true)
		}
		d.crash("blobs.written")
	}
	err := d.store.FinishRenders(ctx, b.turn, b.done, end)
	d.faults.note(d.log, "store", "renders", err)
	if err != nil {
		return err
	}
	b.rows.recorded(ctx, b.done, put)
	if time.Since(put) > putRestErased/2 && len(b.bytes) > 0 { // so late that a deletion may have taken them
		if _, err := d.blobs.PutMany(ctx, b.bytes); err != nil {
			return err
		}
	}
	b.done, b.bytes, b.places, b.began = b.done[:0], b.bytes[:0], b.places[:0], time.Now()
	return nil
}
