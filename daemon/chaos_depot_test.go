package daemon

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/s3test"
)

// A depot is where a fleet has its bytes.
type depot struct {
	yaml   string          // its sections of the configuration
	faults []chaosFault    // that befall it
	hashes func() []string // of all bytes that are there
	age    func()          // has all of them seem so much older than a day
}

// longAgo is longer than bytes are kept whatever nothing shows them.
const longAgo = 200 * 24 * time.Hour

var hashName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// newBucketDepot is a bucket, over a way of its own.
func newBucketDepot(t *testing.T) *depot {
	t.Helper()
	bucket := s3test.New(t)
	proxy, err := url.Parse(bucket.Proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := newWay(t, proxy.Host)
	secret, _ := bucket.User.Password()
	d := &depot{yaml: fmt.Sprintf("blobs: { url: \"s3://%s/images?region=%s&endpoint=http://%s\", access_key: %q, secret_key: %q, timeout: 2s }\n",
		bucket.Bucket, bucket.Region, w.address(), bucket.User.Username(), secret)}
	d.faults = []chaosFault{
		{"cut the bucket off", func(*chaos) (string, func()) { w.cut(); return "for all", w.calm }},
		{"swallow all to the bucket", func(*chaos) (string, func()) { w.swallow(); return "for all", w.calm }},
		{"have the bucket refuse all", func(*chaos) (string, func()) {
			bucket.Breaks(s3test.Says(503, "SlowDown", "Please reduce your request rate."))
			return "with 503", func() { bucket.Breaks(nil) }
		}},
	}
	d.hashes = func() (all []string) {
		for _, key := range bucket.Keys() {
			if name := path.Base(key); hashName.MatchString(name) {
				all = append(all, name)
			}
		}
		return all
	}
	d.age = func() {
		for _, key := range bucket.Keys() {
			bucket.Age(key, longAgo)
		}
	}
	return d
}

// newDiskDepot is a folder on a disk of that many megabytes, which can be filled.
func newDiskDepot(t *testing.T, megabytes int) *depot {
	t.Helper()
	dir := lentDisk(t, fmt.Sprintf("%dm", megabytes))
	images, filler := filepath.Join(dir, "images"), filepath.Join(dir, "filler")
	d := &depot{yaml: fmt.Sprintf("blobs: { url: %q }\nkeep: { min_free: 2MB }\n", "file:"+images)}
	d.faults = []chaosFault{{"fill the disk", func(*chaos) (string, func()) {
		fill(t, filler)
		return "to the last byte", func() { _ = os.Remove(filler) }
	}}}
	each := func(do func(path string)) {
		t.Helper()
		if err := filepath.WalkDir(images, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && hashName.MatchString(entry.Name()) {
				do(path)
			}
			return nil // what has gone meanwhile is gone
		}); err != nil {
			t.Fatal(err)
		}
	}
	d.hashes = func() (all []string) {
		each(func(path string) { all = append(all, filepath.Base(path)) })
		return all
	}
	d.age = func() {
		then := time.Now().Add(-longAgo)
		each(func(path string) { _ = os.Chtimes(path, then, then) })
	}
	return d
}

// childMount is FOLDER=SIZE for a child that does nothing but have a disk of that size
// on that folder.
const childMount = "PICTIFYD_CHILD_MOUNT"

// lentDisk is a folder on a small disk that a process of its own has, so that all may use it, and
// nothing of it is left when the tests are killed.
func lentDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childMount+"="+dir+"="+size)
	cmd.SysProcAttr = ownMounts()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("a disk of %s: %q, %v", size, line, err)
	}
	return filepath.Join("/proc", fmt.Sprint(cmd.Process.Pid), "root", dir)
}

// lendDisk is that process. It ends with whoever started it.
func lendDisk(spec string) int {
	dir, size, _ := strings.Cut(spec, "=")
	if err := mountDisk(dir, size); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println("there it is")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
