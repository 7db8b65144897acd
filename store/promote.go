package store

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
)

// The states of items and images.
const (
	stateWaiting = "waiting"
	stateReady   = "ready"
	stateFailed  = "failed"
	stateRemoved = "removed"
)

// An itemID names an item.
type itemID struct {
	owner bindings.Owner
	idx   int64
	key   string
}

func (id itemID) cells(more ...any) []any {
	return append([]any{string(id.owner), id.idx, id.key}, more...)
}

func idOf(p bindings.Proposal) itemID {
	return itemID{p.Owner, p.Index, clean(p.Key)}
}

// inOrder is by item, the order in which all transactions lock.
func inOrder(a, b bindings.Proposal) int {
	return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Key, b.Key))
}

// promote makes proposals wanted. Those that want what is wanted already only
// end an open proposal. promoted are the items that changed.
func (t *tx) promote(ctx context.Context, proposals []bindings.Proposal) (promoted int, err error) {
	err = pages(latestOfEach(proposals), pageSize, func(page []bindings.Proposal) error {
		n, err := t.promotePage(ctx, page)
		promoted += n
		return err
	})
	return promoted, err
}

// latestOfEach is proposals in order, with the last one for each item.
func latestOfEach(proposals []bindings.Proposal) []bindings.Proposal {
	sorted := slices.Clone(proposals)
	slices.SortStableFunc(sorted, inOrder)
	latest := sorted[:0]
	for i, p := range sorted {
		if i+1 == len(sorted) || inOrder(p, sorted[i+1]) != 0 {
			latest = append(latest, p)
		}
	}
	return latest
}

func (t *tx) promotePage(ctx context.Context, page []bindings.Proposal) (int, error) {
	renders := wantedBy(page)
	if err := t.insertRenders(ctx, renders); err != nil {
		return 0, err
	}
	wanted := make(map[itemID]bindings.Proposal, len(page))
	var set, remove [][]any
	for _, p := range page {
		id := idOf(p)
		wanted[id] = p
		switch {
		case p.Remove:
			remove = append(remove, id.cells(p.Digest))
		case len(p.Wants) > 0:
			set = append(set, id.cells(p.Digest, stateWaiting, "", len(p.Wants), assignedText(p.Assigned)))
		case p.Problem != nil:
			set = append(set, id.cells(p.Digest, stateFailed, problemText(p.Problem), 0, assignedText(p.Assigned)))
		}
	}
	if err := t.noteReturned(ctx, set); err != nil {
		return 0, err
	}
	changed, err := t.setItems(ctx, set)
	if err != nil {
		return 0, err
	}
	removed, err := t.removeItems(ctx, remove)
	if err != nil {
		return 0, err
	}
	if err := t.forgetProposals(ctx, page, changed, removed); err != nil {
		return 0, err
	}
	if err := t.want(ctx, changed, wanted, renders); err != nil {
		return 0, err
	}
	t.noteRenewed(changed, false)
	t.noteRenewed(removed, true)
	return len(changed) + len(removed), t.endAtOnce(ctx, changed, removed, wanted)
}

// assignedText is an assignment as it is kept; "" of none.
func assignedText(a bindings.Assigned) string {
	if !a.Is() {
		return ""
	}
	return encode(a)
}

// A changedItem is an item at its new generation.
type changedItem struct {
	itemID
	generation int64
	digest     string
}

func scanChanged(scan func(...any) error) (c changedItem, err error) {
	return c, scan(&c.owner, &c.idx, &c.key, &c.generation, &c.digest)
}

// setItems gives items a new wanted state, where it is another than the one before.
func (t *tx) setItems(ctx context.Context, items [][]any) ([]changedItem, error) {
	if len(items) == 0 {
		return nil, nil
	}
	return collect(ctx, t.reader, `INSERT INTO items (owner, idx, key, generation, digest, state, problem, pending, assigned)
		SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2, 1, e.value->>3, e.value->>4, e.value->>5, CAST(e.value->>6 AS BIGINT), e.value->>7
		FROM rows($1) AS e WHERE true
		ON CONFLICT (owner, idx, key) DO UPDATE SET generation = items.generation + 1, digest = excluded.digest, state = excluded.state,
			problem = excluded.problem, pending = excluded.pending, assigned = excluded.assigned, failures = 0, proposed_digest = '', proposed_in = '', proposed = ''
		WHERE items.digest <> excluded.digest OR items.state = 'removed' OR items.generation = 0
		RETURNING owner, idx, key, generation, digest`, []any{table(items)}, scanChanged)
}

