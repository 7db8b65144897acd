package file

import (
	"os"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

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
		return stamp{}, problem.New(problem.Invalid, "%q is a folder, not a file", path).
			WithHint("name the file in it, or end the path with / to read them all")
	}
	if !info.Mode().IsRegular() {
		return stamp{}, problem.New(problem.Invalid, "%q is not a file (%s)", path, info.Mode().Type()).
			WithHint("path names files; pipes and devices are not read")
	}
	return stamp{Size: info.Size(), Modified: info.ModTime().UnixNano(), Inode: inode(info)}, nil
}

func (s stamp) age() time.Duration { return time.Since(time.Unix(0, s.Modified)) }
