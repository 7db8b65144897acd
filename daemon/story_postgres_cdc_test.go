package daemon

import (
	"bytes"
	"fmt"
	"image"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A goal is an UPDATE, and its card is there within a second, for a user who may
// read one table and the log, and write nothing.
func TestGoalIsACardWithinASecond(t *testing.T) {
	s := newStory(t, "postgres-cdc")
	dsn := newDatabase(t)
	scores := openDatabase(t, dsn)
	run := func(statements string) {
		t.Helper()
		if _, err := scores.Exec(statements); err != nil {
			t.Fatal(err)
		}
	}
	reader := fmt.Sprintf("scoreboard_%d", os.Getpid()) // roles are of the whole server
	t.Cleanup(func() {
		dropSlots(t, scores)
		run("DROP OWNED BY " + reader + "; DROP ROLE " + reader)
	})
	run(s.read("schema.sql"))
	run(strings.ReplaceAll(s.read("roles.sql"), "scoreboard", reader))
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(reader, "change-me")
	t.Setenv("SCORES_DSN", u.String())

	report, err := CheckOnline(t.Context(), filepath.Join(s.dir, "pictifyd.yaml"))
	if err != nil || !strings.Contains(report, "source matches: its first 4 rows read") || !strings.Contains(report, "resolves 3 of the first 4 rows") {
		t.Errorf("check --online: %v\n%s", err, report)
	}
	address, _ := s.run(Options{})
	card := func(match string) []byte {
		if status, data := look(t, address+"/b/scores/"+match+".png"); status == http.StatusOK {
			return data
		}
		return nil
	}
	eventually(t, "a card of each match that has begun", func() bool { return card("11") != nil && card("12") != nil && card("13") != nil })
	if status, _ := look(t, address+"/b/scores/14.png"); status != http.StatusNotFound {
		t.Errorf("a match that has not begun is %d, want 404", status)
	}
	before, other := card("12"), card("13")
	if size, kind, err := image.DecodeConfig(bytes.NewReader(before)); err != nil || kind != "png" || size.Width != 1200 || size.Height != 630 {
		t.Errorf("the card is %s of %dx%d, %v", kind, size.Width, size.Height, err)
	}
	began := time.Now()
	run(s.read("match.sql"))
	eventually(t, "the goal, and the kick-off", func() bool { return !bytes.Equal(card("12"), before) && card("14") != nil })
	t.Logf("on their cards after %v", time.Since(began).Round(time.Millisecond))
	if !bytes.Equal(card("13"), other) {
		t.Error("the card of another match is not as it was")
	}
	shot(t, "score", card("12"))
	run("DELETE FROM matches WHERE id = 11")
	eventually(t, "a match that is deleted has no card", func() bool { return card("11") == nil })
}

// shot keeps a picture where somebody wants to look at it.
func shot(t *testing.T, name string, data []byte) {
	t.Helper()
	if folder := os.Getenv("PICTIFYD_TEST_SHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name+".png"), data, 0o600); err != nil {
			t.Error(err)
		}
	}
}
