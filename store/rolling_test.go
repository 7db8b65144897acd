package store

import (
	"context"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// future brings a ledger to the tables of a version that is to come: as the rule of
// migrate.go has it, it only adds.
func future(schema *pgtest.Schema) {
	schema.Run(`CREATE TABLE novelties (n BIGINT);
		ALTER TABLE renders ADD COLUMN novelty TEXT NOT NULL DEFAULT 'none';
		ALTER TABLE deliveries ADD COLUMN novelty BIGINT;
		ALTER TABLE members ADD COLUMN novelty BIGINT NOT NULL DEFAULT 0;
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
}

// The holder is of the next version already: members of this one go on, and others join.
// Then the next one is stopped, and one of this version holds the ledger.
func TestProcessesOfThisVersionWorkWithTheTablesOfTheNext(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	heard(t, holder)
	works(t, holder, Workers{})
	wantMany(t, holder, 4)
	before := joins(t, schema.DSN, Options{})
	first, err := before.ClaimRenders(t.Context(), Turn{ID: 1}, 2)
	if err != nil || len(first) != 2 {
		t.Fatalf("claimed %v, %v", first, err)
	}
	future(schema)
	finishes(t, before, 1, first)
	after := joins(t, schema.DSN, Options{})
	finishes(t, after, 2, claimed(t, after, 2))
	if c := counters(t, holder); c.RendersDone != 4 || c.DeliveriesWaiting != 4 {
		t.Errorf("in the end there are %+v", c)
	}
	freeze(holder).drop()
	next := opened(t, schema.DSN)
	want(t, next, "x")
	finishes(t, after, 3, claimed(t, after, 3))
	if c := counters(t, next); c.RendersDone != 5 {
		t.Errorf("after another one has taken the ledger there are %+v", c)
	}
}

func TestMemberRefusesTablesThatAreOlderThanItNeeds(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	schema.Run(`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	if _, err := Open(t.Context(), Config{URL: schema.DSN}, Options{Member: true}); !slugged(err, Behind) {
		t.Errorf("joined: %v", err)
	}
	if got := places(t, holder); len(got) != 1 {
		t.Errorf("members are %v", got)
	}
}

// A holder died between the commit that took a member's place and the end of what that
// member had open: the next one sees to it before it puts anything back.
func TestHolderThatStartsEndsWhatMembersWithoutAPlaceHaveOpen(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	schema.Run("CREATE TABLE marks (n BIGINT)")
	late := opened(t, schema.DSN)
	stop := works(t, late, Workers{})
	wantMany(t, late, 2)
	member := joins(t, schema.DSN, Options{})
	has := make(chan struct{}, 10)
	works(t, member, Workers{Slots: 1, Render: func(ctx context.Context, turn Turn) error {
		claims, err := member.ClaimRenders(ctx, turn, 10)
		if err == nil && len(claims) > 0 {
			has <- struct{}{}
			<-ctx.Done()
		}
		return err
	}})
	<-has
	open, err := member.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.ExecContext(t.Context(), `INSERT INTO marks VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	silence(member) // its lock stays, and so it asks nothing any more
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	freeze(late).drop()
	schema.Run(`DELETE FROM members WHERE number > 0`)
	next := opened(t, schema.DSN)
	works(t, next, Workers{})
	until(t, "what it had waits again", func() bool { return counters(t, next).RendersWaiting == 2 })
	if err := open.Commit(); err == nil {
		t.Error("the member committed what it had begun before")
	}
	if n := schema.Value("SELECT count(*) FROM marks"); n != "0" {
		t.Errorf("there are %s marks", n)
	}
}
