package daemon

import (
	"errors"
	"slices"
	"testing"
)

// A source that changes while its change is told of is told of again: who reads it
// may have done so before.
func TestChangeWhileAChangeIsToldIsToldAgain(t *testing.T) {
	var n news
	n.note("brands")
	if names := n.begin(); !slices.Equal(names, []string{"brands"}) || !n.pending() {
		t.Fatalf("told of are %q, pending %v", names, n.pending())
	}
	n.note("brands")
	n.end(nil)
	if names := n.begin(); !slices.Equal(names, []string{"brands"}) {
		t.Errorf("afterwards told of are %q, want the source once more", names)
	}
	n.end(errors.New("the database is away"))
	n.note("shops")
	if names := n.begin(); !slices.Equal(names, []string{"brands", "shops"}) {
		t.Errorf("after a failure told of are %q, want both", names)
	}
	if n.end(nil); n.pending() {
		t.Error("something is pending when all was told")
	}
}
