package daemon

import (
	"context"
	"io"

	"github.com/pictifyd/pictifyd/assets"
)

// shownFiles is the files that editors are shown. What rows may not fetch, they may
// not either.
type shownFiles struct{ d *Daemon }

// Fetch is the pin of an address that a row names.
func (g shownFiles) Fetch(ctx context.Context, url, scope string) (assets.Pin, error) {
	if !g.d.settings.Render.AllowsRemote() {
		return assets.Pin{}, errRemoteOff
	}
	return g.d.assets.Fetch(ctx, url, scope)
}

// Put keeps the bytes of a file that was put into a draft.
func (g shownFiles) Put(ctx context.Context, data []byte, contentType string) (string, error) {
	return g.d.assets.Put(ctx, data, contentType)
}

// Open is the bytes of a file.
func (g shownFiles) Open(ctx context.Context, digest string) (io.ReadCloser, string, error) {
	return g.d.assets.Open(ctx, digest)
}
