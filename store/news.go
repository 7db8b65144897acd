package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// What may have become of a row of a binding.
const (
	rowAdded   = "added"
	rowChanged = "changed"
	rowRemoved = "removed"
	rowFailed  = "failed"
)

// newsPatience is how long the news of a binding that never rests are held back.
const newsPatience = time.Minute

// codeUnread is the slug of a source or binding that waits for another source.
const codeUnread = "lookup_unread"

// follows reports whether anybody hears of some binding as a whole, so that what
// becomes of rows has to be noted.
func (r *routes) follows() bool {
	wants := func(events []string) bool {
		return slices.Contains(events, sink.BindingUpdated) || slices.Contains(events, sink.BindingFailed)
	}
	for _, events := range r.events {
		if wants(events) {
			return true
		}
	}
	return slices.ContainsFunc(r.subs, func(s *sink.Subscription) bool { return wants(s.Events) })
}

func (r *routes) followed(binding string) bool {
	return len(r.to(binding, sink.BindingUpdated))+len(r.to(binding, sink.BindingFailed)) > 0
}

// A rowNews is what became of one row.
type rowNews struct{ binding, key, what string }

// noteNews keeps what became of rows of bindings that somebody follows.
func (t *tx) noteNews(ctx context.Context, news []rowNews) error {
	to, err := t.routes(ctx)
	if err != nil {
		return err
	}
	at := map[[2]string]string{}
	for _, n := range news {
		if to.followed(n.binding) {
			at[[2]string{n.binding, n.key}] = n.what
			t.stirred[n.binding] = true
		}
	}
	var rows [][]any
	for _, id := range slices.SortedFunc(maps.Keys(at), func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }) {
		rows = append(rows, []any{id[0], id[1], at[id]})
	}
	return pages(rows, pageSize, func(page [][]any) error {
		_, err := t.exec(ctx, `INSERT INTO binding_news (binding, key, what, at)
			SELECT e.value->>0, e.value->>1, e.value->>2, CAST($2 AS BIGINT) FROM rows($1) AS e WHERE true
			ON CONFLICT (binding, key) DO UPDATE SET what = CASE WHEN binding_news.what = 'added' AND excluded.what = 'changed' THEN 'added'
				WHEN binding_news.what = 'removed' AND excluded.what = 'added' THEN 'changed' ELSE excluded.what END`, table(page), millis(t.now))
		return err
	})
}

// noteShown notes the rows of bindings that are about to show other bytes, which
// renders have given.
func (t *tx) noteShown(ctx context.Context, fingerprints []string) error {
	if to, err := t.routes(ctx); err != nil || !to.follows() {
		return err
	}
	news, err := collect(ctx, t.reader, `SELECT g.owner, g.key, CASE WHEN i.generation = 1 THEN 'added' ELSE 'changed' END
		FROM images AS g CROSS JOIN renders AS r CROSS JOIN items AS i
		WHERE g.fingerprint IN list($1) AND g.state = 'waiting' AND g.idx = 0 AND r.fingerprint = g.fingerprint AND r.hash <> g.hash
			AND i.owner = g.owner AND i.idx = g.idx AND i.key = g.key`, []any{list(fingerprints)}, scanNews)
	if err != nil {
		return err
	}
	return t.noteNews(ctx, news)
}

func scanNews(scan func(...any) error) (n rowNews, err error) {
	var owner bindings.Owner
	err = scan(&owner, &n.key, &n.what)
	n.binding = owner.Binding()
	return n, err
}

// noteReturned notes the rows among items that come back after their removal.
func (t *tx) noteReturned(ctx context.Context, items [][]any) error {
	if to, err := t.routes(ctx); err != nil || len(items) == 0 || !to.follows() {
		return err
	}
	news, err := collect(ctx, t.reader, `SELECT i.owner, i.key, 'added' FROM rows($1) AS e CROSS JOIN items AS i
		WHERE i.owner = e.value->>0 AND i.idx = CAST(e.value->>1 AS BIGINT) AND i.key = e.value->>2 AND i.idx = 0 AND i.state = 'removed'`,
		[]any{table(items)}, scanNews)
	if err != nil {
		return err
	}
	return t.noteNews(ctx, news)
}

