package file

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	quiet = 20 * time.Millisecond // without a write for so long, a file counts as written
	tries = 25                    // so often quiet is waited for
)

// errWriting says that a file did not become quiet.
var errWriting = errors.New("it is still being written")

// A stamp is what the file system tells of a file without reading it.
type stamp struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // Unix nanoseconds
	Inode    uint64 `json:"inode"`    // 0 where there are none
}

// stampOf follows symbolic links.
func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return newStamp(path, info)
}

func newStamp(path string, info os.FileInfo) (stamp, error) {
	if info.IsDir() {
		return stamp{}, problem.New(problem.Invalid, "%q is a folder, not a file", path).WithHint("name the file in it")
	}
	if !info.Mode().IsRegular() {
		return stamp{}, problem.New(problem.Invalid, "%q is not a file (%s)", path, info.Mode().Type()).
			WithHint("path names one file; pipes and devices are not read")
	}
	return stamp{Size: info.Size(), Modified: info.ModTime().UnixNano(), Inode: inode(info)}, nil
}

func (s stamp) age() time.Duration { return time.Since(time.Unix(0, s.Modified)) }

// A content is a file as it was while nobody wrote to it.
type content struct {
	data  []byte
	stamp stamp
	age   time.Duration // since its last write, when it was read
}

// readQuiet reads the file at path once it is quiet. It gives up when the file
// does not become quiet within half a second or so.
func readQuiet(ctx context.Context, path string, limit config.Bytes) (content, error) {
	for range tries {
		c, wait, err := tryRead(path, limit)
		if err != nil || wait == 0 {
			return c, err
		}
		select {
		case <-ctx.Done():
			return content{}, ctx.Err()
		case <-time.After(wait):
		}
	}
	return content{}, errWriting
}

// tryRead reads the file, or says how long to wait for it.
func tryRead(path string, limit config.Bytes) (c content, wait time.Duration, err error) {
	before, err := stampOf(path)
	if err != nil {
		return content{}, 0, err
	}
	// A time in the future tells nothing; then only the second stamp does.
	age := before.age()
	if age >= 0 && age < quiet {
		return content{}, quiet - age, nil
	}
	data, err := readFile(path, before.Size, limit)
	if err != nil {
		return content{}, 0, err
	}
	after, err := stampOf(path)
	if err != nil {
		return content{}, 0, err
	}
	if after != before || int64(len(data)) != before.Size {
		return content{}, quiet, nil
	}
	if len(data) == 0 {
		return content{}, 0, problem.New(problem.Invalid, "file %q is empty", path).
			WithSlug("file_empty").WithHint("a table without rows still has its header; write [] for JSON without rows")
	}
	return content{data: data, stamp: before, age: age}, 0, nil
}

func readFile(path string, size int64, limit config.Bytes) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return poll.ReadAll(f, size, limit)
}
