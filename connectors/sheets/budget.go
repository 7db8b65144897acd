package sheets

import (
	"context"
	"sync"
	"time"
)

// Google's quotas, of reads and once more of writes, and the time for which they are. A request may
// arrive a little later than it was sent, so that our minute is longer.
const (
	mostPerUser    = 60
	mostPerProject = 300
	quotaPeriod    = time.Minute + 2*time.Second
)

// A window lets so many requests through in any period: Google counts by the
// minute, so that a token bucket, which refills while it is emptied, lets up to
// twice as many through.
type window struct {
	most   int
	sent   []time.Time // of the last period, in order
	closed time.Time   // nothing goes through before
}

// wait is how long until a request may go.
func (w *window) wait(now time.Time) time.Duration {
	old := 0
	for old < len(w.sent) && now.Sub(w.sent[old]) >= quotaPeriod {
		old++
	}
	w.sent = w.sent[old:]
	if len(w.sent) >= w.most {
		return max(w.sent[len(w.sent)-w.most].Add(quotaPeriod).Sub(now), w.closed.Sub(now))
	}
	return max(w.closed.Sub(now), 0)
}

// A budget is the reads that one credential may make, or the writes: those of its
// user, and those of its project.
type budget struct {
	users, projects string // the names of the windows
}

// windows are those of the whole process, as long as a source uses them.
var windows = struct {
	mu    sync.Mutex
	named map[string]*window
	users map[string]int
}{named: map[string]*window{}, users: map[string]int{}}

// openBudget is the share of a user and a project; close gives it back.
func openBudget(user, project string) *budget {
	b := &budget{users: "user " + user, projects: "project " + project}
	windows.mu.Lock()
	defer windows.mu.Unlock()
	for name, most := range map[string]int{b.users: mostPerUser, b.projects: mostPerProject} {
		if windows.users[name]++; windows.named[name] == nil {
			windows.named[name] = &window{most: most}
		}
	}
	return b
}

func (b *budget) close() {
	windows.mu.Lock()
	defer windows.mu.Unlock()
	for _, name := range []string{b.users, b.projects} {
		// What was sent still counts for a while, so that a reload gives no new quota.
		windows.users[name]--
	}
	for name, n := range windows.users {
		w := windows.named[name]
		if n <= 0 && (len(w.sent) == 0 || time.Since(w.sent[len(w.sent)-1]) > quotaPeriod) {
			delete(windows.users, name)
			delete(windows.named, name)
		}
	}
}

// take waits until a request may go, and counts it.
func (b *budget) take(ctx context.Context) error {
	for {
		wait := b.try(time.Now())
		if wait <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// wait is how long take would wait now.
func (b *budget) wait(now time.Time) time.Duration {
	windows.mu.Lock()
	defer windows.mu.Unlock()
	return max(windows.named[b.users].wait(now), windows.named[b.projects].wait(now))
}

func (b *budget) try(now time.Time) time.Duration {
	windows.mu.Lock()
	defer windows.mu.Unlock()
	user, project := windows.named[b.users], windows.named[b.projects]
	if wait := max(user.wait(now), project.wait(now)); wait > 0 {
		return wait
	}
	user.sent, project.sent = append(user.sent, now), append(project.sent, now)
	return 0
}

// pause lets nothing of the user through for a while: it was refused.
func (b *budget) pause(d time.Duration) {
	windows.mu.Lock()
	defer windows.mu.Unlock()
	w := windows.named[b.users]
	if until := time.Now().Add(d); until.After(w.closed) {
		w.closed = until
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
