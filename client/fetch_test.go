package client

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestWhatBreaksHereIsNotFetchedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		to     io.Writer
		body   io.Reader
		length int64
		code   problem.Code
		again  bool
	}{
		"all is well":        {io.Discard, strings.NewReader("four"), 4, "", false},
		"the disk is full":   {full{}, strings.NewReader("four"), 4, problem.Surroundings, false},
		"the connection cut": {io.Discard, iotest.ErrReader(errors.New("reset by peer")), 4, problem.Upstream, true},
		"the answer ends":    {io.Discard, strings.NewReader("fo"), 4, problem.Upstream, true},
	} {
		f := &Fetch{}
		_, err := f.take(c.to, "out/a.png", &http.Response{Body: io.NopCloser(c.body), ContentLength: c.length})
		if (err != nil) != (c.code != "") || err != nil && (problem.CodeOf(err) != c.code || passes(err) != c.again) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
