package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// A Claim is a render that a turn has taken on.
type Claim struct {
	Fingerprint string
	Spec        bindings.Spec
	Owner       bindings.Owner // who asked for it soonest
	Attempt     int            // counts from 1
	Tries       int            // before, that a remote file spoilt; no attempts
	Run         int64          // of the job that asked; 0 of a binding
	Wanted      time.Time      // since then

	// Before is the hash of what an image shows that waits for this render, where
	// another version of the template or another epoch drew the same row. A
	// picture that shows the same may end as that hash.
	Before string
}

// A Rendered says how one claim ended. Problem and Retry are nil when there is a picture.
type Rendered struct {
	Fingerprint   string
	Hash, Ext     string // of the bytes
	Bytes         int64
	Width, Height int
	Assets        []string // digests of the files that were used
	Remote        []Shown  // those of them that are remote
	Duration      time.Duration
	Lane          string // the way that it took in the engine
	Fitting       bindings.Fitting

	Problem *bindings.Problem // the row's fault: it is not tried again
	Retry   error             // the machine's fault: it waits again
	After   time.Duration     // and at least so long
	Away    bool              // or that of a remote file: it was no attempt
}

// A Shown is a remote file as a picture shows it.
type Shown struct {
	Address string // of its pin
	Digest  string
}

// suspectAttempts is from how many tries on a render is claimed alone: if it is
// what kills the process, it takes no others with it.
const suspectAttempts = 2

// minShare is the fewest renders that a turn leaves for the others to take.
const minShare = 4

// ClaimRenders takes up to limit waiting renders of one group: of those that
// are wanted soonest, from the owner whose turn it is. Fewer when other turns
// could work at the same time. Renders that nobody wants any more are dropped.
func (s *Store) ClaimRenders(ctx context.Context, turn Turn, limit int) ([]Claim, error) {
	var claims []Claim
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		claims = nil
		for {
			if err := t.wake(ctx); err != nil {
				return err
			}
			candidates, err := t.candidates(ctx, limit)
			if errors.Is(err, sql.ErrNoRows) { // on Postgres others may take what was seen just now
				continue
			}
			if err != nil || len(candidates) == 0 {
				return err
			}
			wanted, err := t.dropUnwanted(ctx, candidates)
			if err != nil {
				return err
			}
			if len(wanted) == 0 {
				continue
			}
			if claims, err = t.claim(ctx, turn, wanted); err != nil {
				return err
			}
			if err := t.runs(ctx, claims); err != nil {
				return err
			}
			s.served(claims[0].Owner)
			return t.startJob(ctx, claims[0].Owner)
		}
	})
	if err == nil && len(claims) > 0 {
		s.crash("renders.claimed")
	}
	return claims, wrap(err, "claim renders")
}

const waitingRender = `state = 'waiting' AND due_at <= $1`

// candidates locks what the turn may take.
func (t *tx) candidates(ctx context.Context, limit int) ([]string, error) {
	now := millis(t.now)
	priority, waits, err := t.nextPriority(ctx)
	if err != nil || !waits {
		return nil, err
	}
	owner, alone, err := t.nextOwner(ctx, priority)
	if err != nil {
		return nil, err
	}
	if !alone {
		limit = max(limit/contendedPart, min(limit, minShare))
	}
	var page string
	var attempts int64
	if err := t.row(ctx, `SELECT page, attempts FROM renders WHERE `+waitingRender+` AND priority = $2 AND owner = $3
		ORDER BY created_at, place, fingerprint LIMIT 1`, now, priority, owner).Scan(&page, &attempts); err != nil {
		return nil, err
	}
	if attempts >= suspectAttempts {
		limit = 1
	}
	slots := int(t.store.slots.Load())
	found, err := collect(ctx, t.reader, `SELECT fingerprint, created_at, place FROM renders WHERE `+waitingRender+` AND priority = $2 AND owner = $3
		AND page = $4 AND (attempts < $5 OR $6 = 1) ORDER BY created_at, place, fingerprint LIMIT $7 FOR UPDATE SKIP LOCKED`,
		[]any{now, priority, owner, page, suspectAttempts, limit, limit*slots + 1}, scanCandidate)
	return share(found, limit, slots), err
}

// A candidate is a render that a turn may take, of the row at a place among
// those that were wanted at a moment.
type candidate struct {
	fingerprint    string
	created, place int64
}

func scanCandidate(scan func(...any) error) (c candidate, err error) {
	return c, scan(&c.fingerprint, &c.created, &c.place)
}

func (c candidate) sameRow(d candidate) bool { return c.created == d.created && c.place == d.place }

