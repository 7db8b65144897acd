package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// writeSteadily writes the parts, then goes on touching the file until stop is
// closed, every 10 ms of the bubble's clock.
func writeSteadily(t *testing.T, path string, parts []string, stop <-chan struct{}) {
	text := ""
	for i := 0; ; i++ {
		if i < len(parts) {
			text += parts[i]
		} else if stop == nil {
			return
		}
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, time.Now(), time.Now())); err != nil {
			t.Error(err)
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestFileIsReadOnceItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	synctest.Test(t, func(t *testing.T) {
		parts := []string{"id,name\n", "1,a\n", "2,", "b\n", "3,c\n"}
		go writeSteadily(t, path, parts, nil)
		synctest.Wait() // the first part is there
		r := mustPoll(t, newPoller(t, newConfig(path, "id")), nil)
		if len(r.Rows) != 3 || len(r.Faults) > 0 {
			t.Errorf("read %d rows and the faults %v of a file that was being written", len(r.Rows), r.Faults)
		}
	})
}

func TestFileThatIsWrittenOnAndOnIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		defer close(stop)
		go writeSteadily(t, path, []string{"id,name\n1,a\n"}, stop)
		synctest.Wait()
		begin := time.Now()
		err := mustFail(t, newPoller(t, newConfig(path, "id")), "rows.csv", "still being written")
		if waited := time.Since(begin); waited < 100*time.Millisecond || waited > time.Second {
			t.Errorf("gave up after %v", waited)
		}
		if wait, ok := retry.Wait(err); !ok || wait <= 0 {
			t.Errorf("the error asks for no wait before the next try: %v", err)
		}
	})
}

func TestWhatIsMissingOfAFileThatIsWrittenAnewIsWaitedFor(t *testing.T) {
	const whole, next = "id,name\n1,a\n2,b\n3,c\n", "id,name\n1,x\n2,y\n3,z\n"
	for name, parts := range map[string][]string{
		"emptied":             {"", next},
		"up to a line":        {"id,name\n1,x\n", next},
		"up to a cell":        {whole + "4,d\n5,", whole + "4,d\n5,e\n"},
		"emptied, then lines": {"", "id,name\n", "id,name\n1,x\n", next},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rows.csv")
			synctest.Test(t, func(t *testing.T) {
				write := func(text string) {
					mustDo(t, errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, time.Now(), time.Now())))
				}
				write(whole)
				p := newPoller(t, newConfig(path, "id"))
				cursor := mustPoll(t, p, nil).Closing.Cursor
				write(parts[0])
				go func() {
					for _, text := range parts[1:] {
						<-time.After(400 * time.Millisecond)
						write(text)
					}
				}()
				r := mustPoll(t, p, cursor)
				if want := strings.Count(parts[len(parts)-1], "\n") - 1; len(r.Rows) != want || len(r.Faults) > 0 {
					t.Errorf("read %d rows, faults %v; want %d", len(r.Rows), r.Faults, want)
				}
			})
		})
	}
}

func TestFileFromTheFutureIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	mustWrite(t, path, []byte("id\n1\n"))
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(path, future, future); err != nil {
		t.Fatal(err)
	}
	p := newPoller(t, newConfig(path, "id"))
	first := mustPoll(t, p, nil)
	var again connectortest.Recorder
	if err := p.Poll(t.Context(), first.Closing.Cursor, again.Emit); err != nil || again.Closing == nil || !again.Closing.Unchanged {
		t.Errorf("second poll: %v, %+v", err, again.Closing)
	}
}
