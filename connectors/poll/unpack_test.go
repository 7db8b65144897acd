package poll_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/campaign"
)

func gzipped(tb testing.TB, text string) string {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func zstded(tb testing.TB, text string, o ...zstd.EOption) string {
	tb.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, o...)
	if err != nil {
		tb.Fatal(err)
	}
	_, _ = io.WriteString(w, text)
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func unpack(document io.Reader, limit config.Bytes) (string, error) {
	r, err := poll.Unpack(document, limit)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), errors.Join(err, r.Close())
}

func TestPackedDocumentIsUnpacked(t *testing.T) {
	long := strings.Repeat("id,name\n1,a\n", 10_000)
	for name, c := range map[string]struct{ document, want string }{
		"plain": {long, long}, "nothing": {"", ""}, "short": {"a", "a"}, "gzip": {gzipped(t, long), long}, "zstd": {zstded(t, long), long},
		"two gzips": {gzipped(t, "a") + gzipped(t, "b"), "ab"}, "two zstds": {zstded(t, "a") + zstded(t, "b"), "ab"}, "empty gzip": {gzipped(t, ""), ""},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.document), iotest.HalfReader(strings.NewReader(c.document))} {
			if got, err := unpack(r, 1<<20); got != c.want || err != nil {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
	}
}

func TestPackedDocumentThatIsNotWholeIsAnError(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("large, and of one goroutine the race detector sees nothing: runs in the pass without -short")
	}
	text := strings.Repeat("id,name\n1,a\n", 1000)
	g, z := gzipped(t, text), zstded(t, text)
	broken := []byte(g)
	broken[len(broken)-5] ^= 1
	far := zstded(t, strings.Repeat("x", 70<<20), zstd.WithWindowSize(64<<20))
	for name, c := range map[string]struct{ document, words string }{
		"gzip cut":      {g[:len(g)-9], "gzip breaks off"},
		"gzip begun":    {g[:5], "gzip breaks off"},
		"checksum":      {string(broken), "not gzip, though it begins so"},
		"something aft": {g + "something more", "not gzip"},
		"zstd cut":      {z[:len(z)-9], "zstd breaks off"},
		"no zstd":       {z[:4] + strings.Repeat("\xff", 50), "zstd"},
		"far back":      {far, "32 MB"},
		"bomb":          {gzipped(t, strings.Repeat("\n", 5<<20)), "larger than"},
		"zstd bomb":     {zstded(t, strings.Repeat("\n", 5<<20)), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unpack(strings.NewReader(c.document), 1<<20)
			mustProblem(t, err, 0, c.words)
		})
	}
	gone := errors.New("gone")
	for _, cut := range []string{g[:len(g)/2], z[:len(z)/2], "plain"} {
		if _, err := unpack(io.MultiReader(strings.NewReader(cut), iotest.ErrReader(gone)), 1<<20); !errors.Is(err, gone) {
			t.Errorf("got %v, want the error of the reader", err)
		}
	}
}