// share is what one of slots turns takes of what was found: its part, and what
// belongs to the last row of it, up to limit.
func share(found []candidate, limit, slots int) []string {
	n := min(max(minShare, (len(found)+slots-1)/slots), limit, len(found))
	whole := n
	for whole < len(found) && found[whole].sameRow(found[whole-1]) {
		whole++
	}
	if whole > limit { // the row before is the last one, if there is one
		whole--
		for whole > 0 && found[whole-1].sameRow(found[whole]) {
			whole--
		}
		if whole == 0 {
			whole = n
		}
	}
	taken := make([]string, whole)
	for i := range taken {
		taken[i] = found[i].fingerprint
	}
	return taken
}

// dropUnwanted forgets the candidates that no image waits for, but for those
// that are made again. They are locked, so that whoever wants one from now on
// waits, and finds it gone or claimed.
func (t *tx) dropUnwanted(ctx context.Context, candidates []string) (wanted []string, err error) {
	dropped, err := collect(ctx, t.reader, `DELETE FROM renders WHERE fingerprint IN list($1) AND hash = ''
		AND NOT EXISTS (SELECT 1 FROM images AS g WHERE g.fingerprint = renders.fingerprint AND g.state = 'waiting')
		RETURNING fingerprint`, []any{list(candidates)}, text1)
	if err != nil || len(dropped) == 0 {
		return candidates, err
	}
	return slices.DeleteFunc(candidates, func(f string) bool { return slices.Contains(dropped, f) }), nil
}

func (t *tx) claim(ctx context.Context, turn Turn, fingerprints []string) ([]Claim, error) {
	claimed := make(map[string]Claim, len(fingerprints))
	err := t.each(ctx, `UPDATE renders SET state = 'claimed', claimed_by = $2, attempts = attempts + 1
		WHERE fingerprint IN list($1) RETURNING fingerprint, spec, owner, attempts, tries, created_at`,
		[]any{list(fingerprints), turn.ID}, func(scan func(...any) error) error {
			var c Claim
			var spec string
			var created sql.NullInt64
			if err := scan(&c.Fingerprint, &spec, &c.Owner, &c.Attempt, &c.Tries, &created); err != nil {
				return err
			}
			c.Wanted = moment(created)
			err := decode(spec, &c.Spec)
			claimed[c.Fingerprint] = c
			return err
		})
	if err != nil {
		return nil, err
	}
	claims := make([]Claim, len(fingerprints))
	for i, f := range fingerprints {
		claims[i] = claimed[f]
	}
	return claims, t.before(ctx, claims, fingerprints)
}

// runs notes the run of the job that claims are of. They have one owner.
func (t *tx) runs(ctx context.Context, claims []Claim) error {
	id := claims[0].Owner.Job()
	if id == "" {
		return nil
	}
	var run int64
	if err := t.row(ctx, `SELECT COALESCE(max(run), 0) FROM jobs WHERE id = $1`, id).Scan(&run); err != nil {
		return err
	}
	for i := range claims {
		claims[i].Run = run
	}
	return nil
}

// FinishRenders records how claims ended, with everything that follows: images,
// items, deliveries, the counts of jobs. With end the turn is over: what it
// still claims waits again, and the next turn is there while work is left.
func (s *Store) FinishRenders(ctx context.Context, turn Turn, done []Rendered, end bool) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.recordPictures(ctx, done); err != nil {
			return err
		}
		if err := t.recordFailures(ctx, turn, done); err != nil {
			return err
		}
		if !end {
			return nil
		}
		if _, err := t.exec(ctx, `UPDATE renders SET state = `+putAside+`, claimed_by = 0, attempts = attempts - 1
			WHERE claimed_by = $1 AND state = 'claimed'`, turn.ID); err != nil {
			return err
		}
		t.wantRenders = true
		return t.complete(ctx, turn)
	})
	if err == nil && !end {
		s.crash("renders.recorded")
	}
	return wrap(err, "record renders")
}

