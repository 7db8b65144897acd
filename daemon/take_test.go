package daemon

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
)

const takenSite = `
sources: { shop: { kind: file, path: shop.csv, key: sku } }
bindings:
  - { name: cards, source: shop, template: card, map: { title: name }, guard: { floor: 2 } }
`

// shopRow is a row as a sender has it.
func shopRow(sku, name string) connectors.Row {
	return connectors.Row{Key: []any{sku}, Values: map[string]any{"sku": sku, "name": name, "price": json.Number("1")}}
}

// takeIn takes rows and tells how many pictures they want.
func takeIn(t *testing.T, d *Daemon, a arrival) int {
	t.Helper()
	done, err := d.take(t.Context(), d.roster().feeds["shop"], a)
	if err != nil {
		t.Fatal(err)
	}
	return done.result.Promoted
}

func TestArrivalChangesItsRowsAndNothingElse(t *testing.T) {
	site := newSite(t, takenSite)
	site.write("shop.csv", "sku,name,price\nA,Mug,1\nB,Cup,1\n")
	d := site.open()
	if n := takeIn(t, d, arrival{rows: []connectors.Row{shopRow("A", "Mug"), shopRow("B", "Cup")}}); n != 2 {
		t.Fatalf("%d pictures are wanted, want 2", n)
	}
	if n := takeIn(t, d, arrival{rows: []connectors.Row{shopRow("A", "Mug XL")}}); n != 1 {
		t.Errorf("%d pictures are wanted after one change, want 1", n)
	}
	if n := takeIn(t, d, arrival{rows: []connectors.Row{shopRow("A", "Mug XL")}}); n != 0 {
		t.Errorf("%d pictures are wanted by the same row again", n)
	}
	st, err := d.store.Bindings(t.Context(), []string{"cards"})
	if err != nil {
		t.Fatal(err)
	}
	if st[0].Live != 2 || !st[0].ReadAt.IsZero() {
		t.Errorf("status is %+v, want 2 images and no reading", st[0])
	}
}

func TestGuardHoldsALargeArrivalUnlessSomebodyAsked(t *testing.T) {
	for name, asked := range map[string]bool{"sent": false, "asked for": true} {
		t.Run(name, func(t *testing.T) {
			site := newSite(t, takenSite)
			site.write("shop.csv", "sku,name,price\n")
			d := site.open()
			rows := func(suffix string) (rows []connectors.Row) {
				for i := range 8 {
					rows = append(rows, shopRow(fmt.Sprint(i), fmt.Sprint("Mug ", i, suffix)))
				}
				return rows
			}
			// The first reading of a binding is wanted as it comes; then it is over.
			f := d.roster().feeds["shop"]
			f.passive = true
			takeIn(t, d, arrival{rows: rows("")})
			want := 0
			if asked {
				want = 8
			}
			if n := takeIn(t, d, arrival{rows: rows("!"), asked: asked}); n != want {
				t.Errorf("%d pictures are wanted, want %d", n, want)
			}
			st, err := d.store.Bindings(t.Context(), []string{"cards"})
			if err != nil {
				t.Fatal(err)
			}
			if st[0].HeldChanges != int64(8-want) {
				t.Errorf("%d are held, want %d", st[0].HeldChanges, 8-want)
			}
		})
	}
}
