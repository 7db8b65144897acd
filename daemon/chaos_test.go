package daemon

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A chaos is a fleet whose processes each have a way of their own to the ledger, and
// to which all befalls that a seed says.
type chaos struct {
	*fleet
	rng     *rand.Rand
	server  *pgtest.Own // of the ledger, and of the shelf
	shelf   *busyTable
	depot   *depot
	ways    map[string]*way // of each process to the ledger
	faults  []chaosFault
	meeting []chaosFault  // of them, those that come to others
	frozen  string        // the place whose process is stopped
	longest time.Duration // that a fault lasts
}

// chaosLedger is the variable with the address at which a process of the fleet finds
// its ledger.
const chaosLedger = "PICTIFYD_CHAOS_LEDGER"

func newChaos(t *testing.T, seed uint64, rows int) *chaos {
	t.Helper()
	c := &chaos{rng: rand.New(rand.NewPCG(seed, 12)), ways: map[string]*way{}}
	c.longest = time.Duration(chaosEnv(t, "PICTIFYD_CHAOS_LONGEST", 6)) * time.Second
	c.server = pgtest.NewServer(t, "wal_level=logical", "max_connections=300")
	bearWitness(t, c.server.DSN)
	for _, name := range places {
		c.ways[name] = newWay(t, c.server.Address())
	}
	c.shelf = newBusyTable(t, c.server)
	if seed%2 == 1 {
		c.depot = newBucketDepot(t)
	} else {
		c.depot = newDiskDepot(t, 32+rows/100)
	}
	c.meeting = slices.Concat(faultsThatMeet, c.depot.faults)
	c.faults = slices.Concat(c.meeting, faultsAlone)
	source, sink, binding := c.shelf.yaml()
	c.fleet = layFleet(t, c.server.DSN, fmt.Sprintf(`store: { url: "${%s}", seal_key: a-key-that-seals-what-callers-give }
sources:
  catalog: { kind: file, path: rows.csv, key: sku, every: 1h }
  %s
sinks:
  hook: { kind: webhook, url: "RECEIVER" }
  %s
bindings:
  - { name: cards, source: catalog, template: card, map: { title: name }, sinks: [hook], public: true }
  - %s
%s`, chaosLedger, source, sink, binding, c.depot.yaml))
	c.env = func(name string) []string {
		return []string{chaosLedger + "=" + pgtest.Through(c.server.DSN, c.ways[name].address(), "")}
	}
	c.begin()
	c.shelf.open(seed)
	return c
}

// mustEndWell checks what a fleet promises, and that the shelf, the sums and the bytes
// are as they have to be.
func (c *chaos) mustEndWell(job string, rows int, word string) {
	c.t.Helper()
	c.shelf.closing()
	over := time.Now()
	after := func(what string) { c.t.Logf("%s after another %s", what, time.Since(over).Round(10*time.Millisecond)) }
	c.mustSettle(job, rows)
	after("the batch has ended, and all are at work")
	c.shelf.mustAgree(c.fleet)
	after("the table is shown as it is")
	c.fleet.mustEndWell(job, rows, word)
	eventually(c.t, "nothing is owed to the shelf", func() bool { return c.working().owes("shelf") == 0 })
	after("the rest is as it has to be")
	c.mustAddUp()
	c.mustLeaveNoOrphans()
	after("nothing else is kept")
}

// deal is so many faults in the order that the seed says: each of them before one
// comes again.
func (c *chaos) deal(n int) (dealt []chaosFault) {
	for len(dealt) < n {
		for _, i := range c.rng.Perm(len(c.faults)) {
			dealt = append(dealt, c.faults[i])
		}
	}
	return dealt[:n]
}

// Whatever befalls processes, the ways between them and what they work with: each row
// is there once, and everybody knows the last state. One seed with a few faults is the
// short form; scripts/chaos.sh asks for more of all.
func TestRolesUnderSeededFaults(t *testing.T) {
	t.Parallel()
	if campaign.Leaves(t) {
		t.Skip("its processes the race detector does not see: runs in the pass without -short")
	}
	// The first faults of seed 16 hold answers back, fill the disk, crash the database, and cut the table off.
	first, seeds := chaosEnv(t, "PICTIFYD_CHAOS_SEED", 16), chaosEnv(t, "PICTIFYD_CHAOS_SEEDS", 1)
	rounds, rows := chaosEnv(t, "PICTIFYD_CHAOS_ROUNDS", 4), chaosEnv(t, "PICTIFYD_CHAOS_ROWS", 1000)
	for seed := uint64(first); seed < uint64(first+seeds); seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			c := newChaos(t, seed, rows)
			id := c.at["door"].mustPost(batchRows(rows), c.site.receiver.server.URL)
			word, over := "", time.Now()
			for round, f := range c.deal(rounds) {
				// The faults are spread over the batch, whose work goes on by itself after each.
				enough := rows * (round + 1) / (rounds + 2)
				eventually(t, fmt.Sprintf("%d rows are drawn", enough), func() bool { c.again(); return c.done(id) >= enough })
				t.Logf("%d rows are drawn after another %s", enough, time.Since(over).Round(10*time.Millisecond))
				word = strconv.Itoa(round + 1)
				c.site.write("rows.csv", csvRows(fleetRows, word))
				c.befall(f)
				over = time.Now()
			}
			c.mustEndWell(id, rows, word)
		})
	}
}

// chaosEnv is the number that a variable has, or short without one.
func chaosEnv(t *testing.T, name string, short int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is no number of faults or seeds", name, text)
	}
	return n
}

// pause is a part of the fault itself: for how long it lasts.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	<-ctx.Done()
}