func (t *tx) removeItems(ctx context.Context, items [][]any) ([]changedItem, error) {
	if len(items) == 0 {
		return nil, nil
	}
	return collect(ctx, t.reader, `UPDATE items SET generation = generation + 1, digest = e.value->>3, state = 'removed', problem = '',
			pending = 0, failures = 0, proposed_digest = '', proposed_in = '', proposed = ''
		FROM rows($1) AS e
		WHERE items.owner = e.value->>0 AND items.idx = CAST(e.value->>1 AS BIGINT) AND items.key = e.value->>2
			AND state <> 'removed' AND generation > 0
		RETURNING items.owner, items.idx, items.key, generation, digest`, []any{table(items)}, scanChanged)
}

// forgetProposals ends the open proposals of items that stay as they are.
func (t *tx) forgetProposals(ctx context.Context, page []bindings.Proposal, changed ...[]changedItem) error {
	moved := map[itemID]bool{}
	for _, c := range slices.Concat(changed...) {
		moved[c.itemID] = true
	}
	var same [][]any
	for _, p := range page {
		if id := idOf(p); !moved[id] {
			same = append(same, id.cells())
		}
	}
	if len(same) == 0 {
		return nil
	}
	return t.forget(ctx, table(same))
}

// forget ends the open proposals of items, and those items that were no more
// than proposed.
func (t *tx) forget(ctx context.Context, items string) error {
	if _, err := t.exec(ctx, `UPDATE items SET proposed_digest = '', proposed_in = '', proposed = '' FROM rows($1) AS e
		WHERE items.owner = e.value->>0 AND items.idx = CAST(e.value->>1 AS BIGINT) AND items.key = e.value->>2 AND proposed_digest <> ''`, items); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM items WHERE generation = 0 AND proposed_digest = '' AND (owner, idx, key) IN
		(SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2 FROM rows($1) AS e)`, items)
	return err
}

// want gives changed items their images. Those whose picture is there, or cannot
// be, end at once.
func (t *tx) want(ctx context.Context, changed []changedItem, wanted map[itemID]bindings.Proposal, renders map[string]wantedRender) error {
	var images, older [][]any
	fingerprints := map[string]bool{}
	for _, c := range changed {
		p := wanted[c.itemID]
		for place, w := range p.Wants {
			images = append(images, c.cells(w.Output, place, c.generation, w.Fingerprint))
			fingerprints[w.Fingerprint] = true
		}
		if c.generation > 1 && len(p.Wants) > 0 {
			older = append(older, c.cells(c.generation))
		}
	}
	if len(images) == 0 {
		return nil
	}
	if err := t.keepPast(ctx, older); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `INSERT INTO images (owner, idx, key, output, place, generation, fingerprint, state)
		SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2, e.value->>3, CAST(e.value->>4 AS BIGINT),
			CAST(e.value->>5 AS BIGINT), e.value->>6, 'waiting' FROM rows($1) AS e WHERE true
		ON CONFLICT (owner, idx, key, output) DO UPDATE SET place = excluded.place, generation = excluded.generation,
			fingerprint = excluded.fingerprint, state = excluded.state, problem = ''`, table(images)); err != nil {
		return err
	}
	if err := t.dropOutputs(ctx, older); err != nil {
		return err
	}
	t.wantRenders = true
	return t.settleKnown(ctx, slices.Sorted(maps.Keys(fingerprints)), renders)
}

// dropOutputs forgets the images of outputs that their item no longer has.
func (t *tx) dropOutputs(ctx context.Context, items [][]any) error {
	if len(items) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `DELETE FROM images WHERE (owner, idx, key) IN
			(SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2 FROM rows($1) AS e)
		AND generation < (SELECT i.generation FROM items AS i WHERE i.owner = images.owner AND i.idx = images.idx AND i.key = images.key)`,
		table(items))
	return err
}

// endAtOnce ends the items that wait for no render: removed ones, and those
// whose row is at fault. Their old pictures stay.
func (t *tx) endAtOnce(ctx context.Context, changed, removed []changedItem, wanted map[itemID]bindings.Proposal) error {
	var ended []ending
	var images [][]any
	for _, c := range removed {
		ended = append(ended, ending{changedItem: c, event: sink.ImageRemoved})
		images = append(images, c.cells(stateRemoved, c.generation))
	}
	for _, c := range changed {
		if wanted[c.itemID].Problem == nil {
			continue
		}
		ended = append(ended, ending{changedItem: c, event: sink.RenderFailed})
		if c.generation > 1 {
			images = append(images, c.cells(stateFailed, c.generation))
		}
	}
	if len(images) > 0 {
		if _, err := t.exec(ctx, `UPDATE images SET state = e.value->>3, generation = CAST(e.value->>4 AS BIGINT) FROM rows($1) AS e
			WHERE images.owner = e.value->>0 AND images.idx = CAST(e.value->>1 AS BIGINT) AND images.key = e.value->>2`, table(images)); err != nil {
			return err
		}
	}
	return t.end(ctx, ended)
}
