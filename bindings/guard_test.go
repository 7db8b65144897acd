package bindings

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGuardHoldsAboveShareAndFloorBoth(t *testing.T) {
	guard := Guard{MaxChanged: 0.5, MaxDeleted: 0.1, Floor: 20}
	for _, c := range []struct {
		name  string
		guard Guard
		c     Counts
		want  Verdict
	}{
		{"nothing happens", guard, Counts{Live: 100, Rows: 100}, Verdict{}},
		{"nothing known", guard, Counts{}, Verdict{}},
		{"exactly half", guard, Counts{Live: 100, Changed: 50, Rows: 100}, Verdict{}},
		{"exactly a share that has no exact binary form", Guard{MaxChanged: 0.29, MaxDeleted: 0.57}, Counts{Live: 100, Changed: 29, Gone: 57, Rows: 43}, Verdict{}},
		{"one of a million more than that", Guard{MaxChanged: 0.29}, Counts{Live: 1_000_000, Changed: 290_001, Rows: 1_000_000}, Verdict{
			HoldChanges: true, Reason: "290,001 of 1,000,000 images would change (limit 29 %)",
		}},
		{"one more than half", guard, Counts{Live: 10000, Changed: 5001, Rows: 10000}, Verdict{
			HoldChanges: true, Reason: "5,001 of 10,000 images would change (limit 50 %)",
		}},
		{"above the share, not above the floor", guard, Counts{Live: 20, Changed: 20, Gone: 20, Rows: 20}, Verdict{}},
		{"a tenth may go", guard, Counts{Live: 1000, Gone: 100, Rows: 900}, Verdict{}},
		{"more may not, and the changes go on", guard, Counts{Live: 1000, Changed: 30, Gone: 101, Rows: 899}, Verdict{
			HoldRemoval: true, Reason: "101 of 1,000 images would go (limit 10 %)",
		}},
		{"both", guard, Counts{Live: 100, Changed: 60, Gone: 40, Rows: 60}, Verdict{
			HoldChanges: true, HoldRemoval: true, Reason: "60 of 100 images would change (limit 50 %); 40 of 100 images would go (limit 10 %)",
		}},
		{"no rows where there were some", guard, Counts{Live: 10000, Gone: 10000}, Verdict{
			HoldChanges: true, HoldRemoval: true, Reason: "the source suddenly has no rows (it had 10,000 images)",
		}},
		{"no rows, below every limit", Guard{MaxChanged: 1, MaxDeleted: 1, Floor: 20}, Counts{Live: 1, Gone: 1}, Verdict{
			HoldChanges: true, HoldRemoval: true, Reason: "the source suddenly has no rows (it had 1 image)",
		}},
		{"switched off", Guard{MaxChanged: 1, MaxDeleted: 1}, Counts{Live: 100, Changed: 100, Gone: 100, Rows: 1}, Verdict{}},
		{"nothing at all may change", Guard{}, Counts{Live: 100, Changed: 1, Rows: 100}, Verdict{
			HoldChanges: true, Reason: "1 of 100 images would change (limit 0 %)",
		}},
		{"a limit with a fraction", Guard{MaxChanged: 0.125}, Counts{Live: 1234567, Changed: 1234567, Rows: 1}, Verdict{
			HoldChanges: true, Reason: "1,234,567 of 1,234,567 images would change (limit 12.5 %)",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Judge(c.guard, c.c)); diff != "" {
				t.Errorf("Judge(%+v, %+v) (-want +got):\n%s", c.guard, c.c, diff)
			}
		})
	}
}
