package daemon

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/jpeg" // the formats that pictures have
	_ "image/png"
	"io"
	"sync"

	_ "golang.org/x/image/webp" // as the others

	"github.com/pictifyd/pictifyd/internal/pixels"
	"github.com/pictifyd/pictifyd/store"
)

const (
	keptPixels = 4 << 20 // of a picture; larger ones are not compared, for that would cost more than it saves
	keptMisses = 8       // in a row, and a version of a template is taken for one that looks otherwise
)

// A keeper knows which versions of templates change how rows look, so that not
// every picture of a new design is compared with the old one.
type keeper struct {
	mu     sync.Mutex
	misses map[string]int // in a row, by the page's digest
}

// worth reports whether a comparison may still find pictures of page that did
// not change.
func (k *keeper) worth(page string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.misses[page] < keptMisses
}

func (k *keeper) learn(page string, same bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.misses == nil || len(k.misses) > 1000 {
		k.misses = map[string]int{}
	}
	if k.misses[page]++; same {
		delete(k.misses, page)
	}
}

// keeps reports whether the file that an image shows until now can stay: a new
// version of the template, or a new epoch, made a picture of the same pixels in
// other bytes. size is that of the file. Whatever stands against it, an old file
// that is gone or damaged too, gives the image its new bytes.
func (d *Daemon) keeps(ctx context.Context, c store.Claim, made []byte) (size int64, ok bool) {
	if sum := sha256.Sum256(made); c.Before == "" || c.Before == hex.EncodeToString(sum[:]) || !d.kept.worth(c.Spec.Page) {
		return 0, false // the same bytes are the same file anyway
	}
	file, size, err := d.blobs.Open(ctx, c.Before)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	shown, err := io.ReadAll(file)
	if err != nil {
		return 0, false
	}
	same := samePicture(shown, made)
	d.kept.learn(c.Spec.Page, same)
	return size, same
}

// samePicture reports whether two files show the same pixels. It knows no PDFs
// and no moving pictures; their encoders give the same bytes for the same frames.
func samePicture(a, b []byte) bool {
	p, kind, err := image.DecodeConfig(bytes.NewReader(a))
	q, other, otherErr := image.DecodeConfig(bytes.NewReader(b))
	still := kind == "png" || kind == "jpeg" || kind == "webp"
	if err != nil || otherErr != nil || !still || kind != other || p.Width != q.Width || p.Height != q.Height || p.Width*p.Height > keptPixels {
		return false
	}
	m, _, err := image.Decode(bytes.NewReader(a))
	n, _, otherErr := image.Decode(bytes.NewReader(b))
	return err == nil && otherErr == nil && pixels.Equal(m, n)
}