// recordPictures keeps every picture, also one that nobody wants any more: the
// fingerprint says all that it is made of.
func (t *tx) recordPictures(ctx context.Context, done []Rendered) error {
	var rows [][]any
	var fingerprints []string
	for _, r := range done {
		if r.Problem != nil || r.Retry != nil {
			continue
		}
		assets := ""
		if len(r.Assets) > 0 {
			assets = encode(r.Assets)
		}
		rows = append(rows, []any{r.Fingerprint, r.Hash, r.Ext, r.Bytes, r.Width, r.Height, r.Duration.Microseconds(), assets, fittingText(r.Fitting), r.Lane})
		fingerprints = append(fingerprints, r.Fingerprint)
	}
	if len(rows) == 0 {
		return nil
	}
	if err := t.replaceBytes(ctx, done, fingerprints); err != nil {
		return err
	}
	if err := t.recordShown(ctx, done); err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	known, err := t.exec(ctx, `UPDATE renders SET state = 'done', claimed_by = 0, hash = e.value->>1, ext = e.value->>2,
			bytes = CAST(e.value->>3 AS BIGINT), width = CAST(e.value->>4 AS BIGINT), height = CAST(e.value->>5 AS BIGINT),
			duration = CAST(e.value->>6 AS BIGINT), assets = e.value->>7, layout = e.value->>8, lane = e.value->>9, ended_at = CAST($2 AS BIGINT)
		FROM rows($1) AS e WHERE fingerprint = e.value->>0 AND state <> 'done'`, table(rows), millis(t.now))
	if err != nil {
		return err
	}
	if known < int64(len(rows)) {
		if err := t.dropErased(ctx, rows); err != nil {
			return err
		}
	}
	return t.settle(ctx, fingerprints, nil)
}

// recordFailures ends claims whose row is at fault, and lets the others wait
// for another try, as long as there is one left.
func (t *tx) recordFailures(ctx context.Context, turn Turn, done []Rendered) error {
	failed := map[string]bindings.Problem{}
	for _, r := range done {
		switch {
		case r.Problem != nil:
			failed[r.Fingerprint] = *r.Problem
		case r.Retry != nil:
			last, err := t.rest(ctx, turn, r)
			if err != nil {
				return err
			}
			if last {
				failed[r.Fingerprint] = bindings.Problem{Code: codeFailed, Message: fmt.Sprintf("%v (tried %d times)", r.Retry, claimLimit)}
			}
		}
	}
	return t.failRenders(ctx, failed)
}

// rest lets a claim wait. last says that it was its last try.
func (t *tx) rest(ctx context.Context, turn Turn, r Rendered) (last bool, err error) {
	n, err := t.exec(ctx, `UPDATE renders SET state = CASE WHEN $6 = 0 THEN `+putAside+` WHEN owner IN `+pausedOwners+` THEN 'held' ELSE 'resting' END,
			claimed_by = 0, due_at = $3, attempts = attempts - $5, tries = tries + $5
		WHERE fingerprint = $1 AND claimed_by = $2 AND state = 'claimed' AND (attempts < $4 OR $5 = 1)`,
		r.Fingerprint, turn.ID, millis(t.now.Add(r.After)), claimLimit, flag(r.Away), flag(r.After > 0))
	if err != nil || n > 0 {
		return false, err
	}
	var held int64
	err = t.row(ctx, `SELECT count(*) FROM renders WHERE fingerprint = $1 AND claimed_by = $2 AND state = 'claimed'`, r.Fingerprint, turn.ID).Scan(&held)
	return held > 0, err
}

// failRenders ends claimed renders, and the images that wait for them.
func (t *tx) failRenders(ctx context.Context, failed map[string]bindings.Problem) error {
	var rows [][]any
	for _, f := range slices.Sorted(maps.Keys(failed)) {
		p := failed[f]
		rows = append(rows, []any{f, problemText(&p)})
	}
	texts := map[string]string{}
	if err := pages(rows, pageSize, func(page [][]any) error {
		return t.each(ctx, `UPDATE renders SET state = 'failed', claimed_by = 0, problem = e.value->>1, ended_at = CAST($2 AS BIGINT)
			FROM rows($1) AS e WHERE fingerprint = e.value->>0 AND state = 'claimed' RETURNING fingerprint, problem`,
			[]any{table(page), millis(t.now)}, func(scan func(...any) error) error {
				var f, text string
				err := scan(&f, &text)
				texts[f] = text
				return err
			})
	}); err != nil {
		return err
	}
	return t.settle(ctx, nil, texts)
}

// dropErased marks the bytes of pictures, given by fingerprint and hash, whose
// rows were erased while they were made.
func (t *tx) dropErased(ctx context.Context, pictures [][]any) error {
	made := map[string]string{}
	var fingerprints []string
	for _, p := range pictures {
		f, hash := p[0].(string), p[1].(string)
		made[f], fingerprints = hash, append(fingerprints, f)
	}
	known, err := collect(ctx, t.reader, `SELECT fingerprint FROM renders WHERE fingerprint IN list($1)`, []any{list(fingerprints)}, text1)
	if err != nil {
		return err
	}
	for _, f := range known {
		delete(made, f)
	}
	return t.markErased(ctx, slices.Collect(maps.Values(made)), new(Erased))
}
