package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestStagesStopInReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopped []string
		part := func(name string) stage {
			return stage{name, func(ctx context.Context) error {
				<-ctx.Done()
				stopped = append(stopped, name)
				return nil
			}}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := runStages(ctx, time.Minute, part("store"), part("queue"), part("api")); err != nil {
			t.Fatal(err)
		}
		if want := []string{"api", "queue", "store"}; !slices.Equal(stopped, want) {
			t.Errorf("stopped %v, want %v", stopped, want)
		}
	})
}

func TestFailedStageStopsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no more store")
		err := runStages(t.Context(), time.Minute,
			stage{"store", func(context.Context) error { return broken }},
			stage{"api", func(ctx context.Context) error { <-ctx.Done(); return nil }})
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "store: ") {
			t.Errorf("got %v, want the store's failure by its name", err)
		}
	})
}

func TestStageThatIsCutOffByItsStopHasNotFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := runStages(ctx, time.Minute, stage{"sources", func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("drop bindings: %w", ctx.Err())
		}}); err != nil {
			t.Errorf("got %v, want a clean end", err)
		}
	})
}

func TestStuckStageIsNamedAfterTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		err := runStages(ctx, 3*time.Second,
			stage{"store", func(ctx context.Context) error { <-ctx.Done(); return nil }},
			stage{"queue", func(context.Context) error { <-release; return nil }})
		if err == nil || !strings.Contains(err.Error(), "stop queue") {
			t.Errorf("got %v, want the stuck stage named", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %s, want the grace of 3s", took)
		}
	})
}

func TestSignalDuringTheStartIsACleanEnd(t *testing.T) {
	s := newSite(t, catalogYAML)
	settings, err := Load(s.dir + "/pictifyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, settings, Options{Log: quiet(t)}); err != nil {
		t.Errorf("got %v, want a clean end", err)
	}
}

func TestRequestInFlightDoesNotSpoilTheEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, ended := s.begin(ctx, Options{Renderer: &rendertest.Null{}, Grace: time.Millisecond})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /template/card/batch HTTP/1.1\r\nHost: "+conn.RemoteAddr().String()+
		"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// The server says this when it begins to read the body, which never comes.
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("got %q, %v, want to be asked for the body", line, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want a clean end", err)
	}
}
