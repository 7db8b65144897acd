// Package blobtest has the promises of blob.Store in a form that can fail.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store/blob"
)

// A Subject is an empty place, and what a test can do to it behind its back.
type Subject struct {
	Store   blob.Store
	Another func() blob.Store                   // of the same place, as of another process
	Age     func(hash string, by time.Duration) // as if the bytes had been put that much earlier
	Damage  func(hash string, data []byte)      // has data under hash
	Foreign func(hash string)                   // something of somebody else beside the bytes of hash
	Slack   time.Duration                       // by which bytes may stay longer than Remove asks for
	Shared  bool                                // Remove holds against the Puts of other processes, too
}

// Run asks the whole promise.
func Run(t *testing.T, open func(tb testing.TB) Subject) {
	for name, test := range map[string]func(*testing.T, Subject){
		"BytesComeBackUnderTheirHash":      bytesComeBack,
		"ManyComeBackInOrder":              manyInOrder,
		"UnknownHashIsNotFound":            unknownIsNotFound,
		"RangesAreServed":                  rangesAreServed,
		"ReadersSeek":                      readersSeek,
		"DamagedBytesAreFoundAndRemoved":   damagedAreRemoved,
		"RemoveTakesWhatNobodyPutSince":    removeTakesOld,
		"WalkSeesEverythingOnceInOrder":    walkSeesAll,
		"RemovalAndPutOfTheSameBytes":      removalAndPut,
		"ManyCallersPutReadAndRemove":      manyCallers,
		"AnEndedContextPutsNothingFurther": endedContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// HashOf is the name of bytes.
func HashOf(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

func mustPut(tb testing.TB, s blob.Store, data string) string {
	tb.Helper()
	hash, err := s.Put(tb.Context(), []byte(data))
	if err != nil {
		tb.Fatalf("put: %v", err)
	}
	return hash
}

func read(ctx context.Context, s blob.Store, hash string) (string, error) {
	r, size, err := s.Open(ctx, hash)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err == nil && int64(len(data)) != size {
		err = fmt.Errorf("%d of %d bytes", len(data), size)
	}
	return string(data), err
}

func mustRead(tb testing.TB, s blob.Store, hash string) string {
	tb.Helper()
	data, err := read(tb.Context(), s, hash)
	if err != nil {
		tb.Fatalf("read %s: %v", hash, err)
	}
	return data
}

func bytesComeBack(t *testing.T, s Subject) {
	for _, data := range []string{"", "a", strings.Repeat("picture", 100_000)} {
		hash := mustPut(t, s.Store, data)
		if hash != HashOf(data) {
			t.Errorf("hash = %s, want %s", hash, HashOf(data))
		}
		for name, from := range map[string]blob.Store{"this": s.Store, "another": s.Another()} {
			if got := mustRead(t, from, hash); got != data {
				t.Errorf("%d bytes came back as %d to %s process", len(data), len(got), name)
			}
		}
		if err := s.Store.Verify(t.Context(), hash); err != nil {
			t.Errorf("verify: %v", err)
		}
	}
}

func manyInOrder(t *testing.T, s Subject) {
	var data [][]byte
	for i := range 50 {
		data = append(data, fmt.Appendf(nil, "picture %d", i%40)) // ten of them twice
	}
	hashes, err := s.Store.PutMany(t.Context(), data)
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	for i, d := range data {
		if got := mustRead(t, s.Store, hashes[i]); got != string(d) {
			t.Errorf("%d: got %q, want %q", i, got, d)
		}
	}
	if none, err := s.Store.PutMany(t.Context(), nil); len(none) != 0 || err != nil {
		t.Errorf("of nothing: %v, %v", none, err)
	}
}

// noHashes are texts of other people that no place may take for a name.
var noHashes = []string{
	"", "a", "../secret", strings.ToUpper(HashOf("a")), strings.Repeat("/", 64), strings.Repeat("..", 32),
	HashOf("a") + "0", HashOf("a")[:63] + "\x00", HashOf("a")[:63] + "?",
}

func unknownIsNotFound(t *testing.T, s Subject) {
	mustPut(t, s.Store, "a")
	for _, hash := range append([]string{HashOf("unknown")}, noHashes...) {
		if _, _, err := s.Store.Open(t.Context(), hash); err == nil || problem.CodeOf(err) != problem.NotFound {
			t.Errorf("Open(%q) = %v, want not_found", hash, err)
		}
	}
	if err := s.Store.Verify(t.Context(), HashOf("unknown")); err == nil || problem.CodeOf(err) != problem.NotFound {
		t.Errorf("Verify = %v, want not_found", err)
	}
}

// pattern is bytes of which each range looks different.
func pattern(n int) string {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	return string(data)
}

func rangesAreServed(t *testing.T, s Subject) {
	data := pattern(300_000)
	hash := mustPut(t, s.Store, data)
	serve := func(method, ranged, match string) *httptest.ResponseRecorder {
		r, _, err := s.Another().Open(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		request := httptest.NewRequest(method, "/", nil)
		request.Header.Set("Range", ranged)
		request.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("ETag", `"x"`)
		http.ServeContent(w, request, "", time.Time{}, r)
		return w
	}
	for _, c := range []struct {
		method, ranged, match string
		status                int
		want                  string
	}{
		{"GET", "", "", 200, data},
		{"HEAD", "", "", 200, ""},
		{"GET", "", `"x"`, 304, ""},
		{"GET", "bytes=0-0", "", 206, data[:1]},
		{"GET", "bytes=100000-200000", "", 206, data[100_000:200_001]},
		{"GET", "bytes=-5", "", 206, data[len(data)-5:]},
		{"GET", "bytes=299999-", "", 206, data[299_999:]},
		{"GET", "bytes=300000-", "", 416, "invalid range: failed to overlap\n"},
	} {
		w := serve(c.method, c.ranged, c.match)
		if w.Code != c.status || w.Body.String() != c.want {
			t.Errorf("%s %s: %d with %d bytes, want %d with %d", c.method, c.ranged, w.Code, w.Body.Len(), c.status, len(c.want))
		}
	}
	if w := serve("GET", "bytes=5-9,200000-200009", ""); w.Code != 206 || !strings.Contains(w.Body.String(), data[5:10]) || !strings.Contains(w.Body.String(), data[200_000:200_010]) {
		t.Errorf("two ranges: %d", w.Code)
	}
}

func readersSeek(t *testing.T, s Subject) {
	data := pattern(200_000)
	r, size, err := s.Store.Open(t.Context(), mustPut(t, s.Store, data))
	if err != nil || size != int64(len(data)) {
		t.Fatalf("%d bytes, %v", size, err)
	}
	defer r.Close()
	at := func(offset int64, whence int, want int64, n int) {
		t.Helper()
		pos, err := r.Seek(offset, whence)
		if err != nil || pos != want {
			t.Fatalf("Seek(%d, %d) = %d, %v; want %d", offset, whence, pos, err, want)
		}
		got := make([]byte, n)
		if _, err := io.ReadFull(r, got); err != nil || string(got) != data[want:want+int64(n)] {
			t.Errorf("%d bytes at %d: %v, or others", n, want, err)
		}
	}
	at(0, io.SeekStart, 0, 512) // whoever sniffs
	at(0, io.SeekStart, 0, 10_000)
	at(1000, io.SeekCurrent, 11_000, 100)
	at(-100, io.SeekEnd, 199_900, 100)
	at(5, io.SeekStart, 5, 1)
	at(150_000, io.SeekStart, 150_000, 50_000)
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		t.Error("before the beginning there is something")
	}
	at(0, io.SeekStart, 0, len(data))
}

func damagedAreRemoved(t *testing.T, s Subject) {
	sound, damaged, cut := mustPut(t, s.Store, "sound"), mustPut(t, s.Store, "picture"), mustPut(t, s.Store, "another picture")
	s.Damage(damaged, []byte("pictvre"))
	s.Damage(cut, []byte("another"))
	if err := s.Store.Verify(t.Context(), sound); err != nil {
		t.Errorf("sound bytes: %v", err)
	}
	for _, hash := range []string{damaged, cut} {
		if err := s.Store.Verify(t.Context(), hash); err == nil || problem.CodeOf(err) != problem.NotFound {
			t.Errorf("damaged bytes: %v, want not_found", err)
		}
		if _, _, err := s.Store.Open(t.Context(), hash); err == nil || problem.CodeOf(err) != problem.NotFound {
			t.Errorf("damaged bytes that were found: %v, want not_found", err)
		}
	}
	mustPut(t, s.Store, "picture")
	if err := s.Store.Verify(t.Context(), damaged); err != nil {
		t.Errorf("mended bytes: %v", err)
	}
	s.Damage(sound, []byte("soun")) // a put of the right bytes mends what was cut
	if _, err := s.Another().Put(t.Context(), []byte("sound")); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, s.Another(), sound); got != "sound" {
		t.Errorf("after a put: %q", got)
	}
}

const rest = time.Hour

func removeTakesOld(t *testing.T, s Subject) {
	remove := func(hash string) (int64, bool) {
		t.Helper()
		freed, left, err := s.Store.Remove(t.Context(), hash, time.Now().Add(-rest))
		if err != nil {
			t.Fatalf("remove: %v", err)
		}
		return freed, left
	}
	hash := mustPut(t, s.Store, "picture")
	if freed, left := remove(hash); freed != 0 || !left {
		t.Errorf("young bytes: %d freed, left %v", freed, left)
	}
	s.Age(hash, rest-time.Minute)
	if freed, left := remove(hash); freed != 0 || !left {
		t.Errorf("bytes that are not old enough: %d freed, left %v", freed, left)
	}
	s.Age(hash, time.Minute+s.Slack)
	mustPut(t, s.Store, "picture") // is there, and counts as put now
	if _, left := remove(hash); !left {
		t.Error("bytes that were put again are gone")
	}
	s.Age(hash, rest+s.Slack)
	mustPut(t, s.Another(), "picture") // by another process
	if _, left := remove(hash); !left {
		t.Error("bytes that another process put again are gone")
	}
	s.Age(hash, rest+s.Slack)
	if freed, left := remove(hash); freed != 7 || left {
		t.Errorf("old bytes: %d freed, left %v", freed, left)
	}
	if _, _, err := s.Store.Open(t.Context(), hash); err == nil || problem.CodeOf(err) != problem.NotFound {
		t.Errorf("afterwards: %v", err)
	}
	for _, gone := range append([]string{hash}, noHashes...) {
		if freed, left, err := s.Store.Remove(t.Context(), gone, time.Now()); freed != 0 || left || err != nil {
			t.Errorf("%q: %d freed, left %v, %v", gone, freed, left, err)
		}
	}
	mustPut(t, s.Store, "picture")
	if got := mustRead(t, s.Another(), hash); got != "picture" {
		t.Errorf("put after the removal: %q", got)
	}
}

func walkSeesAll(t *testing.T, s Subject) {
	var data [][]byte
	for i := range 520 { // more than a page
		data = append(data, fmt.Append(nil, i))
	}
	began := time.Now()
	want, err := s.Store.PutMany(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	s.Foreign(want[0])
	var seen []string
	pages := 0
	if err := s.Store.Walk(t.Context(), func(page []blob.File) error {
		pages++
		for _, file := range page {
			seen = append(seen, file.Hash)
			if file.Size < 1 || file.Size > 3 {
				t.Errorf("%s has %d bytes", file.Hash, file.Size)
			}
			if file.At.Before(began.Add(-5*time.Second)) || file.At.After(time.Now().Add(5*time.Second)) {
				t.Errorf("%s was put at %s", file.Hash, file.At)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if !slices.Equal(seen, want) || pages < 2 {
		t.Errorf("%d files seen in %d pages, want %d in order", len(seen), pages, len(want))
	}
	stop := errors.New("stop")
	if err := s.Store.Walk(t.Context(), func([]blob.File) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a visitor's error came back as %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Store.Walk(ended, func([]blob.File) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// Whatever a Put has promised is there, however old the bytes were and whoever
// removes them at that moment.
func removalAndPut(t *testing.T, s Subject) {
	const several = 12
	putter := s.Store
	if s.Shared {
		putter = s.Another()
	}
	for round := range 3 {
		var data [][]byte
		for i := range several {
			data = append(data, fmt.Appendf(nil, "round %d picture %d", round, i))
		}
		hashes, err := s.Store.PutMany(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		for _, hash := range hashes {
			s.Age(hash, rest+s.Slack)
		}
		var both sync.WaitGroup
		both.Go(func() {
			for _, hash := range hashes {
				if _, _, err := s.Store.Remove(t.Context(), hash, time.Now().Add(-rest)); err != nil {
					t.Errorf("remove: %v", err)
				}
			}
		})
		both.Go(func() {
			if _, err := putter.PutMany(t.Context(), data); err != nil {
				t.Errorf("put: %v", err)
			}
		})
		both.Wait()
		reader := s.Another()
		for i, hash := range hashes {
			if got, err := read(t.Context(), reader, hash); err != nil || got != string(data[i]) {
				t.Errorf("round %d: promised bytes: %q, %v", round, got, err)
			}
		}
	}
}

func manyCallers(t *testing.T, s Subject) {
	another := s.Another()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			store := []blob.Store{s.Store, another}[i%2]
			for n := range 10 {
				data := fmt.Appendf(nil, "shared %d", n)
				hash, err := store.Put(t.Context(), data)
				if err != nil {
					t.Errorf("put: %v", err)
					return
				}
				if got, err := read(t.Context(), store, hash); err != nil || got != string(data) {
					t.Errorf("read: %q, %v", got, err)
				}
				if i == 0 {
					if _, left, err := s.Store.Remove(t.Context(), hash, time.Now().Add(-rest)); !left || err != nil {
						t.Errorf("young bytes: left %v, %v", left, err)
					}
				}
			}
		})
	}
	all.Wait()
}

func endedContext(t *testing.T, s Subject) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Store.PutMany(ended, [][]byte{bytes.Repeat([]byte("x"), 1000)}); !errors.Is(err, context.Canceled) {
		t.Errorf("put = %v, want canceled", err)
	}
	if _, err := read(t.Context(), s.Another(), HashOf(strings.Repeat("x", 1000))); err == nil || problem.CodeOf(err) != problem.NotFound {
		t.Errorf("what was not put: %v", err)
	}
}
