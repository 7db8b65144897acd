package blob

import (
	"context"
	"io"
	"time"
)

// A Store keeps bytes by their hash. It is safe for concurrent use, and several
// processes may use one place; only one of them may remove.
type Store interface {
	// Put keeps data and returns its hash. Bytes that are kept already are not sent
	// again as long as they are young, but count as put now.
	Put(ctx context.Context, data []byte) (hash string, err error)
	// PutMany keeps each of data and returns their hashes, in order. When it returns
	// nil all of them are safe; on an error some may be, and none in part.
	PutMany(ctx context.Context, data [][]byte) (hashes []string, err error)
	// Open is the bytes of hash and their number. An unknown hash is a problem of
	// code NotFound. What is read ends with ctx.
	Open(ctx context.Context, hash string) (r io.ReadSeekCloser, size int64, err error)
	// Verify reads the bytes of hash and reports whether they still have it. Damaged
	// ones are removed and reported as missing: whoever wants them makes them again.
	Verify(ctx context.Context, hash string) error
	// Walk calls visit for all bytes that are kept, a page at a time in the order of
	// their hashes. What is put or removed meanwhile may be among them or not.
	Walk(ctx context.Context, visit func(page []File) error) error
	// Remove removes the bytes of hash unless somebody put them after before, or so
	// little earlier that the place cannot tell. left says that they are still there.
	// Bytes that are not there are removed already. No Put of any process has
	// promised what is removed: it comes before, and keeps the bytes, or after, and
	// puts them anew.
	Remove(ctx context.Context, hash string, before time.Time) (freed int64, left bool, err error)
	// Free is the number of bytes that can still be put; math.MaxInt64 where nothing
	// is known to end.
	Free() (int64, error)
	// Temporary is a folder of this machine for files that nobody keeps. What has a
	// name there may be gone after a restart.
	Temporary() string
	// Close releases the place.
	Close() error
}

// A Prober is a Store behind a network, of which more can be said than that it was
// opened.
type Prober interface {
	// Probe puts, reads, lists and removes a few bytes of its own.
	Probe(ctx context.Context) error
	// Ready says why nothing can be kept or read now. It asks for little, and less
	// where somebody was answered a moment ago.
	Ready(ctx context.Context) error
	// Where names the place for people.
	Where() string
}

// A File is what is known of kept bytes.
type File struct {
	Hash string
	Size int64
	At   time.Time // they were last put; bytes that were there already count as put too
}

// walkPage is how many files a page of Walk has at most.
const walkPage = 500

// Open opens the place that c names; a relative path in it is relative to dir. It
// reaches no network.
func Open(c Config, dir string) (Store, error) {
	if c.IsBucket() {
		return OpenBucket(c, dir)
	}
	return OpenFolder(c.URL, dir, Options{})
}

var (
	_ Store  = (*Folder)(nil)
	_ Store  = (*Bucket)(nil)
	_ Prober = (*Bucket)(nil)
)
