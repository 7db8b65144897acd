package chrome

import (
	"testing"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestPoolKeepsThePromiseOfARenderer(t *testing.T) {
	rendertest.Run(t, func(tb testing.TB, files rendertest.Files) render.Renderer {
		return newPool(tb, files, withBrowsers("2"))
	})
}

// One seat: every row of the suite goes through the same tab.
func TestSingleTabKeepsThePromiseOfARenderer(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("Chrome's work, and little of ours: runs in the pass without -short")
	}
	rendertest.Run(t, func(tb testing.TB, files rendertest.Files) render.Renderer {
		return newPool(tb, files, withTabs(1))
	})
}