// noteEnded notes the rows of bindings that ended without a picture. Whoever ended
// otherwise may be the last that was waited for.
func (t *tx) noteEnded(ctx context.Context, endings []ending) error {
	to, err := t.routes(ctx)
	if err != nil || !to.follows() {
		return err
	}
	var news []rowNews
	for _, e := range endings {
		name := e.owner.Binding()
		switch {
		case e.event == sink.RenderFailed:
			news = append(news, rowNews{name, e.key, rowFailed})
		case e.event == sink.ImageRemoved:
			news = append(news, rowNews{name, e.key, rowRemoved})
		case to.followed(name):
			t.stirred[name] = true
		}
	}
	return t.noteNews(ctx, news)
}

// stirSource has the news of a source's bindings told, where they rest.
func (t *tx) stirSource(ctx context.Context, source string) error {
	if to, err := t.routes(ctx); err != nil || !to.follows() {
		return err
	}
	names, err := collect(ctx, t.reader, `SELECT DISTINCT n.binding FROM bindings AS b CROSS JOIN binding_news AS n WHERE b.source = $1 AND n.binding = b.name`,
		[]any{source}, text1)
	for _, name := range names {
		t.stirred[name] = true
	}
	return err
}

// tellNews tells of the bindings that this change has stirred, as far as they have
// come to rest.
func (t *tx) tellNews(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(t.stirred)) {
		if err := t.tellUpdate(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// tellUpdate tells once of all that changed of a binding since the last time, when
// its first reading has closed and nothing of it is still to be drawn.
func (t *tx) tellUpdate(ctx context.Context, binding string) error {
	var read int64
	var fault string
	var oldest sql.NullInt64
	err := t.row(ctx, `SELECT read_once, fault, (SELECT min(at) FROM binding_news WHERE binding = $1) FROM bindings WHERE name = $1 AND gone = 0`, binding).
		Scan(&read, &fault, &oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil || !oldest.Valid && fault != faultRows {
		return err
	}
	owner := string(bindings.BindingOwner(binding))
	resting := read == 1
	if resting {
		if resting, err = t.none(ctx, `SELECT 1 FROM items WHERE owner = $1 AND state = 'waiting' AND idx = 0 LIMIT 1`, owner); err != nil {
			return err
		}
	}
	if !resting && (!oldest.Valid || millis(t.now)-oldest.Int64 < newsPatience.Milliseconds()) {
		return nil
	}
	counts := map[string]int64{}
	if err := t.each(ctx, `DELETE FROM binding_news WHERE binding = $1 RETURNING what`, []any{binding}, func(scan func(...any) error) error {
		what, err := text1(scan)
		counts[what]++
		return err
	}); err != nil {
		return err
	}
	if len(counts) > 0 {
		if err := t.tellBinding(ctx, binding, sink.BindingUpdated, func(of sink.Whole) any {
			return sink.Updated{Whole: of, Added: counts[rowAdded], Changed: counts[rowChanged], Removed: counts[rowRemoved], Failed: counts[rowFailed]}
		}); err != nil {
			return err
		}
	}
	return t.judgeRows(ctx, binding, owner, fault, counts[rowFailed] > 0)
}

// none reports whether a question has no answer.
func (t *tx) none(ctx context.Context, query string, args ...any) (bool, error) {
	err := t.row(ctx, query, args...).Scan(new(int64))
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return false, err
}

// tellBinding tells of a binding as a whole: what dataFunc makes of it.
func (t *tx) tellBinding(ctx context.Context, binding, event string, dataFunc func(of sink.Whole) any) error {
	to, err := t.routes(ctx)
	if err != nil {
		return err
	}
	names := to.to(binding, event)
	if len(names) == 0 {
		return nil
	}
	var number int64
	if err := t.row(ctx, `UPDATE bindings SET events = events + 1 WHERE name = $1 RETURNING events`, binding).Scan(&number); err != nil {
		return err
	}
	data := dataFunc(sink.Whole{Binding: binding, BindingID: binding, TemplateID: to.subject(binding).Template})
	return t.tellWhole(ctx, names, bindings.BindingOwner(binding), number, event, encode(data))
}

// Why a binding works no longer.
const (
	faultSource = "source" // its source can't be read
	faultUnable = "unable" // it does not fit its template, or lacks something
	faultRows   = "rows"   // all of its rows fail
)

// fail notes that a binding works no longer. Whoever hears of it is told when it
// did before.
func (t *tx) fail(ctx context.Context, binding, fault string, why sink.Failed) error {
	n, err := t.exec(ctx, `UPDATE bindings SET fault = $2 WHERE name = $1 AND gone = 0 AND fault = ''`, binding, fault)
	if err != nil || n == 0 {
		return err
	}
	why.Reason, why.Code, why.Error = fault, clean(why.Code), clean(why.Error)
	return t.tellBinding(ctx, binding, sink.BindingFailed, func(of sink.Whole) any { why.Whole = of; return why })
}

// mend ends a fault of a binding.
func (t *tx) mend(ctx context.Context, binding, fault string) error {
	_, err := t.exec(ctx, `UPDATE bindings SET fault = '' WHERE name = $1 AND fault = $2`, binding, fault)
	return err
}

// judgeRows says whether a binding works that has come to rest: not when each of
// its rows fails.
func (t *tx) judgeRows(ctx context.Context, binding, owner, fault string, failures bool) error {
	if !failures && fault != faultRows {
		return nil
	}
	allFail, err := t.none(ctx, `SELECT 1 FROM items WHERE owner = $1 AND idx = 0 AND state = 'ready' LIMIT 1`, owner)
	switch {
	case err != nil:
		return err
	case !allFail:
		return t.mend(ctx, binding, faultRows)
	case !failures:
		return nil
	}
	var key, text string
	if err := t.row(ctx, `SELECT i.key, CASE WHEN i.problem <> '' THEN i.problem ELSE COALESCE((SELECT min(g.problem) FROM images AS g
			WHERE g.owner = i.owner AND g.idx = 0 AND g.key = i.key AND g.problem <> ''), '') END
		FROM items AS i WHERE i.owner = $1 AND i.idx = 0 AND i.state = 'failed' ORDER BY i.key LIMIT 1`, owner).Scan(&key, &text); err != nil {
		return err
	}
	p, err := problemOf(text)
	if err != nil {
		return err
	}
	why := sink.Failed{Code: "rows_failed", Error: "every row fails"}
	if p != nil {
		why.Error = fmt.Sprintf("every row fails; the first, %s, because: %s", bindings.KeyText(key), p.Message)
	}
	return t.fail(ctx, binding, faultRows, why)
}

// failSource notes for the bindings of a source whether it can be read. To wait for
// another source is no fault.
func (t *tx) failSource(ctx context.Context, source string, failure error) error {
	if failure == nil {
		_, err := t.exec(ctx, `UPDATE bindings SET fault = '' WHERE source = $1 AND fault = $2`, source, faultSource)
		return err
	}
	if problem.All(failure)[0].Slug == codeUnread {
		return nil
	}
	names, err := collect(ctx, t.reader, `SELECT name FROM bindings WHERE source = $1 AND gone = 0 AND paused = 0 AND fault = '' ORDER BY name`, []any{source}, text1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := t.fail(ctx, name, faultSource, sink.Failed{Source: source, Code: "source_failed", Error: failure.Error()}); err != nil {
			return err
		}
	}
	return nil
}

// SetUnable notes why a binding of source can't work; nil when it can.
func (s *Store) SetUnable(ctx context.Context, binding, source string, failure error) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if failure == nil {
			return t.mend(ctx, binding, faultUnable)
		}
		if err := t.registerBinding(ctx, binding, source); err != nil {
			return err
		}
		p := problem.All(failure)[0]
		return t.fail(ctx, binding, faultUnable, sink.Failed{Code: p.Kind(), Error: p.Error()})
	})
	return wrap(err, "note how binding %q is", binding)
}

// Unable are the bindings of which SetUnable has noted a reason.
func (s *Store) Unable(ctx context.Context) (map[string]bool, error) {
	unable := map[string]bool{}
	names, err := collect(ctx, s.reader(), `SELECT name FROM bindings WHERE fault = $1`, []any{faultUnable}, text1)
	for _, name := range names {
		unable[name] = true
	}
	return unable, wrap(err, "read which bindings can't work")
}

// heldOf is what the guard holds of a binding.
func (t *tx) heldOf(ctx context.Context, binding string) (h sink.Tripped, err error) {
	err = t.row(ctx, `SELECT held_changes, held_removal, held_reason FROM bindings WHERE name = $1`, binding).Scan(&h.HeldChanges, &h.HeldRemovals, &h.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return h, err
}

// tellTripped tells of a guard that holds something, where it held nothing before.
func (t *tx) tellTripped(ctx context.Context, binding string, before sink.Tripped) error {
	now, err := t.heldOf(ctx, binding)
	if err != nil || before.Holds() || !now.Holds() {
		return err
	}
	return t.tellBinding(ctx, binding, sink.BindingGuardTripped, func(of sink.Whole) any { now.Whole = of; return now })
}
